"""Eyes read closely: a picture and its 68 landmarks in; how far each eye is open, and where its iris is, out.

MediaPipe's iris model (Ablavatski et al., Real-time Pupil Tracking from Monocular Video, 2020; Apache-2.0) looks at one
eye, upright and mirrored where it is the one to the right in the picture: 16 points along its lids, and its iris. The
face mesh, which sees the whole face in 192 px, hardly notices a closed eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.media.landmarks.tflite_net import Run, in_opencv, in_openvino, model_file, openvino_installed

CORNERS = ((36, 39), (42, 45))  # of the 68, the left one in the picture first
_VIEW = 64  # px, the net's input
_WIDE = 2.3  # the view's side in eye widths, as the net was trained
_OUTPUTS = ("output_eyes_contours_and_brows", "output_iris")
_UPPER, _LOWER = slice(9, 16), slice(1, 8)  # of the contour; 0 and 8 are its corners
Points = NDArray[np.float32]
Net = Callable[[NDArray[np.uint8]], tuple[Points, Points]]


@dataclass(frozen=True)
class Eye:
    """upper, lower: (9, 2) px, the lids from the corner that is left in an upright picture to the other; iris: (2,) px,
    its centre; radius: px.
    """

    upper: Points
    lower: Points
    iris: Points
    radius: float

    @property
    def width(self) -> float:
        """From corner to corner, in px."""
        return float(np.linalg.norm(self.upper[-1] - self.upper[0]))

    @property
    def opening(self) -> float:
        """How far apart the lids are where they are farthest, in the eye's widths."""
        (_, upper), (_, lower) = self.place(self.upper).T, self.place(self.lower).T
        return float(np.sort(lower - upper)[-5:].mean())

    @property
    def gaze(self) -> Points:
        """(2,) where the iris lies: see `place`."""
        iris: Points = self.place(self.iris[None])[0]
        return iris

    def place(self, points: NDArray[Any]) -> Points:
        """(N, 2) px to the eye's own axes: from the middle of its corners, x towards the right corner and y down, in
        the eye's widths.
        """
        left, right = self.upper[0], self.upper[-1]
        return in_axes(points, left, right)


def in_axes(points: NDArray[Any], left: NDArray[Any], right: NDArray[Any]) -> Points:
    """points (N, 2) in the axes of an eye whose corners are `left` and `right`, (2,) each: see `Eye.place`."""
    along = np.asarray(right, np.float64) - left
    length = max(float(along @ along), 1e-12)
    away = np.asarray(points, np.float64) - (np.asarray(left, np.float64) + right) / 2
    across = np.array([-along[1], along[0]])
    return np.stack([away @ along, away @ across], axis=-1).astype(np.float32) / np.float32(length)


class EyeReader:
    """Not thread-safe: give each thread its own."""

    def __init__(self) -> None:
        self._net = quickest_net()

    def read(self, image: NDArray[np.uint8], landmarks: NDArray[Any]) -> tuple[Eye, Eye]:
        """image: HWC uint8 RGB; landmarks: (68, 2) px. Returns the eye of points 36 to 41, and that of 42 to 47."""
        points = np.asarray(landmarks, np.float64)
        left, right = (points[list(corners)] for corners in CORNERS)
        return self._look(image, left, mirror=False), self._look(image, right, mirror=True)

    def _look(self, image: NDArray[np.uint8], corners: NDArray[np.float64], mirror: bool) -> Eye:
        along = corners[1] - corners[0]
        fine = max(1, int(_WIDE * float(np.hypot(*along)) / _VIEW))  # a large eye is looked at closely, then shrunk
        side = fine * _VIEW
        scale = side / max(_WIDE * float(np.hypot(*along)), 1.0)
        roll = float(np.arctan2(along[1], along[0]))
        cos, sin = scale * np.cos(roll), scale * np.sin(roll)
        flip = -1.0 if mirror else 1.0
        matrix = np.array([[flip * cos, flip * sin, 0.0], [-sin, cos, 0.0]])
        matrix[:, 2] = (side - 1) / 2 - matrix[:, :2] @ corners.mean(0)
        view = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        view = cv2.resize(view, (_VIEW, _VIEW), interpolation=cv2.INTER_AREA) if fine > 1 else view
        back = cv2.invertAffineTransform(matrix)
        contour, iris = (
            (fine * points + (fine - 1) / 2) @ back[:, :2].T + back[:, 2]
            for points in self._net(np.asarray(view, np.uint8))
        )
        lower, upper = contour[:9], np.concatenate([contour[:1], contour[9:16], contour[8:9]])
        if mirror:
            lower, upper = lower[::-1], upper[::-1]
        radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        return Eye(upper.astype(np.float32), lower.astype(np.float32), iris[0].astype(np.float32), radius)


def quickest_net() -> Net:
    """The net in OpenVINO where it is installed, or in OpenCV: (64, 64, 3) uint8 RGB to the lids (16, 2) and the iris
    (5, 2), in px. One thread's own.
    """
    return openvino_net() if openvino_installed() else opencv_net()


def iris_file() -> str:
    """Where the net lies."""
    return model_file("iris_landmark.tflite")


def opencv_net() -> Net:
    """The net in OpenCV."""
    return _read(in_opencv(iris_file(), _OUTPUTS))


def openvino_net() -> Net:
    """The net in OpenVINO, on one thread."""
    return _read(in_openvino(iris_file(), _OUTPUTS))


def _read(run: Run) -> Net:
    def net(view: NDArray[np.uint8]) -> tuple[Points, Points]:
        lids, iris = run(view)
        return _points(lids)[:16], _points(iris)

    return net


def _points(flat: Any) -> Points:
    """The (x, y) of points that the net gives with their depth."""
    return np.array(flat, np.float32).reshape(-1, 3)[:, :2]
