"""The square around a face where the picture ends before it. In: a picture, the square, and the face's landmarks. Out:
the square's pixels, and in them no second face.

`Crop.apply` mirrors the picture there, as it does for training, and with a tight portrait half a face is seen upside
down. Here what lies next to the border is mirrored only as far as the face is away, and then drawn out and blurred. A
head that the border cuts is rounded off, and around it goes on what is behind it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.person.background import continue_into, face_area, find_person
from sfumato.media.faces import Crop

_MIRRORED = 0.05  # of the square's side: no more than this is mirrored, so nobody else is seen twice either
_CLEAR = 0.7  # of the way to the face may be mirrored
_BLUR = 0.02  # of the side: what is drawn out is blurred so far, or it is seen as stripes
_HEAD = 1.5  # times the face is the head that the landmarks stand for; they end at the brows
Array = NDArray[np.float32]
Image = NDArray[np.uint8]


def cut_square(picture: Image, crop: Crop, size: int, landmarks: Landmarks) -> Image:
    """picture: (H, W, 3) uint8 RGB; landmarks: (68, 2) in [-1, 1] of `crop`. Returns (size, size, 3): what
    `Crop.apply` returns, but where that mirrors the picture.
    """
    square = crop.apply(picture, size)
    low = np.array([-crop.left, -crop.top]) * size / crop.side - 0.5  # the picture's corners in pixels of the square
    high = low + np.array([picture.shape[1], picture.shape[0]]) * size / crop.side
    if (low < 0).all() and (high > size - 1).all():
        return square
    points = (landmarks + 1) * size / 2 - 0.5
    places, beyond = zip(
        *(_places(low[i], high[i], float(points[:, i].min()), float(points[:, i].max()), size) for i in range(2)),
        strict=True,
    )
    x, y = (np.ascontiguousarray(grid) for grid in np.meshgrid(*places))
    drawn = cv2.remap(square, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    outside = np.hypot(*np.meshgrid(*beyond)).astype(np.float32)
    drawn = _blurred(np.asarray(drawn, np.uint8), outside, landmarks)
    return np.where(outside[..., None] > 0, drawn, square)


def _places(low: float, high: float, first: float, last: float, size: int) -> tuple[Array, Array]:
    """Along one axis: where each pixel is taken from, and how far it lies beyond the picture, which goes from `low` to
    `high`; the face, from `first` to `last`. All in pixels of the square.
    """
    start, end = max(low + 0.5, 0.0), min(high - 0.5, size - 1.0)  # the outermost pixels' centres
    line = np.arange(size, dtype=np.float32)
    before, after = np.maximum(start - line, 0), np.maximum(line - end, 0)
    rooms = (np.clip(_CLEAR * room, 0.5, _MIRRORED * size) for room in (first - start, end - last))
    near, far = rooms
    places = line.clip(start, end) + near * (1 - np.exp(-before / near)) - far * (1 - np.exp(-after / far))
    return places.astype(np.float32), (before + after).astype(np.float32)


def _blurred(drawn: Image, outside: Array, landmarks: Landmarks) -> Image:
    """`drawn` with its head rounded off, and blurred the more, the further `outside` (S, S) px."""
    size = len(drawn)
    person = find_person(drawn, landmarks)
    if person is not None:
        drawn = _rounded(drawn, outside, landmarks, person)
    soft = drawn.astype(np.float32)
    for level in (0.25, 1.0, 3.0):
        strong = cv2.GaussianBlur(drawn, (0, 0), max(0.5, level * _BLUR * size)).astype(np.float32)
        share = np.clip(outside / (2 * level * _BLUR * size) - 0.25, 0, 1)[..., None]
        soft += share * (strong - soft)
    return soft.round().clip(0, 255).astype(np.uint8)


def _rounded(drawn: Image, outside: Array, landmarks: Landmarks, person: Array) -> Image:
    """Above the jaw, what is drawn out of a head becomes background but for the head's own round shape."""
    size = len(drawn)
    chin, crown = float(landmarks[8, 1]), float(landmarks[:, 1].min())
    y = (np.arange(size, dtype=np.float32) * 2 + 1) / size - 1
    above = np.asarray(y < chin - 0.25 * (chin - crown))[:, None]
    head = _head(landmarks, size)
    taken = (person > 0.02) & (outside > 0) & above & (head < 0.5)
    known = (person <= 0.02) & (cv2.dilate((person > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    if not taken.any() or known.mean() < 0.02:
        return drawn
    filled = continue_into(drawn, np.asarray(known & ~taken, np.bool_))
    share = cv2.GaussianBlur(taken.astype(np.float32), (0, 0), max(0.5, 0.006 * size))[..., None]
    return (drawn + share * (filled.astype(np.float32) - drawn)).round().clip(0, 255).astype(np.uint8)


def _head(landmarks: Landmarks, size: int) -> Array:
    """(size, size): 1 on an ellipse about the head, hair and all, and 0 elsewhere."""
    jaw = face_area(landmarks, size, _HEAD)
    left, right = landmarks[0], landmarks[16]
    middle, across = (left + right) / 2, right - left
    half = float(np.hypot(*across)) / 2
    drawn = np.zeros((size, size), np.float32)
    centre = (middle + 1) * size / 2 - 0.5
    axes = (1.2 * half * size / 2, 1.6 * half * size / 2)
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    cv2.ellipse(drawn, ((float(centre[0]), float(centre[1])), (2 * axes[0], 2 * axes[1]), angle), 1, -1)
    return np.maximum(drawn, jaw.astype(np.float32))
