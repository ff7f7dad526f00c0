"""Motion: a landmark track without a face, from a video or a `.motion` file.

A `.motion` file is safetensors: landmarks (F, 68, 2) in [-1, 1] of the crop and times (F,) in seconds. They lie on a
canonical face, not on the driver's: the driver's geometry is taken out (see retarget), so a likeness is never shipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import atomic_path
from sfumato.errors import MediaError, NoFaceError, UsageError
from sfumato.media.faces import Box, Crop, Face, FaceDetector, FaceTracker, crop_around
from sfumato.media.landmarks import LandmarkBackend

FORMAT = "sfumato-motion-1"
_LONGEST = 200_000  # frames; two hours at 25 a second
_LATEST = 1e6  # seconds
Landmarks = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """landmarks: (F, 68, 2) in [-1, 1] of the driver's crop; times: (F,) seconds from the first frame; neutral: index of a calm frame."""

    landmarks: Landmarks
    times: NDArray[np.float64]
    neutral: int
    backend: str
    name: str

    def __post_init__(self) -> None:
        count = len(self.times)
        fits = self.landmarks.shape == (count, 68, 2) and self.times.shape == (count,)
        if not 0 < count <= _LONGEST or not fits or not 0 <= self.neutral < count:
            raise MediaError(f"The motion {self.name!r} is empty, too long or inconsistent", "Make it again with `sfumato motion`.")
        if not (np.abs(self.landmarks).max() < 10 and np.abs(self.times).max() < _LATEST):  # NaN is smaller than nothing
            raise MediaError(f"The motion {self.name!r} holds numbers that are no landmarks", "Make it again with `sfumato motion`.")
        if count > 1 and (np.diff(self.times) <= 0).any():
            raise MediaError(f"The times of the motion {self.name!r} do not increase", "Make it again with `sfumato motion`.")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def rate(self) -> float:
        """Frames a second, the mean."""
        return (len(self) - 1) / float(self.times[-1] - self.times[0]) if len(self) > 1 else 25.0


def shipped_motions() -> list[str]:
    """Names of the motion templates that come with the package."""
    folder = Path(str(files("generator") / "motions"))
    return sorted(path.stem for path in folder.glob("*.motion"))


def motion_path(name: str | Path) -> Path:
    """A path as given, or a shipped template by its name. Raises UsageError when it is neither."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = Path(str(files("generator") / "motions" / f"{name}.motion"))
    if str(name) in shipped_motions() and shipped.is_file():
        return shipped
    raise UsageError(f"There is no motion {name}", f"Name a video, a .motion file, or one of: {', '.join(shipped_motions())}.")


def read_motion(path: Path) -> Motion:
    """Reads a `.motion` file. Raises MediaError when it is missing, damaged or of another format."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise MediaError(f"{path} is not a motion file of this version", "Make it with `sfumato motion VIDEO -o x.motion`.")
            if file.get_slice("landmarks").get_shape()[0] > _LONGEST:
                raise MediaError(f"The motion {path} is too long", f"A motion has up to {_LONGEST} frames.")
            landmarks, times = file.get_tensor("landmarks"), file.get_tensor("times")
            facts = json.loads(header["facts"])
            return Motion(landmarks.astype(np.float32), times.astype(np.float64), int(facts["neutral"]), str(facts["backend"]), path.stem)
    except (OSError, SafetensorError, KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise MediaError(f"The motion file {path} is missing or damaged", "Make it with `sfumato motion VIDEO -o x.motion`.") from error


def write_motion(path: Path, motion: Motion) -> None:
    """Writes a `.motion` file atomically. Raises OutputError, or UsageError for another suffix."""
    from safetensors.numpy import save

    if path.suffix != ".motion":
        raise UsageError(f"{path} does not end in .motion", "Name the output something.motion.")
    facts = json.dumps({"neutral": motion.neutral, "backend": motion.backend})
    tensors: dict[str, NDArray[Any]] = {
        "landmarks": np.ascontiguousarray(motion.landmarks, np.float32), "times": np.ascontiguousarray(motion.times, np.float64)
    }  # fmt: skip
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"format": FORMAT, "facts": facts}))


