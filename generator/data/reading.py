"""One file of footage to shards: a shot of one person each, as crops with landmarks, identity and quality.

A video is looked at twice: first small, for its cuts, then for the frames that are wanted. One shot has one fixed
square: the head moves in it, the background stays. Frames that would teach something false are dropped, and why is
counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.data.footage import Source
from generator.data.screening import find_shots, odd_ones, overlap, sharpness, turn
from generator.data.shards import write_shard
from sfumato.errors import ConfigError, MediaError, NoFaceError
from sfumato.media.face_search import find_faces
from sfumato.media.faces import Crop, Face, FaceDetector, FaceTracker, crop_around
from sfumato.media.images import WORKING_PIXELS, read_image
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.video import VideoReader

_READ_SIDE = 960  # px of a video frame's longer side: a face there is larger than any crop
_FOLLOWED = 3  # faces of a frame, from the largest, that may turn out to be the one seen longest
NO_FACE, SMALL, NO_LANDMARKS = "no face", "face too small", "no landmarks found"
OUTSIDE, OTHER_FACE, OTHER_PERSON = "face leaves the square", "another face in the square", "another person"
TURNED, BLURRED, SHORT = "head turned too far", "face too blurred", "shot too short"


@dataclass(frozen=True)
class PrepareConfig:
    """How footage is read, and which of its frames are kept."""

    size: int = 192  # stored pixels of a crop: training at 128 may then zoom in without inventing detail
    frames: int = 64  # of a shot at most, spread over it: neighbours teach little
    landmarks: str = "mesh"
    smallest_face: float = 48.0  # px; smaller faces are blur at any training size
    largest_shift: float = (
        0.55  # of the crop's side between a frame's face and the square's centre; more and it leaves the picture
    )
    quality: int = 95  # JPEG
    least_sharpness: float = (
        6.0  # sharp faces of 64 px have 8 to 48, of 40 px 3 to 13, blurred by .02 of their height 2 to 7 (6 clips)
    )
    largest_turn: float = 60.0  # degrees, estimated; beyond it half of the landmarks are guesses
    largest_overlap: float = 0.02  # of the square that a second face may cover: more and it is learned as background
    same_person: float = 0.35  # cosine of a frame to its shot; within 75 clips .55 and more, different people up to .29
    fewest: int = 3  # frames of a shot: an episode needs a target and two sources
    shots: int = 4  # of a file, the longest ones; more of one recording teach little that is new
    longest: float = 600.0  # seconds of a file that are read; a whole film would cost hours for four shots

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 1024 or not 1 <= self.quality <= 100:
            raise ConfigError(f"A crop of {self.size} px at quality {self.quality}", "Choose 32 to 1024, and 1 to 100.")
        if min(self.frames, self.fewest, self.shots) < 1 or self.longest <= 0:
            raise ConfigError("frames, fewest, shots and longest must be positive", "Raise them.")
        if (
            min(self.smallest_face, self.largest_shift, self.least_sharpness, self.largest_overlap) < 0
            or not 0 <= self.largest_turn <= 90
        ):
            raise ConfigError(
                "A limit of the screening is out of range", "None is negative, and largest_turn is 0 to 90 degrees."
            )
        if not -1 <= self.same_person <= 1:
            raise ConfigError(
                f"same_person is {self.same_person}", "A cosine lies in -1 to 1; -1 switches the check off."
            )


class NoUsableFaceError(NoFaceError):
    """Every frame was dropped; `dropped` counts the reasons, `reason` is the commonest."""

    def __init__(self, path: Path, dropped: Counter[str]) -> None:
        self.dropped = dropped
        self.reason = dropped.most_common(1)[0][0] if dropped else NO_FACE
        counts = ", ".join(f"{reason} ({count})" for reason, count in dropped.most_common(3))
        super().__init__(f"No face that can be used in {path}: {counts or NO_FACE}")


@dataclass(frozen=True)
class Made:
    """What became of one file: shards written, frames kept in all of them, frames dropped by reason. remarks: what
    somebody should be told of the file itself, as `VideoReader.remarks` has it.
    """

    shards: int
    frames: int
    dropped: Counter[str]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One frame: all its faces, and those followed, by track."""

    index: int
    time: float
    image: NDArray[np.uint8]
    faces: list[Face]
    followed: dict[int, Face]


