"""Crops on disk: each clip is decoded once, its faces cut out, and every later epoch reads those.

In: a clip of clips.jsonl (a video, or a still picture as a clip of one frame). Out: `StoredCrop`s: the wide square
around the largest face (PNG, at its own resolution up to a limit) and 68 landmarks in it; of a video also how its face
moves. One npz a clip, named by the content and the settings, so that a stopped run goes on where it was and a changed
clip is cut anew. No pickles inside.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.config import SampleConfig
from detector.inference.crops import wide_crop
from detector.inference.frames import SampledFrames, has_motion
from detector.motion.watch import MotionWatch
from sfumato.atomic import atomic_path
from sfumato.errors import MediaError
from sfumato.execution.executor import run
from sfumato.execution.find_files import is_picture
from sfumato.media.clips import TWIN, ClipRow, clip_file
from sfumato.media.faces import CROP_VERSION, FaceDetector
from sfumato.media.landmarks import load_backend

Image = NDArray[np.uint8]
_WORTH_A_WORKER = 16  # clips to cut for each further process: it takes seconds to start
_LAYOUT = "2"  # raised when what is stored changes
_FACELESS = "no face of usable size"
_NOTHING = {
    "png": np.zeros(0, np.uint8),
    "start": np.zeros(1, np.int64),
    "points": np.zeros((0, 68, 2), np.float32),
    "place": np.zeros(0),
    "motion": np.zeros(0),
}


@dataclass(frozen=True)
class StoredCrop:
    """image: (side, side, 3) uint8 RGB; points: (68, 2) px in it, zeros for a fake or a twin; place: 0 at its start, 1
    at its end.
    """

    image: Image
    points: NDArray[np.float32]
    place: float


class CropCache:
    """The crops of any clip listed in `clips` (clips.jsonl), made on first use."""

    def __init__(self, clips: Path, folder: Path, config: SampleConfig) -> None:
        self.clips, self.folder, self.config = clips, folder, config
        folder.mkdir(parents=True, exist_ok=True)
        self.refused: dict[str, str] = {}  # path -> why no crop came out of it
        self._unreadable: set[str] = (
            set()
        )  # of those: files that may be read when they are put right, so that nothing is kept of them

    def __getstate__(self) -> dict[str, Any]:
        """Without the nets, for another process: it opens its own if it has to cut."""
        return {name: value for name, value in vars(self).items() if name not in ("_detector", "_landmarks")}

    @cached_property
    def _detector(self) -> FaceDetector:
        return FaceDetector()

    @cached_property
    def _landmarks(self) -> Any:
        return load_backend("mesh")

    def prepare(
        self, rows: Sequence[ClipRow], advance: Callable[[float], None] = lambda amount: None, workers: int = 1
    ) -> list[ClipRow]:
        """Cuts every clip that is not cut yet. Returns the rows that hold at least one usable face, in the order given.

        Unreadable and faceless clips are left out and told in `refused`: a few of them must not stop a training run.
        """
        if workers > 1:
            missing = [row for row in rows if not self._path(row).exists()]
            if len(missing) > _WORTH_A_WORKER * workers:
                self._cut_together(missing, advance, workers)
                advance(-float(len(missing)))
        usable = []
        for row in rows:
            if self.count(row):
                usable.append(row)
            else:
                self.refused.setdefault(row.path, _FACELESS)
            advance(1)
        return usable

    def _cut_together(self, rows: Sequence[ClipRow], advance: Callable[[float], None], workers: int) -> None:
        """Each worker has detector and landmarks of its own; a clip's crops do not depend on which one cut it."""
        with closing(run(rows, partial(_cutter, self.clips, self.folder, self.config), workers)) as results:
            for done in results:
                if done.failure:
                    self.refused[done.task.path] = done.message
                    self._unreadable.add(done.task.path)
                self.refused |= done.value or {}
                advance(1)

    def count(self, row: ClipRow) -> int:
        """How many crops the clip holds; cuts it if need be."""
        return len(self._arrays(row)["place"])

    def still(self, row: ClipRow) -> bool:
        """Whether the clip is a picture."""
        return is_picture(clip_file(self.clips, row))

    def side(self, row: ClipRow) -> int:
        """px, of the clip's first crop; 0 without any. Nothing is decoded: a PNG says it in its header."""
        return int.from_bytes(self._arrays(row)["png"][16:20].tobytes(), "big")

    def crop(self, row: ClipRow, index: int) -> StoredCrop:
        """The crop number `index`."""
        arrays = self._arrays(row)
        start, end = arrays["start"][index], arrays["start"][index + 1]
        image = cv2.imdecode(arrays["png"][start:end], cv2.IMREAD_COLOR)
        return StoredCrop(
            np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1]),
            arrays["points"][index],
            float(arrays["place"][index]),
        )

    def nearest(self, row: ClipRow, place: float) -> StoredCrop:
        """The crop nearest in place: the twin of a fake's frame."""
        return self.crop(row, int(np.argmin(np.abs(self._arrays(row)["place"] - place))))

    def points(self, row: ClipRow) -> NDArray[np.float32]:
        """(n, 68, 2): the landmarks of all crops of a clip."""
        points: NDArray[np.float32] = self._arrays(row)["points"]
        return points

    def motion(self, row: ClipRow) -> NDArray[np.float64] | None:
        """How the clip's face moves (`detector.motion.features`); None for a picture, and where nothing could be
        told.
        """
        found: NDArray[np.float64] = self._arrays(row)["motion"]
        return found if len(found) else None

    def _arrays(self, row: ClipRow) -> dict[str, Any]:
        path = self._path(row)
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # not there, or left by a crash of another program
            if row.path not in self._unreadable:
                self._keep(row)
            return _NOTHING if row.path in self._unreadable else _read(path)

    def _keep(self, row: ClipRow) -> None:
        """Cuts a clip and writes what came of it, unless it could not be read."""
        watch = MotionWatch(self._landmarks) if has_motion(clip_file(self.clips, row)) else None
        cut = self._cut(row, watch)
        if row.path not in self._unreadable:
            self._write(self._path(row), cut, watch.features() if watch else None)

    def _path(self, row: ClipRow) -> Path:
        return self.folder / f"{self._key(row)}.npz"

    def _key(self, row: ClipRow) -> str:
        settings = (_LAYOUT, CROP_VERSION, self.config.frames_per_clip, self.config.stored_side, self.config.min_face)
        return hashlib.sha256(repr((row.sha256, settings)).encode()).hexdigest()[:24]

    def _cut(self, row: ClipRow, watch: MotionWatch | None) -> list[StoredCrop]:
        found: list[tuple[float, Image, NDArray[np.float32]]] = []
        end = 0.0
        try:
            source = SampledFrames(clip_file(self.clips, row), self.config.frames_per_clip, watch)
            for frame in source:
                end = frame.time
                faces = source.faces(frame, self._detector)
                if not faces or faces[0].size < self.config.min_face:
                    continue
                if watch is not None:
                    watch.found(frame, faces[0])
                crop = wide_crop(faces[0].box, frame.image)
                size = max(48, min(self.config.stored_side, round(crop.side)))
                points = np.zeros((68, 2), np.float32)
                if (
                    row.label == "real" and row.method != TWIN
                ):  # only those are blended, and landmarks are a third of the cutting
                    points = crop.to_crop(self._landmarks.detect(frame.image, faces[0].box), size)
                found.append((frame.time, crop.apply(frame.image, size), points))
        except MediaError as error:
            if not found:
                self.refused[row.path] = error.message
                self._unreadable.add(row.path)
        if not found:
            self.refused.setdefault(row.path, _FACELESS)
        return [StoredCrop(image, points, time / end if end else 0.0) for time, image, points in found]

    def _write(self, path: Path, crops: list[StoredCrop], motion: NDArray[np.float64] | None = None) -> None:
        pictures = [cv2.imencode(".png", c.image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1] for c in crops]
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                png=np.concatenate(pictures) if pictures else np.zeros(0, np.uint8),
                start=np.cumsum([0, *(len(p) for p in pictures)]),
                points=np.array([c.points for c in crops], np.float32).reshape(-1, 68, 2),
                place=np.array([c.place for c in crops], np.float32),
                motion=np.zeros(0) if motion is None else motion,
            )


def _cutter(clips: Path, folder: Path, config: SampleConfig) -> Callable[[ClipRow], dict[str, str]]:
    """Cuts a clip; returns why it was refused, if it was."""
    cache = CropCache(clips, folder, config)

    def cut(row: ClipRow) -> dict[str, str]:
        cache._keep(row)
        return {row.path: cache.refused[row.path]} if row.path in cache.refused else {}

    return cut


@lru_cache(maxsize=1024)  # some 400 kB a clip; a miss costs a millisecond
def _read(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in ("png", "start", "points", "place", "motion")}
