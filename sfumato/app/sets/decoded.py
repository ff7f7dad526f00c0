"""What a video shows, whatever its bytes: a digest of its decoded frames. In: frames, HWC uint8 RGB. Out: 64 hex
digits.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


class DecodedFrames:
    """For who reads the frames anyway."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, image: NDArray[np.uint8]) -> None:
        """image: the next frame, (H, W, 3) uint8 RGB."""
        self._sha256.update(repr(image.shape).encode() + image.tobytes())

    def digest(self) -> str:
        """sha256 of the frames so far, with their number and size; 64 hex digits."""
        return self._sha256.hexdigest()
