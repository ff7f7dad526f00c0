"""How sure the benchmarks' numbers are: every 95 % interval that is not over people or sources, which are in
detector/evaluation/intervals.py. Numbers in, bounds out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows.row import Estimate

LEVEL = 0.95
_Z = 1.96  # of the normal distribution at that level

Numbers = Sequence[float] | NDArray[np.float64]


def percentile_interval(drawn: Numbers) -> tuple[float, float]:
    """Between which the middle 95 % of `drawn` lie."""
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def paired_interval(differences: NDArray[np.float64], seed: int = 0, draws: int = 2000) -> tuple[float, float]:
    """The percentile-bootstrap interval of the mean of `differences` (N,), resampled `draws` times."""
    rng = np.random.default_rng(seed)
    return percentile_interval(differences[rng.integers(0, len(differences), (draws, len(differences)))].mean(1))


def student_interval(values: Numbers) -> tuple[float, float]:
    """Of the mean of `values`, two or more (Student's t)."""
    from scipy.stats import t

    mean, count = float(np.mean(values)), len(values)
    half = float(t.ppf((1 + LEVEL) / 2, count - 1) * np.std(values, ddof=1) / math.sqrt(count))
    return mean - half, mean + half


def ratio(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """Geometric mean of above / below over paired rounds (Student's t on logarithms)."""
    logs = np.log(np.asarray(above) / np.asarray(below))
    low, high = student_interval(logs)
    return Estimate(round(math.exp(float(logs.mean())), 3), (round(math.exp(low), 3), round(math.exp(high), 3)))


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Of a rate (Wilson 1927)."""
    if trials == 0:
        return 0.0, 1.0
    z, rate = _Z, hits / trials
    middle, half = rate + z * z / (2 * trials), z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials**2))
    low, high = (middle - half) / (1 + z * z / trials), (middle + half) / (1 + z * z / trials)
    return round(max(0.0, low), 4), round(min(1.0, high), 4)
