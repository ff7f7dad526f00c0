"""Paste-back: the animated square returned into the picture that it was cut from. In: squares and their landmarks. Out:
whole frames.

Four things keep the square's border from showing. The square is laid where the crop was cut, to a fraction of a pixel.
Its colours are matched: what differs along the border, at low resolution, is spread inwards by Laplace's equation and
added (Perez et al. 2003, with the difference instead of the gradients). And a feathered mask lets the picture through:
fully at the border and beyond it, a little around the head, not on it; it follows the head, as it was and as it is now,
so that neither is cut off nor seen twice. And where the square is as it was cut, as a still background is, the
picture's own pixels stay.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.person.surroundings import cut_square
from sfumato.media.faces import Crop

LARGEST = 1920  # px of the longer side, unless asked otherwise; a 12-megapixel video plays nowhere
_BORDER = 0.10  # of the square's side, over which the mask opens from the border
_HOLD, _REACH = (
    0.12,
    0.30,
)  # of the square's side: around the head it stays closed so far, for the hair, and opens over that
_GRID = 32  # cells a side of the colour correction
_MOST = 24.0  # levels: a larger difference at the border is a head that left the square, not a shade
_SAME, _OTHER = 2.0, 6.0  # levels: what resampling alone may change, and from where on a pixel is another one
_COARSE = 64  # px of the mask before it is enlarged; it is smooth
_CROWN = (2, 3, 5, 8, 11, 13, 14)  # jaw points whose mirror images stand for the forehead and the hair above it
Image = NDArray[np.uint8]
Mask = NDArray[np.float32]


class PasteBack:
    """One picture and the square cut from it.

    `frame`: (height, width, 3), the picture at the output's resolution, both sides even; `size`: px at which the square
    should be rendered (even); `crop`: the square in `frame`.
    """

    def __init__(self, image: Image, crop: Crop, source: Landmarks, longest: int = LARGEST) -> None:
        """image: (H, W, 3) uint8 RGB, from which `crop` was cut; source: (68, 2) in [-1, 1] of it. Never enlarges the
        picture.
        """
        scale = min(1.0, longest / max(image.shape[:2]))
        if scale < 1:
            image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = (side // 2 * 2 for side in image.shape[:2])
        self.frame = np.ascontiguousarray(image[:height, :width])
        self.crop = Crop(crop.left * scale, crop.top * scale, crop.side * scale)
        self.size = int(np.clip(round(self.crop.side / 2) * 2, 64, 1024))
        self._source = _outline(source)
        left, top = max(0, int(np.floor(self.crop.left))), max(0, int(np.floor(self.crop.top)))
        right = min(width, int(np.ceil(self.crop.left + self.crop.side)))
        bottom = min(height, int(np.ceil(self.crop.top + self.crop.side)))
        self._window = slice(top, bottom), slice(left, right)
        across, down = np.arange(left, right) + 0.5 - self.crop.left, np.arange(top, bottom) + 0.5 - self.crop.top
        self._places = np.meshgrid(
            across / self.crop.side, down / self.crop.side
        )  # of the window's pixels, [0, 1] in the square
        x, y = self._places
        self._open = _smoothstep(np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) / _BORDER)
        self._original = self.frame[self._window].astype(np.float32)
        self._spread = _laplace(_GRID)
        self._cut = cut_square(self.frame, self.crop, self.size, source)
        self._own = cv2.resize(self._cut.astype(np.float32), (_GRID, _GRID), interpolation=cv2.INTER_AREA)

    def apply(self, square: Image, landmarks: Landmarks) -> Image:
        """square: (S, S, 3) uint8 RGB; landmarks: (68, 2) in [-1, 1], the head's place in it. Returns the frame
        (height, width, 3).
        """
        correction = self._at_window(self._correction(square))
        placed = self._at_window(square.astype(np.float32)) + correction
        share = (self._open * self._at_window(self._head(landmarks) * self._changed(square)))[..., None]
        blended = self._original + share * (placed - self._original)
        whole = self.frame.copy()
        whole[self._window] = blended.round().clip(0, 255).astype(np.uint8)
        return whole

    def to_frame(self, landmarks: Landmarks) -> Landmarks:
        """(68, 2) in [-1, 1] of the square to pixels of the frame."""
        return self.crop.from_crop((landmarks + 1) * self.size / 2 - 0.5, self.size)

    def _at_window(self, square: NDArray[np.float32]) -> NDArray[np.float32]:
        """(S, S[, C]) sampled at the window's pixels, at whatever resolution it has."""
        side = len(square)
        x, y = ((place * side - 0.5).astype(np.float32) for place in self._places)
        smooth = square if side <= self.crop.side else cv2.GaussianBlur(square, (0, 0), 0.4 * side / self.crop.side)
        method = cv2.INTER_CUBIC if side < self.crop.side else cv2.INTER_LINEAR
        return np.asarray(cv2.remap(smooth, x, y, method, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def _correction(self, square: Image) -> NDArray[np.float32]:
        """(grid, grid, 3): what the picture's border is above the square's, spread inwards."""
        made = cv2.resize(square.astype(np.float32), (_GRID, _GRID), interpolation=cv2.INTER_AREA)
        difference = np.clip(self._own - made, -_MOST, _MOST).reshape(-1, 3)
        border, inside, weights = self._spread
        whole = np.array(difference, np.float32)
        whole[inside] = weights @ difference[border]
        return whole.reshape(_GRID, _GRID, 3)

    def _changed(self, square: Image) -> Mask:
        """(coarse, coarse) in [0, 1]: 0 where nothing near is other than it was cut."""
        own = self._cut if square.shape == self._cut.shape else cv2.resize(self._cut, square.shape[1::-1])
        far = cv2.absdiff(square, own).max(axis=2).astype(np.float32)
        share = np.clip((far - _SAME) / (_OTHER - _SAME), 0, 1)
        cells = cv2.resize(share, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
        wide = cv2.dilate(np.clip(4 * cells, 0, 1), np.ones((5, 5), np.uint8))
        return np.asarray(cv2.GaussianBlur(wide, (0, 0), 1.0), np.float32)

    def _head(self, landmarks: Landmarks) -> Mask:
        """(coarse, coarse) in [0, 1]: 1 on the head where it was and where it is, falling off around both."""
        drawn = np.full((_COARSE, _COARSE), 255, np.uint8)
        for outline in (self._source, _outline(landmarks)):
            hull = cv2.convexHull(((outline + 1) / 2 * _COARSE - 0.5).clip(-_COARSE, 2 * _COARSE).astype(np.float32))
            cv2.fillConvexPoly(drawn, np.round(hull * 16).astype(np.int32), 0, shift=4)
        away = cv2.distanceTransform(drawn, cv2.DIST_L2, 5) / _COARSE
        return _smoothstep(1 - (np.asarray(away, np.float32) - _HOLD) / _REACH)


def _outline(landmarks: Landmarks) -> NDArray[np.float64]:
    """The landmarks and the crown, which is the jaw mirrored over the line between the ears."""
    points = landmarks.astype(np.float64)
    first, axis = points[0], points[16] - points[0]
    axis = axis / max(float(np.linalg.norm(axis)), 1e-9)
    jaw = points[list(_CROWN)] - first
    along = (jaw @ axis)[:, None] * axis
    return np.concatenate([points, first + 2 * along - jaw])


def _smoothstep(share: NDArray[np.floating]) -> Mask:
    held = np.clip(share, 0, 1)
    return np.asarray(held * held * (3 - 2 * held), np.float32)


def _laplace(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For a grid of `size`: its border cells, its inner cells, and the matrix from values on the former to values on
    the latter, each the mean of its neighbours."""
    index = np.arange(size * size).reshape(size, size)
    inner = np.zeros((size, size), bool)
    inner[1:-1, 1:-1] = True
    border, inside = index[~inner], index[inner]
    position = np.full(size * size, -1)
    position[inside], position[border] = np.arange(len(inside)), np.arange(len(border))
    system, given = 4 * np.eye(len(inside)), np.zeros((len(inside), len(border)))
    for step in (-1, 1, -size, size):
        neighbour = inside + step
        free = inner.reshape(-1)[neighbour]
        system[np.arange(len(inside))[free], position[neighbour[free]]] = -1
        given[np.arange(len(inside))[~free], position[neighbour[~free]]] += 1
    return border, inside, np.linalg.solve(system, given).astype(np.float32)
