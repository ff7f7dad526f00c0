"""What moves in a video though nothing should: a face that flickers, a background that is not at rest. Frames one by
one in, one number out.

Flicker: every face is moved onto the canonical face (96 px) by the similarity of its nose, eye corners and ears; then
the mean over the face and over all three consecutive frames of |f(t - 1) - 2 f(t) + f(t + 1)|, of grey in 0 to 255. A
video's own noise and the true motion of lips and lids are in it, so it only means something over that of the video that
drove it. Background: outside of the person, the standard deviation of each pixel over time, the mean over pixels, of
grey in 0 to 255. Outside is above the chin and beyond an ellipse around the face: half of it is 1.1 face widths across
and 1.2 face heights up, hair included; shoulders lie below the chin.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.motion.head import RIGID
from generator.motion.retarget import canonical_face
from sfumato.media.identity import similarity

_SIDE = 96  # px of the registered face
_ACROSS, _UP = 1.1, 1.2
_LEAST = 0.02  # of the picture: less background than that is none
Image = NDArray[np.uint8]


class Flicker:
    """Of the frames added to it, which are consecutive."""

    def __init__(self) -> None:
        self._last: list[NDArray[np.float32]] = []
        self._sum, self._count = 0.0, 0

    def add(self, image: Image, landmarks: NDArray[Any]) -> None:
        """image: (H, W, 3) RGB; landmarks: (68, 2) px in it."""
        matrix = similarity(np.asarray(landmarks)[RIGID], _template()[RIGID])
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        if shrink < 0.5:  # against aliasing, which would flicker by itself
            grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.4 / shrink), np.float32)
        face = np.asarray(cv2.warpAffine(grey, matrix, (_SIDE, _SIDE), borderMode=cv2.BORDER_REFLECT_101), np.float32)
        self._last = [*self._last[-2:], face]
        if len(self._last) == 3:
            before, now, after = self._last
            self._sum += float(np.abs(before - 2 * now + after)[_face()].mean())
            self._count += 1

    def interrupt(self) -> None:
        """A frame is missing here."""
        self._last = []

    @property
    def value(self) -> float | None:
        """Levels; None without three consecutive frames."""
        return self._sum / self._count if self._count else None


class Background:
    """Of the frames added to it, all of one size. landmarks: (68, 2) px, where the face rests."""

    def __init__(self, landmarks: NDArray[Any], size: int) -> None:
        self._outside = outside(landmarks, size)
        self._count = 0
        self._mean = np.zeros(int(self._outside.sum()))
        self._squares = np.zeros_like(self._mean)

    def add(self, image: Image) -> None:
        """image: (size, size, 3) RGB."""
        levels = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[self._outside].astype(np.float64)
        self._count += 1  # Welford's sums: they do not lose small deviations
        off = levels - self._mean
        self._mean += off / self._count
        self._squares += off * (levels - self._mean)

    @property
    def value(self) -> float | None:
        """Levels; None where there is no background, or only one frame."""
        if self._count < 2 or self._mean.size < _LEAST * self._outside.size:
            return None
        return float(np.sqrt(self._squares / self._count).mean())


def outside(landmarks: NDArray[Any], size: int) -> NDArray[np.bool_]:
    """landmarks: (68, 2) px. Returns (size, size): where the person is not."""
    low, high = landmarks.min(0), landmarks.max(0)
    (x, y), (width, height) = (low + high) / 2, high - low
    rows, columns = np.mgrid[0:size, 0:size]
    far = ((columns - x) / (_ACROSS * width)) ** 2 + ((rows - y) / (_UP * height)) ** 2 > 1
    return np.asarray(far & (rows < high[1]))


@cache
def _template() -> NDArray[np.float64]:
    """(68, 2) px of the registered face: the canonical face, a little larger than in a crop."""
    return np.asarray(((canonical_face() * 1.3 + 1) * _SIDE - 1) / 2, np.float64)


@cache
def _face() -> NDArray[np.bool_]:
    """(96, 96): what is face in the registered picture."""
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(_template()).astype(np.int32)), 1)
    return mask.astype(np.bool_)