class Preparer:
    """Holds the nets that reading needs, loaded once for all files."""

    def __init__(self, config: PrepareConfig) -> None:
        self.config = config
        self.detector = FaceDetector()
        self.landmarks: LandmarkBackend = load_backend(config.landmarks)

    def prepare_file(self, file: Source | Path, digest: str, shard: Path) -> Made:
        """Writes the first shot of one file as `shard`, the others beside it as `<name>-1.parquet` and so on.

        Raises MediaError when the file cannot be read, NoUsableFaceError when nothing of it can be used.
        """
        source = file if isinstance(file, Source) else Source(file)
        dropped: Counter[str] = Counter()
        made = frames = 0
        if source.picture:
            shots: Iterator[list[Observation]] = iter([self._picture(source.path)])
            fewest, remarks = 1, tuple[str, ...]()
        else:
            ranges, remarks = self._choose_shots(source.path)
            shots, fewest = self._shots(source.path, ranges), self.config.fewest
        try:
            for shot in shots:
                rows = self._rows(shot, dropped)
                if len(rows) < fewest:
                    dropped.update([SHORT] * len(rows))
                    continue
                facts = {
                    "source": source.path.name, "sha256": digest, "picture": source.picture, "person": source.person,
                    "held_out": source.held_out, "shot": made,
                }  # fmt: skip
                write_shard(shard_path(shard, made), rows, facts)
                made += 1
                frames += len(rows)
        except MediaError:  # a file that is refused leaves nothing behind
            for shot_number in range(made):
                shard_path(shard, shot_number).unlink(missing_ok=True)
            raise
        if not made:
            raise NoUsableFaceError(source.path, dropped)
        return Made(made, frames, dropped, remarks)

    def _choose_shots(self, path: Path) -> tuple[list[range], tuple[str, ...]]:
        """The longest shots in the order of time, and the remarks of reading."""
        with VideoReader(path, max_side=64) as video:
            shots = find_shots(
                frame.image for frame in takewhile(lambda frame: frame.time < self.config.longest, video)
            )
            remarks = video.remarks()
        longest = sorted(shots, key=len, reverse=True)[: self.config.shots]
        return sorted(longest, key=lambda shot: shot.start), remarks

    def _picture(self, path: Path) -> list[Observation]:
        image = read_image(path, max_pixels=WORKING_PIXELS)
        faces = find_faces(image, self.detector)
        return [Observation(0, 0.0, image, faces, dict(enumerate(self._large(faces)[:1])))]

    def _shots(self, path: Path, shots: list[range]) -> Iterator[list[Observation]]:
        """Up to `frames` frames of each shot, spread evenly over it; one shot in memory at a time."""
        waiting = iter(shots)
        shot = next(waiting, None)
        seen: list[Observation] = []
        tracker = FaceTracker(smoothing=0.0, patience=4)
        with VideoReader(path, max_side=_READ_SIDE) as video:
            for frame in video:
                if shot is None:
                    return
                step = max(1, len(shot) // self.config.frames)
                place, rest = divmod(frame.index - shot.start, step)
                if frame.index in shot and rest == 0 and place < self.config.frames:
                    faces = self.detector.detect(frame.image)
                    followed = tracker.update(place, self._large(faces)[:_FOLLOWED])
                    seen.append(Observation(frame.index, frame.time, frame.image, faces, followed))
                if frame.index == shot[-1]:
                    yield seen
                    shot, seen, tracker = next(waiting, None), [], FaceTracker(smoothing=0.0, patience=4)
        if seen:  # the second reading ended earlier than the first
            yield seen

    def _large(self, faces: list[Face]) -> list[Face]:
        return [face for face in faces if face.size >= self.config.smallest_face]

    def _rows(self, seen: list[Observation], dropped: Counter[str]) -> list[dict[str, Any]]:
        """What is kept of a shot: the frames in which the person seen longest can be learned from."""
        tracks = Counter(track for o in seen for track in o.followed)
        if not tracks:
            dropped.update(SMALL if o.faces else NO_FACE for o in seen)
            return []
        # Of two seen equally long the larger: tracks are numbered in the order in which faces appear, the largest
        # first.
        person = min(tracks, key=lambda track: (-tracks[track], track))
        chosen = [o for o in seen if person in o.followed]
        dropped.update(
            OTHER_PERSON if o.followed else SMALL if o.faces else NO_FACE for o in seen if person not in o.followed
        )
        height, width = chosen[0].image.shape[:2]
        crop = crop_around(median_box([o.followed[person] for o in chosen]), (width, height))
        rows = []
        for observation in chosen:
            row = self._row(observation, observation.followed[person], crop)
            if isinstance(row, str):
                dropped[row] += 1
            else:
                rows.append(row)
        if not rows:
            return []
        odd = odd_ones(np.array([row["identity"] for row in rows], np.float32), self.config.same_person)
        dropped.update([OTHER_PERSON] * int(odd.sum()))
        return [row for row, other in zip(rows, odd, strict=True) if not other]

    def _row(self, seen: Observation, face: Face, crop: Crop) -> dict[str, Any] | str:
        """The row of a frame, or why it is dropped."""
        from sfumato.media.identity import embed_image

        size, config = self.config.size, self.config
        if any(overlap(crop, other.box) > config.largest_overlap for other in seen.faces if other is not face):
            return OTHER_FACE
        try:
            found = self.landmarks.detect(seen.image, face.box)
        except NoFaceError:
            return NO_LANDMARKS  # one frame in which the landmark net sees no face spoils only itself
        points = crop.to_crop(found, size)
        shift = np.abs(points.mean(0) / size - 0.5).max()
        if shift > config.largest_shift / 2 or not (points > -0.1 * size).all():
            return OUTSIDE
        turned = turn(points)
        if turned > config.largest_turn:
            return TURNED
        sharp = sharpness(seen.image, found)  # of the footage: a small crop would hide what is sharp in it
        if sharp < config.least_sharpness:
            return BLURRED
        image = crop.apply(seen.image, size)
        done, jpeg = cv2.imencode(
            ".jpg", np.ascontiguousarray(image[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, config.quality]
        )
        if not done:
            raise MediaError("A crop could not be stored as JPEG")
        return {
            "index": seen.index,
            "time": seen.time,
            "jpeg": jpeg.tobytes(),
            "landmarks": points.reshape(-1).tolist(),
            "identity": embed_image(image, points).tolist(),
            "sharpness": sharp,
            "face_pixels": face.size,
            "turn": turned,
        }


def shard_path(first: Path, shot: int) -> Path:
    """Where shot number `shot` of a file lies; shot 0 is `first`."""
    return first.with_stem(f"{first.stem}-{shot}") if shot else first


def median_box(faces: list[Face]) -> tuple[float, float, float, float]:
    """The box of the shot: median centre, and a size that holds nine frames in ten."""
    boxes = np.array([face.box for face in faces])
    centre = np.median(boxes[:, :2] + boxes[:, 2:] / 2, axis=0)
    size = np.percentile(boxes[:, 2:], 90, axis=0)
    return (float(centre[0] - size[0] / 2), float(centre[1] - size[1] / 2), float(size[0]), float(size[1]))
