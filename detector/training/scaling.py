"""Lines that bring numbers of different units to one: by what is said of reals, or to a probability's logit.

In: a number a clip. Out: a scale and an offset.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LARGEST = 4.0  # of a scale's logarithm
WORST = 0.97  # quantile of the reals; higher ones rest on too few clips


def level(reals: Sequence[float] | Floats) -> tuple[float, float]:
    """(scale, offset), so that the middle one of these numbers becomes 0, and the quantile WORST 1."""
    middle, worst = np.quantile(np.asarray(reals, np.float64), [0.5, WORST])
    scale = 1 / max(float(worst - middle), 1e-3)
    return scale, -scale * float(middle)


def platt(values: Floats, fake: NDArray[np.bool_], weight: Floats, prior: float) -> tuple[float, float]:
    """(scale, offset), so that scale * value + offset has the least negative log-likelihood (Platt, "Probabilistic
    outputs for support vector machines", 1999); the scale is positive: evidence never speaks for its contrary.

    values, weight: (N,), the weights summing to 1; prior: what the squares of the scale's logarithm and of the offset
    cost, beside a mean of N clips.
    """
    from scipy.optimize import minimize

    def cost(parameters: NDArray[Any]) -> float:
        logits = math.exp(min(parameters[0], LARGEST)) * values + parameters[1]
        losses = np.logaddexp(0.0, np.where(fake, -logits, logits))
        return float((losses * weight).sum() + prior * (parameters**2).sum())

    scale, offset = minimize(cost, np.zeros(2), method="L-BFGS-B").x
    return math.exp(min(float(scale), LARGEST)), float(offset)
