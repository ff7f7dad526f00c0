"""What stays still behind a person. In: the square around a face, and its landmarks. Out: the share of person in each
pixel, and the square without the person.

A frame is then `person, moved` over `backdrop, as it is`. With `square = P + (1 - share) backdrop`, P is moved together
with its share, so that a person who does not move gives the square itself, whatever was guessed behind them. The share
reaches a little beyond the person: what is left of hair at its edge moves with the head, and nothing of it stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.person.segmentation import person_share

_BEYOND, _SOFT = 0.014, 0.007  # of the side: how far the share reaches beyond the person, and how softly it ends
_SURE = 0.5  # share from which a pixel counts as person
_SEEN = 0.8  # of the face must be person, or the net saw no person here
_ROOM = 0.02  # of the square must be background, or there is nothing to keep still
_EVEN = 0.025  # of the side: over that the direction of the mirrored texture is averaged
_TEXTURE = 0.08  # of the side: so far the background's own texture goes on behind the person, and fades
Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Background:
    """One portrait told apart. share: (R, R) uint8, 255 is person; backdrop: (R, R, 3) uint8 RGB, the square without
    the person.
    """

    share: Image
    backdrop: Image

    def person(self, square: Image) -> Array:
        """(R, R, 4): P in units of [-1, 1], see the module, and the share in [0, 1]."""
        share = self.share.astype(np.float32)[..., None] / np.float32(255)
        behind = (1 - share) * _to_unit(self.backdrop)
        return np.concatenate([_to_unit(square) - behind, share], axis=2)

    def at(self, size: int) -> Array:
        """The backdrop (size, size, 3) in [-1, 1]."""
        if size == len(self.backdrop):
            return _to_unit(self.backdrop)
        method = cv2.INTER_AREA if size < len(self.backdrop) else cv2.INTER_CUBIC
        return _to_unit(np.asarray(cv2.resize(self.backdrop, (size, size), interpolation=method), np.uint8))


def find_background(square: Image, landmarks: Landmarks) -> Background | None:
    """square: (R, R, 3) uint8 RGB; landmarks: (68, 2) in [-1, 1]. None where no person is seen around the face, or
    nothing else.
    """
    person = find_person(square, landmarks)
    if person is None:
        return None
    side = len(square)
    reach = max(1, round(_BEYOND * side))
    wider = cv2.dilate(person, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    soft = cv2.GaussianBlur(wider, (0, 0), max(0.5, _SOFT * side))
    share = np.asarray((np.maximum(soft, person) * 255).round().clip(0, 255), np.uint8)
    known = share == 0
    if known.mean() < _ROOM:
        return None
    change = continue_into(square, known).astype(np.int16) - square
    limit = share[..., None].astype(
        np.int16
    )  # beyond that no colour of a person would explain the pixel, and a fringe would move
    return Background(share, (square + change.clip(-limit, limit)).astype(np.uint8))


def find_person(square: Image, landmarks: Landmarks) -> Array | None:
    """(R, R) in [0, 1]: the person whose face this is, and nobody who stands apart. None where the net sees none."""
    share, face = person_share(square), face_area(landmarks, len(square))
    if not face.any() or float(share[face].mean()) < _SEEN:
        return None
    share[face] = 1
    count, labels = cv2.connectedComponents((share > _SURE).astype(np.uint8))
    own = labels == np.bincount(labels[face], minlength=count)[1:].argmax() + 1
    count, labels, facts, _ = cv2.connectedComponentsWithStats((~own).astype(np.uint8))
    gaps = [i for i in range(1, count) if facts[i, cv2.CC_STAT_AREA] < 0.01 * share.size]
    filled = np.isin(labels, gaps)  # a highlight or a jewel is no window
    rim = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(2, round(0.02 * len(square))))
    return np.asarray(np.where(filled, 1, np.where(rim > 0, share, 0)), np.float32)


def face_area(landmarks: Landmarks, size: int, widen: float = 1.0) -> Mask:
    """(size, size): what lies within the landmarks, made `widen` times as large around their middle."""
    middle = landmarks.mean(axis=0)
    hull = cv2.convexHull(((middle + widen * (landmarks - middle) + 1) * size / 2 - 0.5).astype(np.float32))
    drawn = np.zeros((size, size), np.uint8)
    return np.asarray(cv2.fillConvexPoly(drawn, np.round(hull).astype(np.int32), 1), bool)


def continue_into(picture: Image, known: Mask) -> Image:
    """`picture` (R, R, 3), with what is not `known` (R, R) filled from what is: mirrored at the nearest border, so that
    the texture goes on, and smooth further in.
    """
    if known.all() or not known.any():
        return picture
    smooth = _spread_into(picture.astype(np.float32), known.astype(np.float32))
    hidden = (~known).astype(np.uint8)
    away, labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(known)
    nearest = np.zeros((int(labels.max()) + 1, 2), np.float32)
    nearest[labels[rows, columns]] = np.stack([columns, rows], axis=1)
    here = np.stack(np.meshgrid(*(np.arange(extent, dtype=np.float32) for extent in known.shape[::-1])), axis=-1)
    way = 2 * away[..., None] * _directions(nearest[labels] - here, _EVEN * len(picture))
    x, y = np.ascontiguousarray((here + way)[..., 0]), np.ascontiguousarray((here + way)[..., 1])
    texture = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    usable = cv2.remap(known.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    fading = np.exp(-((away / (_TEXTURE * len(picture))) ** 2))
    weight = np.where(known, 1, usable**2 * fading).astype(np.float32)
    gradual = cv2.GaussianBlur(weight, (0, 0), max(0.5, 0.008 * len(picture)))[..., None]
    filled = smooth + gradual * (texture - smooth)
    return np.where(known[..., None], picture, filled.round().clip(0, 255).astype(np.uint8))


def _directions(ways: Array, reach: float) -> Array:
    """Unit vectors of `ways` (R, R, 2), averaged over `reach` px: the nearest place jumps from pixel to pixel along a
    rough edge, and what is mirrored there would be hatched.
    """
    unit = ways / np.maximum(np.linalg.norm(ways, axis=2, keepdims=True), 1e-6)
    mean = cv2.GaussianBlur(unit, (0, 0), max(0.5, reach))
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=2, keepdims=True), 1e-6), np.float32)


def _spread_into(values: Array, weight: Array) -> Array:
    """Push-pull (Gortler et al. 1996): where `weight` (R, R) is 0, the mean of what lies around, the nearer the finer.
    values: (R, R, C).
    """
    if min(weight.shape) <= 1:
        return values
    shape = (max(1, weight.shape[1] // 2), max(1, weight.shape[0] // 2))
    mass = np.asarray(cv2.resize(weight, shape, interpolation=cv2.INTER_AREA), np.float32)
    total = cv2.resize(values * weight[..., None], shape, interpolation=cv2.INTER_AREA).reshape(*mass.shape, -1)
    mean = np.asarray(total / np.maximum(mass, 1e-6)[..., None], np.float32)
    coarse = _spread_into(mean, np.asarray(np.minimum(1, 4 * mass), np.float32))
    wide = cv2.resize(coarse, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return np.asarray(wide + weight[..., None] * (values - wide), np.float32)


def _to_unit(picture: Image) -> Array:
    return picture.astype(np.float32) / np.float32(127.5) - 1
