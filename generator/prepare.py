"""Footage to training data: crops, landmarks, identity and quality of every clip and picture, cached as Parquet.

In: a folder of videos and pictures. Out: a folder with one shard per file (`shards/<digest>.parquet`) and `dataset.json`
(crop version, landmark backend, size). A shard that exists is not made again, so an interrupted run continues. Landmark
coordinates are cached, never their drawings. One clip has one fixed square: the head moves in it, the background stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import atomic_path, write_text
from sfumato.errors import MediaError, NoFaceError, OutputError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.faces import CROP_VERSION, Crop, Face, FaceDetector, FaceTracker, crop_around
from sfumato.media.images import read_image
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.video import VideoReader

VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".gif"})
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
SCHEMA = 1


@dataclass(frozen=True)
class PrepareConfig:
    """How footage is read."""

    size: int = 192  # stored pixels of a crop: training at 128 may then zoom in without inventing detail
    frames: int = 64  # at most, spread over the clip: neighbours teach little
    landmarks: str = "mesh"
    smallest_face: float = 48.0  # px; smaller faces are blur at any training size
    largest_shift: float = 0.55  # of the crop's side between a frame's face and the square's centre; more and it leaves the picture
    quality: int = 95  # JPEG


@dataclass
class Prepared:
    """What came of a run: files made, kept from before, and refused with the reason."""

    made: int = 0
    kept: int = 0
    frames: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Observation:
    """One frame of the tracked person."""

    index: int
    time: float
    image: NDArray[np.uint8]
    face: Face


def find_media(paths: list[Path]) -> list[Path]:
    """Files as given, and everything readable below folders, sorted. Raises UsageError if there is nothing."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in VIDEOS | PICTURES and p.is_file())
        else:
            found.append(path)
    if not found:
        raise UsageError(f"No videos or pictures in {', '.join(map(str, paths))}", "Name a folder that holds some.")
    return found


def prepare(
    footage: list[Path], out: Path, config: PrepareConfig | None = None, advance: Callable[[float], None] = lambda amount: None
) -> Prepared:
    """Reads every file of `footage` (see `find_media`) into shards below `out`. Files without a usable face are listed, not fatal.

    Raises UsageError for nothing to read, OutputError when `out` holds data prepared another way or cannot be written.
    """
    config = config or PrepareConfig()
    description = {
        "schema": SCHEMA, "crop": CROP_VERSION, "landmarks": config.landmarks, "size": config.size, "frames": config.frames
    }  # fmt: skip
    _open_dataset(out, description)
    worker = Preparer(config)
    result = Prepared()
    for path in find_media(footage):
        try:
            digest = file_digest(path)
            shard = out / "shards" / f"{digest[:32]}.parquet"
            if shard.exists():
                result.kept += 1
            else:
                frames = worker.prepare_file(path, digest, shard)
                result.made += 1
                result.frames += frames
        except MediaError as error:
            result.refused.append((path, error.message))
        advance(1)
    return result


