"""The region around the lips, where a talking face is looked at. A picture and landmarks in; the region, and what is
seen between the lips out.

The region is a square around the middle of the 20 lip points of the frame that was wanted, half as wide again as they
are, resized to 96 px; the same square is cut out of the picture that was made, so that a mouth in a wrong place counts
as wrong. Teeth show where a tenth of what lies between open lips or more is both bright and pale: at least .55 of the
brightness of the skin beside the nose, and at most .75 of its saturation; tongue and gums are as red as the skin or
redder, a dark mouth is dark.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.following import OPEN, mouth_opening
from sfumato.media.faces import Crop

SIDE = 96  # px
_AROUND = 1.5  # times the width of the lips
_BRIGHT, _PALE, _SHARE = 0.55, 0.75, 0.1
_INNER = list(range(60, 68))
_SKIN = (31, 48, 3), (35, 54, 13)  # nostril, mouth corner, jaw: a triangle of cheek on each side
Image = NDArray[np.uint8]


def lip_crop(landmarks: NDArray[Any]) -> Crop:
    """landmarks: (68, 2) px. The square around the lips."""
    low, high = landmarks[48:68].min(0), landmarks[48:68].max(0)
    side = max(_AROUND * float(np.linalg.norm(landmarks[54] - landmarks[48])), _AROUND * float((high - low).max()), 2.0)
    left, top = (low + high + 1) / 2 - side / 2
    return Crop(float(left), float(top), side)


def lip_region(image: Image, landmarks: NDArray[Any]) -> Image:
    """image: (H, W, 3); landmarks: (68, 2) px of the frame that was wanted. Returns (96, 96, 3)."""
    return lip_crop(landmarks).apply(image, SIDE)


def lips_open(landmarks: NDArray[Any]) -> bool:
    """landmarks: (68, 2) in any unit. Whether the inner lips are apart by .05 of the face's height or more."""
    return bool(mouth_opening(landmarks[None])[0] >= OPEN)


def inside_lips(landmarks: NDArray[Any], size: int) -> NDArray[np.bool_]:
    """landmarks: (68, 2) px. Returns (size, size): what lies between the inner lips."""
    return _filled(landmarks[_INNER], (size, size))


def teeth_show(image: Image, landmarks: NDArray[Any]) -> bool:
    """image: (H, W, 3) RGB; landmarks: (68, 2) px. Whether teeth are seen between open lips."""
    if not lips_open(landmarks):
        return False
    between = image[_filled(landmarks[_INNER], image.shape[:2])].astype(np.float64)  # (N, 3)
    skin = np.concatenate([image[_filled(landmarks[list(three)], image.shape[:2])] for three in _SKIN])
    if len(between) == 0 or len(skin) == 0:
        return False
    plain = np.median(skin.astype(np.float64), axis=0)[None]
    bright = _brightness(between) >= _BRIGHT * _brightness(plain)
    pale = _saturation(between) <= _PALE * _saturation(plain)
    return bool((bright & pale).mean() >= _SHARE)


def _filled(points: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask.astype(np.bool_)


def _brightness(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(colours @ np.array([0.299, 0.587, 0.114]))


def _saturation(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((colours.max(1) - colours.min(1)) / np.maximum(colours.max(1), 1.0))
