"""Real frames to forge: a square around the face with a rim, at the size of the fake, as a still picture or frame by
frame.

In: a real clip. Out: `Footage`: what the twin shows, and what the fake is made from. A photograph becomes a short film
too: the view drifts over it as a hand-held camera does, or follows given landmarks, smoothly and by parts of a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.fakes.forgery import Image, Points
from sfumato.errors import NoFaceError
from sfumato.media.face_search import find_faces
from sfumato.media.faces import Crop, FaceDetector, crop_around
from sfumato.media.landmarks import LandmarkBackend

RIM = 0.25  # of the inner square's side, on each side: where the view may wander
FEWEST = 3  # frames of a fake
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Footage:
    """pictures: (C, C, 3), one of a photograph, else one a frame; points: (68, 2) px in each; inner: px, the square
    inside the rim.

    crop: that inner square in the clip's own pixels.
    """

    pictures: list[Image]
    points: list[Points]
    inner: int
    crop: Crop
    still: bool

    @property
    def rim(self) -> int:
        return (len(self.pictures[0]) - self.inner) // 2

    def inside(self, index: int = 0) -> Points:
        """The landmarks of a picture in the inner square, (68, 2) in [-1, 1]."""
        return np.asarray((2 * (self.points[index] - self.rim) + 1) / self.inner - 1, np.float32)


def read_footage(
    path: Path, inner: int, frames: int, stride: int, detector: FaceDetector, landmarks: LandmarkBackend,
    place: float = 0.0, start: float | None = None,
) -> Footage:  # fmt: skip
    """`inner`: px. Of a video at most `frames` frames, `stride` apart, from `start` seconds, or from `place` (0 to 1)
    of where they fit.

    The square is that of the first frame's largest face. Raises MediaError; NoFaceError when a frame shows no face or
    frames are few.
    """
    from sfumato.execution.find_files import is_picture
    from sfumato.media.images import read_image

    still = is_picture(path)
    pictures, points = list[Image](), list[Points]()
    crop: Crop | None = None
    rim = round(RIM * inner)
    for image in [read_image(path)] if still else _frames(path, frames, stride, place, start):
        faces = find_faces(image, detector) if still else detector.detect(image)
        if not faces:
            break
        crop = crop or crop_around(faces[0].box, (image.shape[1], image.shape[0]))
        margin = crop.side * rim / inner
        wide = Crop(crop.left - margin, crop.top - margin, crop.side + 2 * margin)
        pictures.append(wide.apply(image, inner + 2 * rim))
        points.append(wide.to_crop(landmarks.detect(image, faces[0].box), inner + 2 * rim))
    if crop is None or (not still and len(pictures) < FEWEST):
        raise NoFaceError(f"{path} shows no face for long enough")
    return Footage(pictures, points, inner, crop, still)


def views(footage: Footage, count: int, size: int, rng: np.random.Generator) -> list[Matrix]:
    """`count` (2, 3) maps from a picture's pixels to the frame's: a drifting one over a photograph, a resting one over
    a video.
    """
    if not footage.still:
        return [_view(footage, size)] * len(footage.pictures)
    time = np.linspace(0, 1, count)
    speed, phase, reach = rng.uniform(0.3, 1.0, 3), rng.uniform(0, 1, 3), rng.uniform(0.2, 1.0, 3) * (0.04, 0.04, 0.03)
    waves = (
        np.sin(2 * np.pi * (speed[:, None] * time + phase[:, None])) * reach[:, None]
    )  # (3, count): across, down, zoom
    return [_view(footage, size, across, down, 1 + zoom) for across, down, zoom in waves.T]


def following_views(footage: Footage, moved: Sequence[Points], fixed: Sequence[int]) -> list[Matrix]:
    """Views of a photograph that move it as `moved`, landmarks (68, 2) in [-1, 1] a frame, move its rigid points
    `fixed`; inner size.
    """
    from sfumato.media.identity import similarity

    index = list(fixed)
    own = footage.points[0][index]
    return [similarity(own, (((points + 1) * footage.inner - 1) / 2)[index]) for points in moved]


def shoot(pictures: Sequence[Image], chosen: Sequence[Matrix], size: int) -> list[Image]:
    """The frames (size, size, 3): each view of its picture, or all of the only one."""
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101
    shown = pictures if len(pictures) == len(chosen) else [pictures[0]] * len(chosen)
    return [
        np.asarray(cv2.warpAffine(picture, view, (size, size), flags=flags, borderMode=border), np.uint8)
        for picture, view in zip(shown, chosen, strict=True)
    ]


def _view(footage: Footage, size: int, across: float = 0.0, down: float = 0.0, zoom: float = 1.0) -> Matrix:
    """The inner square, shifted by shares of its side and enlarged around its middle."""
    scale = zoom * size / footage.inner
    middle = footage.pictures[0].shape[0] / 2
    return np.array(
        [[scale, 0, size / 2 - 0.5 - scale * (middle - 0.5 + across * footage.inner)],
         [0, scale, size / 2 - 0.5 - scale * (middle - 0.5 + down * footage.inner)]]
    )  # fmt: skip


def _frames(path: Path, count: int, stride: int, place: float, start: float | None) -> Iterator[Image]:
    from sfumato.media.video import VideoReader

    with VideoReader(path, max_side=1280) as video:
        span = (count - 1) * stride + 1
        total = min(
            video.info.declared_frames or span, span + 150
        )  # six seconds on: further in, decoding takes longer than forging
        first = None if start is not None else round(place * max(total - span, 0))
        for frame in video:
            if first is None and start is not None and frame.time >= start - 1e-6:
                first = frame.index
            if first is None or frame.index < first:
                continue
            if (frame.index - first) % stride == 0:
                yield frame.image
            if frame.index >= first + span - 1:
                return
