"""The embedded default: MediaPipe's face mesh (Apache-2.0) through OpenCV, its 468 points mapped to the 68 of 300-W.

Two passes: the first from the detector's box, the second from the points of the first, upright and centred, as the net
was trained. The second pass makes the result independent of the head's roll and of jitter in the box. In a video the
points of the frames before take the place of the first pass, see `MeshFollower`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.media.landmarks.mesh_net import VIEW, Net, mesh_file, quickest_net

_MARGIN = 1.5  # face box plus a quarter on each side
_PRESENCE = 15.0  # the net's logit: 22 and more on 1500 followed faces of 25 clips, 8 and less on 324 views beside them
_HASTE = 0.5  # share of the way that the square goes to where the face is now: its jitter would be the points'
_STEADY, _JUMP = (
    0.02,
    0.25,
)  # of the square's side, in a frame: a second look above one, another face or none above the other
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
            points = np.asarray(net.forward(), np.float32).reshape(468, 3)
            return points, math.nan  # this engine keeps the net's doubt to itself

        self._net = run
        self._quick: Net | None = None  # for following; loaded when that begins

    def detect(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """image: HWC uint8 RGB; box: (x, y, width, height) px. Returns (68, 2) px in the image."""
        return _of_68(two_looks(self._net, image, box)[1])

    def detect_in_depth(self, image: NDArray[np.uint8], box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same, and how deep each point lies: (68,) px away from the camera, 0 in the mean."""
        points = two_looks(self._net, image, box)[1]
        return _of_68(points), _depth_of_68(points)

    def follower(self) -> MeshFollower:
        """Follows one face from frame to frame. It shares its net with this backend's other followers: one thread for
        all.
        """
        self._quick = self._quick or quickest_net()
        return MeshFollower(self._quick)


class MeshFollower:
    """One face over frames at one look a frame: the points of the last frames say where to look, as MediaPipe does it.

    A face that is not there any more, or that jumps, is left to the detector; a face that moves far within a frame gets
    a second look. Not thread-safe.
    """

    def __init__(self, net: Net) -> None:
        self._net = net
        self._square: Square | None = None  # where to look next
        self._shrinking = 1.0  # the side of this face in a first look, over that in a second
        self.depth: NDArray[np.float32] | None = None  # (68,) px of the points given last, as `detect_in_depth` has it

    def start(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Finds the face in `box` as `MeshLandmarks.detect` does, and follows it from here. Returns (68, 2) px in the
        image.
        """
        seen, points, _ = two_looks(self._net, image, box)
        self._shrinking = seen.side / max(_square(points).side, 1.0)
        self._square = seen
        self.depth = _depth_of_68(points)
        return _of_68(points)

    def step(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """The next frame's points, (68, 2) px; None where the face is in doubt, or was never seen: `start` again."""
        square, self._square = self._square, None
        if square is None:
            return None
        points, presence = look(self._net, image, square)
        there = self._next(points)
        moved = square.to(there)
        if presence > _PRESENCE and _STEADY < moved < _JUMP:
            points, presence = look(self._net, image, there)
            square = there = self._next(points)
        if not (presence > _PRESENCE and moved < _JUMP):
            return None
        self._square = square.towards(there, _HASTE)
        self.depth = _depth_of_68(points)
        return _of_68(points)

    def _next(self, points: NDArray[Any]) -> Square:
        """The square of a first look after the points of a second: looks made from such points would shrink the face by
        2 % in the end.
        """
        square = _square(points)
        return replace(square, side=self._shrinking * square.side)


@dataclass(frozen=True)
class Square:
    """Where the net looks: centre and side in px of the image, and the degrees it is turned by."""

    x: float
    y: float
    side: float
    roll: float = 0.0

    def to(self, other: Square) -> float:
        """How far `other` lies off, or is smaller or larger, in sides of this one."""
        return max(math.hypot(other.x - self.x, other.y - self.y), abs(other.side - self.side)) / max(self.side, 1.0)

    def towards(self, other: Square, share: float) -> Square:
        """`share` of the way to `other`, the shorter way round."""
        turn = (other.roll - self.roll + 180) % 360 - 180
        x, y, side = (a + share * (b - a) for a, b in ((self.x, other.x), (self.y, other.y), (self.side, other.side)))
        return Square(x, y, side, self.roll + share * turn)


def two_looks(net: Net, image: NDArray[np.uint8], box: Box) -> tuple[Square, NDArray[Any], float]:
    """From the box, then upright and centred: the second look's square, all points (468, 3) px in the image, and the
    logit of a face.
    """
    x, y, width, height = box
    first, _ = look(net, image, Square(x + width / 2, y + height / 2, _MARGIN * max(width, height)))
    square = _square(first)
    return square, *look(net, image, square)


def look(net: Net, image: NDArray[np.uint8], square: Square) -> tuple[NDArray[Any], float]:
    """All points (468, 3) px in the image, the third away from the camera, and the logit of a face, as the net sees
    them in `square`.
    """
    turn = cv2.getRotationMatrix2D((square.x, square.y), square.roll, VIEW / max(square.side, 1.0))
    matrix: NDArray[np.float64] = np.array(turn, np.float64)
    matrix[:, 2] += VIEW / 2 - np.array([square.x, square.y])
    view = np.asarray(cv2.warpAffine(image, matrix, (VIEW, VIEW), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    points, presence = net(view)
    flat = points[:, :2] @ (inverse := cv2.invertAffineTransform(matrix))[:, :2].T + inverse[:, 2]
    return np.column_stack([flat, points[:, 2] * (max(square.side, 1.0) / VIEW)]), presence  # depth is scaled alike


def _of_68(points: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(points[MESH_TO_68, :2], np.float32)


def _depth_of_68(points: NDArray[Any]) -> NDArray[np.float32]:
    depth = points[MESH_TO_68, 2]
    return np.asarray(depth - depth.mean(), np.float32)


def _square(points: NDArray[Any]) -> Square:
    """The square for these 468 points, upright and centred."""
    points = points[:, :2]
    right, left = points[[33, 133]].mean(0), points[[263, 362]].mean(0)
    roll = float(np.degrees(np.arctan2(*(left - right)[::-1])))
    low, high = points.min(0), points.max(0)
    x, y = (low + high) / 2
    return Square(float(x), float(y), _MARGIN * float((high - low).max()), roll)
