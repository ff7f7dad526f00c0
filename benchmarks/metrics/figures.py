"""Numbers over clips or pairs, each with its interval and with those of the differences to other methods. What was
measured of each clip in, a line's figures out.

Names of figures: `<part>_ratio_<reader>` and `<part>_correlation_<reader>` are from benchmarks/metrics/following.py;
they, and flicker, are medians, so that one clip gone wrong does not carry the figure; all others are means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics.following import Shapes, follow
from benchmarks.metrics.intervals import percentile_interval
from benchmarks.rows.generator import FigureRow
from benchmarks.rows.row import Estimate

Statistic = Literal["mean", "median"]
Values = Sequence[float | None]  # one a clip; None where it could not be measured
Numbers = Mapping[str, float]  # of one clip, by the name of the figure
_DRAWS = 2000
_DIGITS = 5


def following_figures(made: Mapping[str, Shapes], driver: Mapping[str, Shapes]) -> dict[str, float]:
    """made, driver: by reader, (F, 68, 2) of the same frames. Returns the figures of those parts that the driver moves
    enough.
    """
    figures = {}
    for reader, shapes in made.items():
        for part, found in follow(shapes, driver[reader]).items():
            figures[f"{part}_ratio_{reader}"] = found.ratio
            figures[f"{part}_correlation_{reader}"] = found.correlation
    return figures


def summarise(own: Sequence[Numbers], others: Mapping[str, Sequence[Numbers]], seed: int = 0) -> dict[str, FigureRow]:
    """own, and each of others: the numbers of each of the same clips."""
    names = dict.fromkeys(name for numbers in own for name in numbers)
    found = {}
    for name in names:
        values = {other: [numbers.get(name) for numbers in of] for other, of in others.items()}
        row = figure([numbers.get(name) for numbers in own], values, statistic(name), seed)
        if row is not None:
            found[name] = row
    return found


def statistic(name: str) -> Statistic:
    """What is taken of a figure over clips."""
    return "median" if name == "flicker" or "_ratio_" in name or "_correlation_" in name else "mean"


def figure(own: Values, others: Mapping[str, Values], of: Statistic, seed: int = 0) -> FigureRow | None:
    """own, and each of others: one number for each of the same clips. None where no clip has one.

    An interval takes two clips; `versus` is over the clips that both methods have.
    """
    there = [value for value in own if value is not None]
    if not there:
        return None
    versus = {}
    for name, other in others.items():
        pairs = [a - b for a, b in zip(own, other, strict=True) if a is not None and b is not None]
        if pairs:
            versus[name] = _interval(np.array(pairs), of, seed)
    interval = _interval(np.array(there), of, seed) if len(there) > 1 else None
    value = float(np.mean(there) if of == "mean" else np.median(there))
    return FigureRow(value=Estimate(round(value, _DIGITS), interval), of=of, n=len(there), versus=versus)


def _interval(values: NDArray[np.float64], of: Statistic, seed: int) -> tuple[float, float]:
    """The percentile-bootstrap interval, rounded."""
    drawn = values[np.random.default_rng(seed).integers(0, len(values), (_DRAWS, len(values)))]
    low, high = percentile_interval(drawn.mean(1) if of == "mean" else np.median(drawn, axis=1))
    return round(low, _DIGITS), round(high, _DIGITS)
