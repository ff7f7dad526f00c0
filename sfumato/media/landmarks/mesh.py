"""The embedded default: MediaPipe's face mesh (Apache-2.0) through OpenCV, its 468 points mapped to the 68 of 300-W.

Two passes: the first from the detector's box, the second from the points of the first, upright and centred, as the net
was trained. The second pass makes the result independent of the head's roll and of jitter in the box.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_INPUT = 192
_MARGIN = 1.5  # face box plus a quarter on each side
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
        self._net = cv2.dnn.readNetFromTFLite(str(files("sfumato.media") / "models" / "face_landmark.tflite"))

    def detect(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
        """image: HWC uint8 RGB; box: (x, y, width, height) px. Returns (68, 2) px in the image."""
        x, y, width, height = box
        first = self._mesh(image, (x + width / 2, y + height / 2), _MARGIN * max(width, height), 0.0)
        right, left = first[[33, 133]].mean(0), first[[263, 362]].mean(0)
        roll = float(np.degrees(np.arctan2(*(left - right)[::-1])))
        low, high = first.min(0), first.max(0)
        second = self._mesh(image, tuple((low + high) / 2), _MARGIN * float((high - low).max()), roll)
        points: NDArray[np.float32] = second[MESH_TO_68].astype(np.float32)
        return points

    def _mesh(self, image: NDArray[np.uint8], centre: tuple[float, ...], side: float, roll: float) -> NDArray[Any]:
        """All 468 points (468, 2) px in the image, seen in a square of `side` px turned by `roll` degrees."""
        turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), roll, _INPUT / max(side, 1.0))
        matrix: NDArray[np.float64] = np.array(turn, np.float64)
        matrix[:, 2] += _INPUT / 2 - np.asarray(centre)
        view = cv2.warpAffine(image, matrix, (_INPUT, _INPUT), borderMode=cv2.BORDER_REPLICATE)
        self._net.setInput(cv2.dnn.blobFromImage(view, 1 / 255))
        points = self._net.forward().reshape(468, 3)[:, :2]
        return points @ (inverse := cv2.invertAffineTransform(matrix))[:, :2].T + inverse[:, 2]
