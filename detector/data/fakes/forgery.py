"""What every maker of fakes gives back: a real picture, the fake made from it, and where they differ.

The face's mask and the softening of its edge, which the makers share, are in self_blend.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float32]


@dataclass(frozen=True)
class Forgery:
    """`real` and `fake`: HWC uint8 RGB, equal wherever `mask` (HW float32 in [0, 1]) is 0."""

    real: Image
    fake: Image
    mask: NDArray[np.float32]


def paste(real: Image, over: Image, mask: NDArray[np.float32]) -> Forgery:
    """`over` laid on `real`, both HWC uint8 of one size, as far as `mask` says."""
    weight = mask[:, :, None]  # (H, W, 1)
    mixed = np.rint(over * weight + real * (1 - weight))
    return Forgery(real, np.where(weight > 0, np.clip(mixed, 0, 255), real).astype(np.uint8), mask)