class Preparer:
    """Holds the nets that reading needs, loaded once for all files."""

    def __init__(self, config: PrepareConfig) -> None:
        self.config = config
        self.detector = FaceDetector()
        self.landmarks: LandmarkBackend = load_backend(config.landmarks)

    def prepare_file(self, path: Path, digest: str, shard: Path) -> int:
        """Writes the shard of one file, returns its number of frames. Raises MediaError (NoFaceError) when it is unusable."""
        seen = list(self._picture(path) if path.suffix.lower() in PICTURES else self._video(path))  # bounded by config.frames
        if not seen:
            raise NoFaceError(f"No face of {self.config.smallest_face:g} px or more in {path}")
        height, width = seen[0].image.shape[:2]
        crop = crop_around(median_box([o.face for o in seen]), (width, height))
        rows = [row for row in (self._row(o, crop) for o in seen) if row is not None]
        if not rows:
            raise NoFaceError(f"No face that stays in the picture in {path}")
        write_shard(shard, rows, {"source": path.name, "sha256": digest, "picture": path.suffix.lower() in PICTURES})
        return len(rows)

    def _picture(self, path: Path) -> Iterator[Observation]:
        image = read_image(path)
        faces = [f for f in self.detector.detect(image) if f.size >= self.config.smallest_face]
        if faces:
            yield Observation(0, 0.0, image, faces[0])

    def _video(self, path: Path) -> Iterator[Observation]:
        """The longest-seen person of the clip, at up to `frames` frames spread evenly over it."""
        with VideoReader(path, max_side=960) as video:
            declared = video.info.declared_frames or int((video.info.duration or 0) * video.info.rate) or self.config.frames
            step = max(1, declared // self.config.frames)
            tracker, kept = FaceTracker(smoothing=0.0, patience=4), list[tuple[Observation, int]]()
            for frame in video:
                if frame.index % step or len({o.index for o, _ in kept}) >= self.config.frames:
                    continue
                faces = [f for f in self.detector.detect(frame.image) if f.size >= self.config.smallest_face][:3]
                for identifier, face in tracker.update(frame.index // step, faces).items():
                    kept.append((Observation(frame.index, frame.time, frame.image, face), identifier))
        if kept:
            longest = max(tracker.tracks, key=lambda t: (len(t.frames), t.box[2])).identifier
            yield from (o for o, identifier in kept if identifier == longest)

    def _row(self, seen: Observation, crop: Crop) -> dict[str, Any] | None:
        from sfumato.media.identity import embed_image

        size = self.config.size
        try:
            points = crop.to_crop(self.landmarks.detect(seen.image, seen.face.box), size)
        except NoFaceError:
            return None  # one frame in which the landmark net sees no face spoils only itself
        shift = np.abs(points.mean(0) / size - 0.5).max()
        if shift > self.config.largest_shift / 2 or not (points > -0.1 * size).all():
            return None
        image = crop.apply(seen.image, size)
        done, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(image[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, self.config.quality])
        if not done:
            raise MediaError("A crop could not be stored as JPEG")
        return {
            "index": seen.index,
            "time": seen.time,
            "jpeg": jpeg.tobytes(),
            "landmarks": points.reshape(-1).tolist(),
            "identity": embed_image(image, points).tolist(),
            "sharpness": float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var()),
            "face_pixels": seen.face.size,
        }


def median_box(faces: list[Face]) -> tuple[float, float, float, float]:
    """The box of the clip: median centre, and a size that holds nine frames in ten."""
    boxes = np.array([face.box for face in faces])
    centre = np.median(boxes[:, :2] + boxes[:, 2:] / 2, axis=0)
    size = np.percentile(boxes[:, 2:], 90, axis=0)
    return (float(centre[0] - size[0] / 2), float(centre[1] - size[1] / 2), float(size[0]), float(size[1]))


def write_shard(path: Path, rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    """One clip's rows as Parquet, `facts` as its metadata; atomic."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(
        [
            ("index", pyarrow.int32()),
            ("time", pyarrow.float64()),
            ("jpeg", pyarrow.binary()),
            ("landmarks", pyarrow.list_(pyarrow.float32(), 136)),
            ("identity", pyarrow.list_(pyarrow.float32(), 128)),
            ("sharpness", pyarrow.float32()),
            ("face_pixels", pyarrow.float32()),
        ],
        metadata={"sfumato": json.dumps(facts)},
    )
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), temporary)


def _open_dataset(out: Path, description: dict[str, Any]) -> None:
    marker = out / "dataset.json"
    try:
        (out / "shards").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make {out}: {error.strerror}", "Choose a folder you may write to.") from error
    if marker.exists():
        try:
            found = json.loads(marker.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{marker} is damaged", "Delete the folder, or choose another.") from error
        if found != description:
            raise OutputError(f"{out} was prepared with other settings", "Use the same settings, or another folder.")
        return
    write_text(marker, json.dumps(description, indent=2) + "\n")
