"""ROC and DET curves as pictures: operating points in, paths of an SVG of 360 units a side out.

ROC: true- over false-positive rate, both linear. DET (Martin et al. 1997): miss over false-positive rate, both on the
scale of a normal distribution's quantiles, where equal steps near 0 are seen; rates of none and of all lie at the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.metrics import Curve, Floats

SIDE, LEFT, BOTTOM, MARGIN = 360.0, 46.0, 42.0, 10.0  # of a picture, and what its scales take
_NEAR = 0.5  # units: points nearer than that are one to the eye
_ROC_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DET_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
_DET_LEAST = 0.0005


@dataclass(frozen=True)
class Rates:
    """tpr, fpr: (points,), from (0, 0) to (1, 1)."""

    tpr: Floats
    fpr: Floats


@dataclass(frozen=True)
class Picture:
    """paths: one `d` of an SVG path a curve; x_ticks, y_ticks: (place, label); diagonal: x1, y1, x2, y2 of chance or of
    equal rates; title, x_title, y_title: words.
    """

    title: str
    x_title: str
    y_title: str
    paths: Sequence[str]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    diagonal: tuple[float, float, float, float]


def curve_of(labels: NDArray[np.int64], scores: Floats) -> Rates:
    """labels: (N,) 1 = fake. Raises UsageError with one class only."""
    tpr, fpr = Curve(labels, scores).rates()
    return Rates(tpr[0], fpr[0])


def roc(curves: Sequence[Rates]) -> Picture:
    """The higher, the better; the diagonal is chance."""
    paths = [_path(_across(curve.fpr), _up(curve.tpr)) for curve in curves]
    x_ticks = [(_place(_across(tick)), f"{tick:g}") for tick in _ROC_TICKS]
    y_ticks = [(_place(_up(tick)), f"{tick:g}") for tick in _ROC_TICKS]
    ends = (_place(_across(0.0)), _place(_up(0.0)), _place(_across(1.0)), _place(_up(1.0)))
    return Picture("ROC", "false-positive rate", "true-positive rate", paths, x_ticks, y_ticks, ends)


def det(curves: Sequence[Rates], reals: int, fakes: int) -> Picture:
    """The lower, the better; on the diagonal both rates are equal. reals, fakes: how many, which say how small a rate
    can be seen.
    """
    least = max(_DET_LEAST, min(0.01, 0.5 / max(reals, fakes, 1)))
    paths = []
    for curve in curves:
        across, up = (_share(rates, least) for rates in (curve.fpr, 1 - curve.tpr))
        paths.append(_path(_across(across), _up(up)))
    ticks = [tick for tick in _DET_TICKS if least <= tick <= 1 - least]
    x_ticks = [(_place(_across(_share(tick, least))), f"{tick:g}") for tick in ticks]
    y_ticks = [(_place(_up(_share(tick, least))), f"{tick:g}") for tick in ticks]
    ends = (_place(_across(0.0)), _place(_up(0.0)), _place(_across(1.0)), _place(_up(1.0)))
    return Picture("DET", "false-positive rate", "miss rate", paths, x_ticks, y_ticks, ends)


def _share(rates: Floats | float, least: float) -> Floats:
    """Where on a DET scale from `least` to 1 - `least` rates lie, in [0, 1]."""
    normal = NormalDist()
    inside = np.clip(np.atleast_1d(np.asarray(rates, np.float64)), least, 1 - least)
    edge = normal.inv_cdf(least)
    return np.array([(normal.inv_cdf(float(rate)) - edge) / (-2 * edge) for rate in inside])


def _across(shares: Floats | float) -> Floats:
    return LEFT + np.atleast_1d(np.asarray(shares, np.float64)) * (SIDE - LEFT - MARGIN)


def _up(shares: Floats | float) -> Floats:
    return SIDE - BOTTOM - np.atleast_1d(np.asarray(shares, np.float64)) * (SIDE - BOTTOM - MARGIN)


def _place(values: Floats) -> float:
    return round(float(values[0]), 1)


def _path(x: Floats, y: Floats) -> str:
    """`d` through the points, without those that nobody can tell from the one before; the last stays."""
    kept = [(float(x[0]), float(y[0]))]
    for place in zip(x.tolist(), y.tolist(), strict=True):
        if abs(place[0] - kept[-1][0]) + abs(place[1] - kept[-1][1]) >= _NEAR:
            kept.append(place)
    last = (float(x[-1]), float(y[-1]))
    if kept[-1] != last:
        kept.append(last)
    return "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in kept)
