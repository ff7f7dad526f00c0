"""The painter of mouths, fast: `WarpGenerator.open_mouth` in its order, for one person, in OpenCV and a compiled
network.

In: a composed frame and its landmarks. Out: the same frame, painted inside the open lips. A frame whose lips are shut
costs nothing.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from generator.compiler.backends import Backend, load_backend
from generator.compiler.folding import fold
from generator.motion.track import Landmarks
from generator.networks.mouth import CHANNELS, SIDE, MouthPainter, is_shut, lip_masks, overdone, square_axes
from generator.rendering.blocks import block_order, fold_picture, unfold

Array = NDArray[np.float32]


class Mouth:
    """psi: (1, c), the painter's part of the person's."""

    def __init__(self, painter: MouthPainter, psi: Tensor, backend: str, threads: int = 1) -> None:
        self._stem = painter.network.stem
        read = block_order(np.arange(CHANNELS * self._stem**2), self._stem, [list(range(CHANNELS))])
        written = block_order(np.arange(3 * self._stem**2), self._stem, [[0, 1, 2]])
        plan = fold(
            painter.network, psi, SIDE // self._stem, lambda w: w[:, read], lambda w, b: (w[written], b[written])
        )
        self._network: Backend = load_backend(backend, plan, threads)
        self.products = plan.products

    def paint(self, picture: Array, points: Landmarks, much: float = 1.0) -> None:
        """picture: (H, H, 3) in [-1, 1], changed in place; points: (68, 2) in [-1, 1]; much: of the paint, 0 to 1."""
        if not much or is_shut(points):
            return
        lips = lip_masks(points)
        lips[2] *= np.float32(much)
        if not lips[2].any():
            return
        size = len(picture)
        there = _square_to_picture(points, size)
        inside: Any = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        square = cv2.warpAffine(picture, there, (SIDE, SIDE), flags=inside, borderMode=cv2.BORDER_REPLICATE)
        guide = np.empty((SIDE // self._stem,) * 2 + (CHANNELS * self._stem**2,), np.float32)
        whole = np.concatenate([square, 2 * lips[:2].transpose(1, 2, 0) - 1], axis=2)
        fold_picture(np.ascontiguousarray(whole, np.float32), self._stem, guide)
        paint = unfold(self._network(guide), self._stem)
        seen = np.asarray(square, np.float32)
        layer = np.dstack([overdone(np.tanh(paint, out=paint), seen, lips[0, :, :, None]), lips[2]])  # (64, 64, 4)
        corners = np.array([[-1, -1, 1], [SIDE, -1, 1], [-1, SIDE, 1], [SIDE, SIDE, 1]], np.float64) @ there.T
        left, top = np.clip(np.floor(corners.min(0)), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(0)) + 1, 0, size).astype(int)
        if right <= left or bottom <= top:
            return
        place = there.copy()
        place[:, 2] -= left, top
        flat: Any = cv2.INTER_LINEAR
        laid = np.asarray(cv2.warpAffine(layer, place, (right - left, bottom - top), flags=flat), np.float32)
        part = picture[top:bottom, left:right]
        share: Any = cv2.extractChannel(laid, 3)
        part += cv2.merge([share] * 3) * (cv2.cvtColor(laid, cv2.COLOR_RGBA2RGB) - part)


def _square_to_picture(points: Landmarks, size: int) -> NDArray[np.float64]:
    """(2, 3): pixels of the square to pixels of a picture of `size`."""
    centre, (half, down) = (part.astype(np.float64) for part in square_axes(points))
    axes = np.stack([half, down], axis=1) * size / SIDE  # a pixel of the square, in px
    middle = ((centre + 1) * size - 1) / 2
    return np.hstack([axes, (middle - axes @ np.full(2, (SIDE - 1) / 2))[:, None]])
