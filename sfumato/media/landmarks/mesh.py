"""The embedded default: MediaPipe's face mesh (Apache-2.0) through OpenCV, its 468 points mapped to the 68 of 300-W.

Two passes: the first from the detector's box, the second from the points of the first, upright and centred, as the net
was trained. The second pass makes the result independent of the head's roll and of jitter in the box.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.media.landmarks.mesh_net import VIEW, Net, mesh_file, quickest_net

_MARGIN = 1.5  # face box plus a quarter on each side
_PRESENCE = 15.0  # the net's logit: 22 and more on 1500 followed faces of 25 clips, 8 and less on 324 views beside them
_STEADY, _JUMP = 0.02, 0.25  # of the square's side, in a frame: a second look above one, another face or none above the other
Box = tuple[float, float, float, float]
_JAW = [127, 234, 93, 132, 58, 172, 136, 150, 152, 379, 365, 397, 288, 361, 323, 454, 356]
_BROWS = [70, 63, 105, 66, 107, 336, 296, 334, 293, 300]
_NOSE = [168, 6, 195, 4, 98, 97, 2, 326, 327]
_EYES = [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380]
_LIPS = [61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87]
MESH_TO_68 = np.array(_JAW + _BROWS + _NOSE + _EYES + _LIPS)


class MeshLandmarks:
    """See the module. Not thread-safe: give each thread its own."""

    name = "mesh"

    def __init__(self) -> None:
        net = cv2.dnn.readNetFromTFLite(mesh_file())

        def run(view: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
            net.setInput(cv2.dnn.blobFromImage(view, 1 / 255))
            return net.forward().reshape(468, 3)[:, :2], math.nan  # this engine keeps the net's doubt to itself

        self._net = run

    def detect(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """image: HWC uint8 RGB; box: (x, y, width, height) px. Returns (68, 2) px in the image."""
        return two_looks(self._net, image, box)[0][MESH_TO_68].astype(np.float32)

    def follower(self) -> MeshFollower:
        """Follows one face from frame to frame."""
        return MeshFollower()


class MeshFollower:
    """One face over frames at one look a frame: the points of the last frame say where to look, as MediaPipe does it.

    A face that is not there any more, or that jumps, is left to the detector; a face that moves far within a frame gets a second
    look. Not thread-safe.
    """

    def __init__(self) -> None:
        self._net = quickest_net()
        self._last: NDArray[Any] | None = None

    def start(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Finds the face in `box` as `MeshLandmarks.detect` does, and follows it from here. Returns (68, 2) px in the image."""
        self._last, _ = two_looks(self._net, image, box)
        return self._last[MESH_TO_68].astype(np.float32)

    def step(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """The next frame's points, (68, 2) px; None where the face is in doubt, or was never seen: `start` again."""
        last, self._last = self._last, None
        if last is None:
            return None
        points, presence = look(self._net, image, *_square(last))
        moved = _moved(last, points)
        if presence > _PRESENCE and _STEADY < moved < _JUMP:
            points, presence = look(self._net, image, *_square(points))
        if not (presence > _PRESENCE and moved < _JUMP):
            return None
        self._last = points
        return points[MESH_TO_68].astype(np.float32)


def two_looks(net: Net, image: NDArray[np.uint8], box: Box) -> tuple[NDArray[Any], float]:
    """All points (468, 2) px in the image, and the logit of a face: from the box, then upright and centred."""
    x, y, width, height = box
    first, _ = look(net, image, (x + width / 2, y + height / 2), _MARGIN * max(width, height), 0.0)
    return look(net, image, *_square(first))


def look(
    net: Net, image: NDArray[np.uint8], centre: tuple[float, float], side: float, roll: float
) -> tuple[NDArray[Any], float]:
    """All points (468, 2) px in the image, and the logit of a face, seen in a square of `side` px turned by `roll` degrees."""
    turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), roll, VIEW / max(side, 1.0))
    matrix: NDArray[np.float64] = np.array(turn, np.float64)
    matrix[:, 2] += VIEW / 2 - np.asarray(centre)
    view = np.asarray(cv2.warpAffine(image, matrix, (VIEW, VIEW), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    points, presence = net(view)
    return points @ (inverse := cv2.invertAffineTransform(matrix))[:, :2].T + inverse[:, 2], presence


def _square(points: NDArray[Any]) -> tuple[tuple[float, float], float, float]:
    """Centre, side and roll (degrees) of the square in which the net is to see these 468 points: upright and centred."""
    right, left = points[[33, 133]].mean(0), points[[263, 362]].mean(0)
    roll = float(np.degrees(np.arctan2(*(left - right)[::-1])))
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    return (float(middle[0]), float(middle[1])), _MARGIN * float((high - low).max()), roll


def _moved(before: NDArray[Any], after: NDArray[Any]) -> float:
    """How far the square went, or grew, in its own sides."""
    (x, y), side, _ = _square(before)
    (u, v), grown, _ = _square(after)
    return max(math.hypot(u - x, v - y), abs(grown - side)) / max(side, 1.0)
