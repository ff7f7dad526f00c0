"""The real clip that a fake is held against where nobody filmed its moment: a portrait that talks, a face that an
algorithm drew.

In: the reals of a split, and a fake. Out: those of them that were handled as the fake was (a still for a still, a video
for a video, of its collection, about as large), and pairs of crops at one size and one sharpness: neither container,
origin, size nor blur may tell the two apart, for a net learns those before any forgery.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.cache import CropCache
from detector.data.degradations import match_sharpness
from sfumato.media.clips import ClipRow

Image = NDArray[np.uint8]
People = dict[str, list[ClipRow]]
FEWEST = 5  # people: of fewer a net learns the faces by heart, and takes everybody else for a fake
_ALIKE = 0.5  # octaves by which sides may differ: within a factor of 1.4 little is lost by resampling
_SAME_SIDE = 0.04  # sides that differ by less lose a border, not sharpness
_BOTH = 0.9  # of the smaller side, to which strangers of unequal sides are resampled: both are, not the larger alone


class Counterparts:
    """Who of `reals` a fake may be held against."""

    def __init__(self, reals: Sequence[ClipRow], cache: CropCache) -> None:
        self._cache = cache
        self._reals = reals
        self._pools: dict[bool, list[ClipRow]] = {}
        self._sides: dict[str, int] = {}
        self._found: dict[str, People] = {}

    def of(self, fake: ClipRow) -> People:
        """{person: clips}, of at least FEWEST people as long as there are any of its kind; of the fake's own person
        alone where they are among those.
        """
        if fake.path not in self._found:
            self._found[fake.path] = self._alike(fake)
        return self._found[fake.path]

    def _alike(self, fake: ClipRow) -> People:
        pool = self._of_kind(self._cache.still(fake))
        own = [row for row in pool if row.dataset == fake.dataset]
        if len({row.identity for row in own}) >= FEWEST:
            pool = own
        people: People = defaultdict(list)
        goal = math.log2(max(self._side(fake), 1))
        for row, far in sorted(
            ((row, abs(math.log2(max(self._side(row), 1)) - goal)) for row in pool), key=lambda item: item[1]
        ):
            if far > _ALIKE and len(people) >= FEWEST:
                break
            people[row.identity].append(row)
        return {fake.identity: people[fake.identity]} if fake.identity in people else dict(people)

    def _of_kind(self, still: bool) -> list[ClipRow]:
        """Stills or videos; all where there are none of them."""
        if still not in self._pools:
            self._pools[still] = [row for row in self._reals if self._cache.still(row) == still] or list(self._reals)
        return self._pools[still]

    def _side(self, row: ClipRow) -> int:
        if row.path not in self._sides:
            self._sides[row.path] = self._cache.side(row)
        return self._sides[row.path]


def by_identity(rows: Iterable[ClipRow]) -> People:
    people: People = defaultdict(list)
    for row in rows:
        people[row.identity].append(row)
    return dict(people)


def even(real: Image, fake: Image, strangers: bool = False) -> tuple[Image, Image]:
    """Both at the smaller of the two sides, so that neither class is the sharper one by its file alone.

    Nearly equal sides (two looks at one face) are cut to the same instead: resampling one of the two would soften that
    one. For the same reason both are resampled where they are `strangers`, of files that have nothing in common.
    """
    sides = real.shape[0], fake.shape[0]
    side = min(sides)
    if max(sides) - side <= _SAME_SIDE * side:
        return _middle(real, side), _middle(fake, side)
    side = round(_BOTH * side) if strangers else side
    return _at(real, side), _at(fake, side)


def equally_sharp(real: Image, fake: Image, inner: float = 1.0) -> tuple[Image, Image]:
    """The sharper of the two softened to the other's sharpness, whichever it is. Both of one size; inner: the share of
    the side, around the middle, that is compared: behind two strangers the background differs.
    """
    return match_sharpness(real, fake, inner), match_sharpness(fake, real, inner)


def _middle(image: Image, side: int) -> Image:
    start = (image.shape[0] - side) // 2
    return image[start : start + side, start : start + side]


def _at(image: Image, side: int) -> Image:
    if image.shape[0] == side:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