def track_video(
    path: Path, landmarks: LandmarkBackend, seconds: float | None = None, largest: int = 960,
    advance: Callable[[float], None] = lambda amount: None,
) -> Motion:  # fmt: skip
    """Follows the largest face of a video. Frames without it are bridged up to half a second, and end the motion beyond that.

    Before the face appears the motion rests in its first pose. The crop is one square for the whole clip. `advance` gets 1 for
    each frame that shows the face.
    Raises NoFaceError when there is no face, MediaError for an unusable video.
    """
    points, times, boxes = list[Landmarks](), list[float](), list[Box]()
    before: list[float] = []  # frames before the face appears: the motion starts with the video, or sound would not fit it
    for time, seen in _faces(path, landmarks, seconds, largest):
        if seen is None:
            before += [time] if not times else []
            continue
        face, shape = seen
        if times and time - times[-1] > 0.5:
            break
        points.append(shape)
        times.append(time)
        boxes.append(face.box)
        advance(1)
    if not points:
        raise NoFaceError(f"No face was found in {path}", "Use a video in which one face is seen well.")
    crop = _crop(boxes)
    local = np.stack([crop.to_crop(p, 2) for p in points]) - 0.5  # pixel centres of a crop 2 px wide lie at -0.5 and 0.5: [-1, 1]
    stamps = np.asarray(before + times)
    smooth = smooth_track(np.concatenate([np.repeat(local[:1], len(before), axis=0), local]), stamps)
    return Motion(smooth, stamps, find_neutral(smooth), landmarks.name, path.stem)


def _faces(
    path: Path, landmarks: LandmarkBackend, seconds: float | None, largest: int
) -> Iterator[tuple[float, tuple[Face, Landmarks] | None]]:
    """Every frame's time, with the followed face and its landmarks, or None where it is not seen."""
    from sfumato.media.video import VideoReader

    detector, tracker, followed = FaceDetector(), FaceTracker(), None
    with VideoReader(path, max_side=largest) as video:
        for frame in video:
            if seconds is not None and frame.time > seconds:
                return
            seen = tracker.update(frame.index, detector.detect(frame.image)[:4])
            if followed is None and seen:
                followed = max(seen, key=lambda identifier: seen[identifier].size)
            if followed is not None and followed in seen:
                yield frame.time, (seen[followed], landmarks.detect(frame.image, tracker.tracks[followed].box))
            else:
                yield frame.time, None


def _crop(boxes: list[Box]) -> Crop:
    array = np.array(boxes)
    centre = np.median(array[:, :2] + array[:, 2:] / 2, axis=0)
    size = np.median(array[:, 2:], axis=0)
    return crop_around((float(centre[0] - size[0] / 2), float(centre[1] - size[1] / 2), float(size[0]), float(size[1])))


def smooth_track(track: Landmarks, times: NDArray[np.float64], strong: float = 0.05, light: float = 0.018) -> Landmarks:
    """Takes jitter out: Gaussian over time, `strong` seconds wide for jaw, brows and nose, `light` for eyes and lips, which move fast."""
    if len(track) < 3:
        return track
    if len(track) > 2000:  # (F, F) would be large for hours: in pieces that overlap by more than the band
        pieces = []
        for start in range(0, len(track), 1000):
            reach = slice(max(0, start - 20), start + 1020)
            pieces.append(smooth_track(track[reach], times[reach], strong, light)[min(start, 20) :][:1000])
        return np.concatenate(pieces)
    distance = times[:, None] - times[None]  # (F, F)
    band = np.abs(np.arange(len(times))[:, None] - np.arange(len(times))[None]) <= 12
    result = np.empty_like(track)
    for points, width in ((slice(0, 36), strong), (slice(36, 68), light)):
        weights = np.exp(-0.5 * (distance / width) ** 2) * band
        weights /= weights.sum(1, keepdims=True)
        result[:, points] = np.einsum("ft,tpc->fpc", weights, track[:, points])
    return result


def find_neutral(track: Landmarks) -> int:
    """The calmest frame: mouth closed, eyes open, the head where it mostly is."""
    height = np.linalg.norm(track[:, 8] - track[:, 27], axis=1).clip(1e-6)
    mouth = np.linalg.norm(track[:, 62] - track[:, 66], axis=1) / height
    eyes = (np.linalg.norm(track[:, 37] - track[:, 41], axis=1) + np.linalg.norm(track[:, 44] - track[:, 46], axis=1)) / height
    away = np.linalg.norm(track - np.median(track, axis=0), axis=2).mean(1) / height
    return int(np.argmin(mouth - 0.5 * np.minimum(eyes, np.median(eyes)) + away))
