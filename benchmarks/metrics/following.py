"""How far a made face follows the face that drove it: mouth, lids, head. Landmarks of both over the same frames in;
for each part a ratio and a correlation out.

Mouth: the mean distance of the three pairs of inner-lip points over the face's height (between the eyes to the chin).
Lids: how far they are closed, 1 - opening / the opening in the middle frame of that face; opening is the mean distance
of the lids over the eye's width, both eyes. So each face is its own measure, whatever its eyes. Yaw: degrees, of how
far the tip of the nose lies off the middle of the outer eye corners, along the line through them; the nose stands out
by half the distance of the corners (MediaPipe's canonical face), so of two people with other noses the ratio is off by
how they differ.

Ratio: the spread of the made face over the driver's. The spread is robust, the 95th percentile less the 5th; of lids,
whose blinks are rare, the 98th percentile of closure, which is 0 in the middle. Correlation: Pearson's over time. A
part counts only where the driver moves it: a spread of `LEAST` or more. Yaw counts the frames in which the driver's is
within 25 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Track = NDArray[np.float64]  # (F,), a number a frame
Shapes = NDArray[Any]  # (F, 68, 2)
PARTS = ("mouth", "lids", "yaw")
LEAST = {"mouth": 0.03, "lids": 0.35, "yaw": 8.0}  # of face height, of the open eye, degrees: well above readers' noise
OPEN = 0.05  # of the face's height: from here on lips are open
_FEWEST = 8  # frames with a face in both
_WIDEST = 25.0  # degrees
_NOSE = 0.5  # how far it stands out, in distances of the outer eye corners
_LIPS = ((61, 67), (62, 66), (63, 65))
_LIDS = (((37, 41), (38, 40), (36, 39)), ((43, 47), (44, 46), (42, 45)))  # two pairs of lid points, and the corners


@dataclass(frozen=True)
class Following:
    """ratio: 1 for as much as the driver; correlation in -1 to 1, 0 for a face that does not move."""

    ratio: float
    correlation: float


def mouth_opening(shapes: Shapes) -> Track:
    """shapes: (F, 68, 2). Returns (F,), of the face's height."""
    lips = np.mean([_apart(shapes, upper, lower) for upper, lower in _LIPS], axis=0)
    return np.asarray(lips / np.maximum(_apart(shapes, 27, 8), 1e-6))


def lid_opening(shapes: Shapes) -> Track:
    """shapes: (F, 68, 2). Returns (F,), of the eyes' width."""
    eyes = [
        (_apart(shapes, *first) + _apart(shapes, *second)) / 2 / np.maximum(_apart(shapes, *corners), 1e-6)
        for first, second, corners in _LIDS
    ]
    return np.asarray(np.mean(eyes, axis=0))


def lid_closure(shapes: Shapes) -> Track:
    """shapes: (F, 68, 2). Returns (F,): 0 as in the middle frame, 1 closed."""
    opening = lid_opening(shapes)
    return np.asarray(1 - opening / max(float(np.median(opening)), 1e-6))


def yaw(shapes: Shapes) -> Track:
    """shapes: (F, 68, 2). Returns (F,) degrees, positive where the nose points to the picture's right."""
    across = shapes[:, 45] - shapes[:, 36]
    width = np.maximum(np.linalg.norm(across, axis=1), 1e-6)
    off = ((shapes[:, 30] - (shapes[:, 45] + shapes[:, 36]) / 2) * across).sum(1) / width**2
    return np.asarray(np.degrees(np.arctan(off / _NOSE)))


def follow(made: Shapes, driver: Shapes) -> dict[str, Following]:
    """made, driver: (F, 68, 2) of the same frames, NaN where no face was found. Returns the parts that can be
    measured.
    """
    there = np.isfinite(made).all((1, 2)) & np.isfinite(driver).all((1, 2))
    found: dict[str, Following] = {}
    if there.sum() < _FEWEST:
        return found
    made, driver = made[there], driver[there]
    for part, measure in zip(PARTS, (mouth_opening, lid_closure, yaw), strict=True):
        own, wanted = measure(made), measure(driver)
        if part == "yaw":
            near = np.abs(wanted) <= _WIDEST
            own, wanted = own[near], wanted[near]
        if len(wanted) < _FEWEST or spread(part, wanted) < LEAST[part]:
            continue
        found[part] = Following(spread(part, own) / spread(part, wanted), correlation(own, wanted))
    return found


def spread(part: str, track: Track) -> float:
    """How far a part moves, see the module."""
    if part == "lids":
        return float(np.percentile(track, 98))
    low, high = np.percentile(track, [5, 95])
    return float(high - low)


def correlation(a: Track, b: Track) -> float:
    """Pearson's; 0 where one of them stands still."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 1e-12 else 0.0


def _apart(shapes: Shapes, first: int, second: int) -> Track:
    return np.asarray(np.linalg.norm(shapes[:, first] - shapes[:, second], axis=1), np.float64)
