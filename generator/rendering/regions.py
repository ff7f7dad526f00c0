"""The mouth of a person of whom there are several pictures: taken from those that show it as it is wanted. In: a
composed frame and what is asked of it. Out: the same frame with its mouth.

The frame itself is made above all of one picture, the nearest as a whole; its lips may have to be bent far. So each
picture's lips are compared with those that are asked for, the nearest few are bent to them by the same spline, and
their mean, the nearest counting most, is laid over the frame within a soft ellipse, each in the light of the frame.

Every share is a continuous function of the landmarks (but where more pictures are equally near than one mouth is made
of): no mouth jumps where the landmarks do not, a frame does not depend on the one before, and several threads may
render at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.networks.warp import move_rigidly

MOST = 4  # pictures that one mouth is made of
_SHARE = 0.6  # of the ellipse's middle that is laid over the frame: the rest is as the network has refined it
_FALL = 0.5  # by how much farther than the nearest a picture is whose weight is 1/e
_SHAPE, _POSE = 0.75, 0.1  # beside the inner lips in place: weight of the lips' shape, and of how far the head moved
_EXACT = 0.004  # eye distances: lips are found no more exactly, and none is nearer than that
_ROOM = 0.1  # eye distances from the lips to the ellipse
_INNER, _OUTER = 0.7, 1.4  # of the ellipse: all of it within, nothing beyond
_DARKER, _LIGHTER = 0.6, 1.6  # the light of a picture is changed by no more than that
_LIPS, _HOLE = slice(48, 68), slice(60, 68)
Array = NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right, bottom, px


@dataclass(frozen=True)
class Mouths:
    """Which pictures a mouth is made of, `weights` (n,) > 0 that add up to 1; and where: `mask` (h, w) in [0, 1] over
    `box`.
    """

    sources: Sequence[int]
    weights: Array
    box: Box
    mask: Array


class Regions:
    """`sources`: (T, 68, 2) in [-1, 1], T > 1. Nothing changes after it is made."""

    def __init__(self, sources: Landmarks) -> None:
        self._sources = torch.from_numpy(np.asarray(sources, np.float32))

    def choose(self, points: Landmarks, size: int) -> Mouths | None:
        """points: (68, 2) in [-1, 1], what is asked of a frame of `size`. None where the mouth lies outside of it."""
        found = _ellipse(points, size)
        if found is None:
            return None
        weights = _weights(self._distances(points))
        sources = np.flatnonzero(weights)
        return Mouths(sources.tolist(), weights[sources], *found)

    def lay(self, picture: Array, points: Landmarks, bent: Callable[[Sequence[int], Box], Iterable[Array]]) -> None:
        """picture: (H, H, 3) in [-1, 1], changed in place. `bent`: pictures of the person by their numbers, bent to the
        frame, of a box (h, w, 4) each, in [-1, 1] with the share of person last.
        """
        chosen = self.choose(points, len(picture))
        if chosen is None:
            return
        left, top, right, bottom = chosen.box
        under = picture[top:bottom, left:right]
        change = np.zeros_like(under)
        for layer, weight in zip(bent(chosen.sources, chosen.box), chosen.weights, strict=True):
            share = chosen.mask * np.clip(layer[..., 3], 0, 1)
            over = _lit_as(under, np.asarray(cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), np.float32), share)
            change += (np.float32(_SHARE) * weight * share)[..., None] * (over - under)
        under += change

    def _distances(self, points: Landmarks) -> NDArray[np.float64]:
        """(T,): how far the lips of each picture are from those that are asked for, in eye distances, when the head's
        motion is taken out.
        """
        target = torch.from_numpy(np.asarray(points, np.float32))[None].expand(len(self._sources), -1, -1)
        moved = move_rigidly(self._sources, self._sources, target)
        off = (moved - target)[:, _LIPS]  # (T, 20, 2)
        place = off[:, _HOLE.start - _LIPS.start :].norm(dim=-1).mean(1)
        shape = (off - off.mean(1, keepdim=True)).norm(dim=-1).mean(1)
        pose = (self._sources - moved).norm(dim=-1).mean(1)
        eyes = (target[0, 45] - target[0, 36]).norm().clamp_min(1e-6)
        distance: NDArray[np.float64] = ((place + _SHAPE * shape + _POSE * pose) / eyes).double().numpy()
        return distance


def _weights(distances: NDArray[np.float64]) -> Array:
    """(T,) that add up to 1, `MOST` of them above 0: one that comes in, and one that goes, has 0 there."""
    ordered = np.sort(distances)
    nearest = max(float(ordered[0]), _EXACT)
    near = np.exp(-np.maximum(distances / nearest - 1, 0) / _FALL)
    if len(distances) > MOST:
        near = np.maximum(near - np.exp(-max(float(ordered[MOST]) / nearest - 1, 0) / _FALL), 0)
    if not near.any() or not np.isfinite(near).all():  # more than MOST that are as near as each other
        near = (np.arange(len(distances)) == int(np.argmin(distances))).astype(np.float64)
    return np.asarray(near / near.sum(), np.float32)


def _ellipse(points: Landmarks, size: int) -> tuple[Box, Array] | None:
    """The soft ellipse around the lips, and the box that holds it."""
    pixels = ((np.asarray(points, np.float64) + 1) * size - 1) / 2
    if not np.isfinite(pixels).all():
        return None
    lips, eyes = pixels[_LIPS], pixels[45] - pixels[36]
    across = lips[6] - lips[0]
    length, room = max(float(np.hypot(*across)), 1e-6), _ROOM * float(np.hypot(*eyes))
    axes = np.stack([across, [-across[1], across[0]]]) / length  # along the mouth, and down
    low, high = (f(lips @ axes.T, axis=0) for f in (np.min, np.max))
    middle, radii = (low + high) / 2 @ axes, (high - low) / 2 + room
    reach = _OUTER * np.sqrt((axes.T**2) @ (radii**2))
    first, last = np.floor(middle - reach).clip(0, size), np.ceil(middle + reach + 1).clip(0, size)
    if (last - first).min() < 2 or radii.min() < 1e-3:
        return None
    (left, top), (right, bottom) = first.astype(int).tolist(), last.astype(int).tolist()
    x, y = np.meshgrid(
        np.arange(left, right, dtype=np.float32) - np.float32(middle[0]),
        np.arange(top, bottom, dtype=np.float32) - np.float32(middle[1]),
    )
    (a, b), (c, d) = (axes / radii[:, None]).astype(np.float32)
    away = cv2.magnitude(a * x + b * y, c * x + d * y)
    ramp = np.clip((np.float32(_OUTER) - away) * np.float32(1 / (_OUTER - _INNER)), 0, 1)
    return (left, top, right, bottom), np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _lit_as(under: Array, over: Array, share: Array) -> Array:
    """`over` as light as `under` in each colour, where the one goes over into the other."""
    ring: Any = share * (1 - share)
    if float(ring.sum()) < 1:
        return over
    here, there = ((picture + 1) * ring[..., None] for picture in (under, over))
    gain = here.sum(axis=(0, 1)) / np.maximum(there.sum(axis=(0, 1)), 1e-3)
    return np.asarray((over + 1) * gain.clip(_DARKER, _LIGHTER).astype(np.float32) - 1, np.float32)
