"""The landmark sketch y(t): 68 points drawn as coloured lines on black (generator.md; colours after the authors'
code).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_RED, _GREEN, _BLUE, _MAGENTA, _CYAN, _YELLOW, _WHITE = (
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255), (0, 255, 255), (255, 255, 0), (255, 255, 255)
)  # fmt: skip
# first point, last point, colour, closed
PARTS = (
    (0, 16, _WHITE, False), (17, 21, _RED, False), (22, 26, _GREEN, False), (27, 30, _BLUE, False),
    (31, 35, _BLUE, False),
    (36, 41, _MAGENTA, True), (42, 47, _CYAN, True), (48, 59, _YELLOW, True), (60, 67, _YELLOW, True),
)  # fmt: skip
_FRACTION_BITS = 4  # polylines takes sub-pixel points as fixed-point integers


def draw_sketch(points: NDArray[Any], size: int) -> NDArray[np.uint8]:
    """points: (68, 2) px in a square of `size`. Returns (size, size, 3) uint8 RGB; lines are 2 px wide at 256."""
    sketch = np.zeros((size, size, 3), np.uint8)
    thickness = max(1, round(2 * size / 256))
    fixed = np.round(np.nan_to_num(np.asarray(points)).clip(-4 * size, 5 * size) * 2**_FRACTION_BITS).astype(np.int32)
    for first, last, colour, closed in PARTS:
        cv2.polylines(sketch, [fixed[first : last + 1]], closed, colour, thickness, cv2.LINE_AA, _FRACTION_BITS)
    return sketch
