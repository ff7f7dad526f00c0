"""How far a run is, and how fast it learns there. A budget and what was used of it in, a share or a factor out."""

from __future__ import annotations

import math
from typing import Protocol


class Budget(Protocol):
    """What a run may take: steps, and minutes (0: no limit)."""

    @property
    def steps(self) -> int: ...

    @property
    def minutes(self) -> float: ...


class Pace(Protocol):
    """warm_up: steps of linear warm-up; decay: whether a cosine leads to a tenth."""

    @property
    def warm_up(self) -> int: ...

    @property
    def decay(self) -> bool: ...


def share_of(budget: Budget, steps: int, seconds: float) -> float:
    """The share of the run that is done, by steps or by minutes, whichever ends it first. In [0, 1]."""
    by_time = seconds / (60 * budget.minutes) if budget.minutes else 0.0
    return min(1.0, max(steps / budget.steps, by_time))


def rate_factor(pace: Pace, steps: int, share: float) -> float:
    """What the learning rates are multiplied with after `steps`, when `share` of the run is done."""
    factor = min(1.0, (steps + 1) / max(1, pace.warm_up))
    return factor * (0.55 + 0.45 * math.cos(math.pi * share)) if pace.decay else factor
