"""Finds how a picture lies in the one that was marked: mirrored or not, and which part of it is left after a crop.

In: the mean pictures of a video on the grid, and a known part of the mark. Out: the most likely places. For each size
that a crop may have left, the picture is slid over the mark, all shifts at once. Crops of up to 14 % of a side are
looked for, wherever they were cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from provenance.watermark import Geometry
from provenance.watermark.pattern import GRID, Plane, synthesize

_SMALLEST = round(GRID * 0.86)  # what is left of a side, grid pixels
_STEP = 4  # of the first look; a step of 4 moves the outermost chips by an eighth of their longest wave
_ASPECT = 12  # grid pixels by which the two sides may differ
_SIDES = tuple(range(GRID, _SMALLEST - 1, -_STEP))
_FINE = tuple(range(GRID, _SMALLEST - _STEP, -_STEP // 2))  # every size that the second look may take
SEARCHED = (
    2 * sum((GRID - wide + 1) * (GRID - high + 1) for wide in _FINE for high in _FINE) + 2
)  # no more places are ever tried


def transform(picture: Plane, place: Geometry) -> tuple[Plane, Plane]:
    """picture: (256, 256). Returns it where it lay when it was marked, and which part of that is seen, 0 or 1; both
    (256, 256).
    """
    if place.mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
    if (place.left, place.top, place.width, place.height) == (0.0, 0.0, 1.0, 1.0):
        return picture, np.ones_like(picture)
    left, top = place.left * GRID, place.top * GRID
    matrix = np.array(
        [[place.width, 0, left + (place.width - 1) / 2], [0, place.height, top + (place.height - 1) / 2]], np.float32
    )  # pixel centres
    moved: Plane = cv2.warpAffine(
        picture, matrix, (GRID, GRID), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    seen = np.zeros_like(picture)
    seen[round(top) : round(top + place.height * GRID), round(left) : round(left + place.width * GRID)] = 1
    return moved, seen


def search(pictures: Sequence[Plane], weights: Plane, chips: Plane, count: int) -> list[Geometry]:
    """The `count` likeliest places on each side of the mirror, by correlation with `chips` (16, 16, 9), best first."""
    mean = np.tensordot(weights, np.stack(pictures), axes=1)
    detail = mean - cv2.GaussianBlur(mean, (0, 0), 5)
    loud = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 6))
    flat = (np.tanh(detail / (1 + 0.5 * loud)) / np.sqrt(1 + (loud / 3) ** 2)).astype(np.float32)
    known = synthesize(chips)
    found: list[tuple[float, Geometry]] = []
    for mirrored in (False, True):
        picture = np.ascontiguousarray(flat[:, ::-1]) if mirrored else flat
        coarse = [hit for size in _sizes() for hit in _slide(picture, known, *size, mirrored)]
        near = {size for _, place in sorted(coarse, key=_worse)[:3] for size in _around(place)}
        fine = [hit for size in sorted(near) for hit in _slide(picture, known, *size, mirrored)]
        found += sorted(coarse + fine, key=_worse)[:count]
    return [place for _, place in sorted(found, key=_worse)]


def _sizes() -> Iterator[tuple[int, int]]:
    yield from ((wide, high) for wide in _SIDES for high in _SIDES if abs(wide - high) <= _ASPECT)


def _around(place: Geometry) -> Iterator[tuple[int, int]]:
    """The sizes between those of the first look, next to one of them."""
    wide, high = round(place.width * GRID), round(place.height * GRID)
    half = _STEP // 2
    yield from (
        (wide + a, high + b)
        for a in (-half, 0, half)
        for b in (-half, 0, half)
        if (a or b) and max(wide + a, high + b) <= GRID
    )


def _worse(hit: tuple[float, Geometry]) -> float:
    return -hit[0]


def _slide(picture: Plane, known: Plane, wide: int, high: int, mirrored: bool) -> Iterator[tuple[float, Geometry]]:
    """The two best shifts of the picture at one size: (standard deviations, place)."""
    scaled = (
        picture if (wide, high) == (GRID, GRID) else cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
    )
    length = float(np.sqrt((scaled * scaled).sum())) or 1.0
    scores = cv2.matchTemplate(known, scaled, cv2.TM_CCORR) / length  # (257 - high, 257 - wide)
    for _ in range(2):
        top, left = np.unravel_index(int(scores.argmax()), scores.shape)
        yield float(scores[top, left]), Geometry(mirrored, left / GRID, top / GRID, wide / GRID, high / GRID)
        scores[max(0, top - 2) : top + 3, max(0, left - 2) : left + 3] = -np.inf
