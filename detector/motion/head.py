"""What the motion of a face is evidence of: one logit. Lines through the measures of `detector.motion.features`.

In: those measures. Out: the logit, higher for a face that a network moved. There may be two lines: one knows motions
that were taken from a driver, the other such as a program made by rules, and the one that says more counts: they are
odd in different ways. Pure NumPy; both are learnt in `detector.training.further_heads`, and stand in the detector's
record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.motion.features import FEATURES

Floats = NDArray[np.float64]
_LARGEST = 1e6  # of any number of a record
_PARTS = ("lowest", "highest", "mean", "deviation", "weight")


@dataclass(frozen=True)
class MotionHead:
    """lowest, highest: what each measure is held within, so that no odd one decides alone; mean, deviation: of what it
    was learnt from; weight: of each in deviations; bias: of the logit; acted: the same of motions by rules, None where
    none taught it.
    """

    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float
    acted: MotionHead | None = None

    def logit(self, measures: NDArray[Any]) -> Floats:
        """measures: (..., len(FEATURES)). Returns (...)."""
        held = np.clip(np.asarray(measures, np.float64), self.lowest, self.highest)
        found = np.asarray((held - self.mean) / self.deviation @ np.asarray(self.weight) + self.bias, np.float64)
        return found if self.acted is None else np.maximum(found, self.acted.logit(measures))

    def as_json(self) -> dict[str, Any]:
        """As a detector's record holds it, the names of its measures with it."""
        record = {"features": list(FEATURES)} | self._numbers()
        return record if self.acted is None else record | {"acted": self.acted._numbers()}

    def _numbers(self) -> dict[str, Any]:
        return {name: list(getattr(self, name)) for name in _PARTS} | {"bias": self.bias}

    @classmethod
    def from_json(cls, record: Any) -> MotionHead:
        """Raises ValueError, KeyError, TypeError or OverflowError for a record that is none, or of other measures."""
        if record["features"] != list(FEATURES):
            raise ValueError("the motion head's features")
        acted = record.get("acted")
        return replace(_line(record), acted=None if acted is None else _line(acted))


def _line(record: Any) -> MotionHead:
    """Raises as `MotionHead.from_json`."""
    lowest, highest, mean, deviation, weight = (tuple(float(value) for value in record[name]) for name in _PARTS)
    head = MotionHead(lowest, highest, mean, deviation, weight, float(record["bias"]))
    parts = (lowest, highest, mean, deviation, weight)
    numbers = [value for part in parts for value in part] + [head.bias]
    if any(len(part) != len(FEATURES) for part in parts) or not (np.abs(numbers) <= _LARGEST).all():
        raise ValueError("the motion head's numbers")  # NaN is not within, either
    if min(head.deviation) < 1 / _LARGEST or any(np.subtract(head.highest, head.lowest) < 0):
        raise ValueError("the motion head's deviation or bounds")
    return head
