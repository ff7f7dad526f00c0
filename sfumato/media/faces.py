"""Faces in images: YuNet detection, tracks over frames, and the one square crop everything else uses.

Images come in as HWC uint8 RGB; boxes are (x, y, width, height) in pixels of that image. The crop is defined once,
here, for training, animation and detection; its version goes into every checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CROP_VERSION = "square60-v1"
FACE_SHARE = 0.6  # of the crop's side that the face fills (generator.md; VoxCeleb's own crops are close to it)
DETECTION_SIDE = 640  # px of a 35 ms look; faces down to 16 px of this are found, every second one of 12 px

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Face:
    """One detected face. `points`: (5, 2) px: right eye, left eye, nose, right and left mouth corner. `score` in [0,
    1].
    """

    box: Box
    score: float
    points: Points

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return max(self.box[2], self.box[3])


def detector_file() -> Path:
    """Where YuNet lies."""
    return Path(str(files("sfumato.media") / "models" / "face_detection_yunet_2023mar_int8bq.onnx"))


class FaceDetector:
    """YuNet (MIT), run by OpenCV. Not thread-safe: give each thread its own."""

    def __init__(self, threshold: float = 0.6) -> None:
        self._net = cv2.FaceDetectorYN.create(str(detector_file()), "", (320, 320), threshold, 0.3, 5000)

    def detect(self, image: Image) -> list[Face]:
        """image: HWC uint8 RGB. Returns the faces, largest first; an empty list when there is none. Faces down to about
        a fortieth of the longer side are found; in a large still picture `face_search.find_faces` finds smaller ones.

        A face that fills the picture is missed at full view, so an empty first look is followed by one with a margin.
        """
        return self.look(image) or self.look(image, margin=0.3)

    def look(self, image: Image, *, side: int = DETECTION_SIDE, margin: float = 0.0) -> list[Face]:
        """One look at `image`, downsized to `side` if it is larger, with a margin of so much of its longer side."""
        scale = min(1.0, side / (max(image.shape[:2]) * (1 + 2 * margin)))
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
        pad = int(max(size) * margin)
        if pad:
            small = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        self._net.setInputSize((small.shape[1], small.shape[0]))
        _, rows = self._net.detect(np.ascontiguousarray(small[:, :, ::-1]))
        faces = [moved(_face(row), (-pad, -pad), (1 / scale, 1 / scale)) for row in (rows if rows is not None else ())]
        return sorted(
            (f for f in faces if _mostly_inside(f.box, image)), key=lambda f: f.box[2] * f.box[3], reverse=True
        )


def _face(row: NDArray[np.float32]) -> Face:
    x, y, width, height = (float(v) for v in row[:4])
    return Face((x, y, width, height), float(row[14]), row[4:14].reshape(5, 2))


def moved(face: Face, by: tuple[float, float], scale: tuple[float, float]) -> Face:
    """The same face in a picture in which it lies `by` further right and down, and which is `scale` times as large."""
    (x, y, width, height), (across, down) = face.box, scale
    points = (face.points + np.array(by)) * np.array(scale)
    box = ((x + by[0]) * across, (y + by[1]) * down, width * across, height * down)
    return Face(box, face.score, points.astype(np.float32))


def _mostly_inside(box: Box, image: Image) -> bool:
    x, y, width, height = box
    shown = max(0.0, min(x + width, image.shape[1]) - max(x, 0)) * max(0.0, min(y + height, image.shape[0]) - max(y, 0))
    return width > 0 and height > 0 and shown > 0.5 * width * height


@dataclass
class Track:
    """One person over frames: the smoothed box of each frame in which the face was seen."""

    identifier: int
    frames: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    @property
    def box(self) -> Box:
        return self.boxes[-1]


class FaceTracker:
    """Links detections over frames by overlap, several people at once, and smooths their boxes.

    `smoothing` in [0, 1) is the share of the previous box kept at each frame; `patience` is how many frames a face may
    be missing before a new appearance is a new track.
    """

    def __init__(self, smoothing: float = 0.6, patience: int = 12, overlap: float = 0.3) -> None:
        self.tracks: list[Track] = []
        self._smoothing, self._patience, self._overlap = smoothing, patience, overlap

    def update(self, index: int, faces: list[Face]) -> dict[int, Face]:
        """Adds the faces of frame `index`. Returns {track identifier: face} of this frame."""
        live = [track for track in self.tracks if index - track.frames[-1] <= self._patience]
        pairs = sorted(
            ((intersection_over_union(t.box, f.box), t, i) for t in live for i, f in enumerate(faces)),
            key=lambda p: -p[0],
        )
        assigned: dict[int, Face] = {}
        taken: set[int] = set()
        for overlap, track, i in pairs:
            if overlap < self._overlap or track.identifier in assigned or i in taken:
                continue
            keep = self._smoothing if track.frames[-1] == index - 1 else 0.0
            smooth = tuple(keep * old + (1 - keep) * new for old, new in zip(track.box, faces[i].box, strict=True))
            track.frames.append(index)
            track.boxes.append((smooth[0], smooth[1], smooth[2], smooth[3]))
            assigned[track.identifier] = faces[i]
            taken.add(i)
        for i, face in enumerate(faces):
            if i not in taken:
                track = Track(len(self.tracks), [index], [face.box])
                self.tracks.append(track)
                assigned[track.identifier] = face
        return assigned


def intersection_over_union(a: Box, b: Box) -> float:
    """Overlap of two boxes in [0, 1]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def face_box(points: NDArray[Any]) -> Box:
    """A face detector's box from landmarks (68, 2) px: they end at the brows, its box includes half the forehead."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    brow = 0.25 * float(bottom - top)
    return float(left), float(top) - brow, float(right - left), float(bottom - top) + brow


@dataclass(frozen=True)
class Crop:
    """A square of the image: its left and top edge and its side, in pixels; it may reach over the image's border."""

    left: float
    top: float
    side: float

    def apply(self, image: Image, size: int) -> Image:
        """Cuts the square out and resizes it to (size, size, 3). What lies outside the image is mirrored, never
        black.
        """
        scale = size / self.side
        if scale < 0.5:  # warpAffine samples points: shrink by area first, or fine texture turns into noise
            shape = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
            smaller = np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.uint8)
            across, down = shape[0] / image.shape[1], shape[1] / image.shape[0]  # they differ by the rounding
            return _cut(
                smaller,
                self.left * across,
                self.top * down,
                size / (self.side * across),
                size / (self.side * down),
                size,
            )
        return _cut(image, self.left, self.top, scale, scale, size)

    def to_crop(self, points: NDArray[Any], size: int) -> Points:
        """Image pixels to pixels of the crop at `size`, centre to centre, as `apply` moves the picture. points: (...,
        2).
        """
        places = np.asarray(points, np.float64) + 0.5 - np.array([self.left, self.top])  # from the square's corner
        return np.asarray(places * (size / self.side) - 0.5, np.float32)

    def from_crop(self, points: NDArray[Any], size: int) -> Points:
        """The inverse of `to_crop`."""
        places = (np.asarray(points, np.float64) + 0.5) * (self.side / size)  # from the square's corner
        return np.asarray(places + np.array([self.left, self.top]) - 0.5, np.float32)


def _cut(image: Image, left: float, top: float, across: float, down: float, size: int) -> Image:
    """(size, size, 3) of `image` from (`left`, `top`), scaled by `across` and `down`; pixel centres, not corners, are
    mapped.
    """
    matrix = np.array([[across, 0, (0.5 - left) * across - 0.5], [0, down, (0.5 - top) * down - 0.5]], np.float64)
    cut = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(cut, np.uint8)


def crop_around(box: Box, image_size: tuple[int, int] | None = None) -> Crop:
    """The square in which the face of `box` fills 60 %, a little lower than centred so that hair stays in view.

    With `image_size` (width, height) the square is pushed back into the image by up to a tenth of its side.
    """
    x, y, width, height = box
    side = max(width, height) / FACE_SHARE
    left, top = x + width / 2 - side / 2, y + height / 2 - 0.52 * side
    if image_size is not None:
        left, top = _push_inside(left, side, image_size[0]), _push_inside(top, side, image_size[1])
    return Crop(left, top, side)


def _push_inside(start: float, side: float, extent: int) -> float:
    slack = side / 10
    if start < 0:
        return min(start + slack, 0.0)
    if start + side > extent:
        return max(start - slack, extent - side) if side <= extent else start
    return start
