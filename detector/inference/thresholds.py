"""What a file's logit is held to: thresholds by false-positive rate, and where among them a logit lies.

In: the thresholds of a calibration, a logit, the rate at which a scan flags. Out: a `Band`. Whether a file is flagged
is decided here and nowhere else: its band is FLAGGED or above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from detector.inference.fusion import probability

STRONG_FPR = 0.001  # a score above the threshold of this rate, or of a stricter one, is strong


class Band(IntEnum):
    """Where a score lies among the thresholds."""

    NONE = -1  # no score
    LOW = 0  # not above the loosest threshold
    RAISED = 1  # above the loosest, not above the one that flags
    FLAGGED = 2  # above the threshold that flags (1 % unless asked otherwise)
    STRONG = 3  # above the strictest (0.1 %), where the calibration carries one

    @property
    def flagged(self) -> bool:
        """Whether the scan flags a file of this band."""
        return self >= Band.FLAGGED


@dataclass(frozen=True)
class Thresholds:
    """The thresholds for files of one kind, pictures or videos.

    logits: {false-positive rate in (0, 1): calibrated logit that a real file exceeds with a probability of at most that
    rate}; empty without a calibration. n_real: how many real clips they were set on, one a person. calibration: the
    first 16 hex digits of its digest. Both None where they are not known.
    """

    logits: Mapping[float, float] = field(default_factory=dict)
    n_real: int | None = None
    calibration: str | None = None

    def exceeded(self, logit: float) -> tuple[float, ...]:
        """The rates whose thresholds a calibrated logit exceeds, the strictest first. Equal is not above."""
        return tuple(sorted(rate for rate, threshold in self.logits.items() if logit > threshold))

    def band(self, logit: float | None, fpr: float) -> Band:
        """The band of a calibrated logit; None: of a file without one. fpr: the false-positive rate that flags.

        Thresholds of looser rates than `fpr` raise, that of `fpr` flags, stricter ones from STRONG_FPR on are strong.
        """
        if logit is None:
            return Band.NONE
        exceeded = self.exceeded(logit)
        if not exceeded:
            return Band.LOW
        if exceeded[0] <= min(fpr, STRONG_FPR):
            return Band.STRONG
        return Band.FLAGGED if exceeded[0] <= fpr else Band.RAISED

    def logit(self, fpr: float) -> float | None:
        """The threshold of a false-positive rate as a calibrated logit; None where the calibration carries none."""
        return next((threshold for rate, threshold in self.logits.items() if abs(rate - fpr) < 1e-9), None)

    def score(self, fpr: float) -> float | None:
        """The same as a calibrated probability in [0, 1]."""
        found = self.logit(fpr)
        return None if found is None else float(probability(found))

    def as_json(self) -> dict[str, Any]:
        """{"0.1": score, ..., "logit": {"0.1": logit, ...}, "n_real", "calibration"}; the keys are rates."""
        scores = {f"{rate:g}": float(probability(threshold)) for rate, threshold in self.logits.items()}
        logits = {f"{rate:g}": threshold for rate, threshold in self.logits.items()}
        return {**scores, "logit": logits, "n_real": self.n_real, "calibration": self.calibration}


def in_words(logits: Mapping[str, float]) -> str:
    """{false-positive rate: logit} of detector.json, as `scan` shows scores."""
    return ", ".join(f"{probability(logit):.3f} at {float(rate):g}" for rate, logit in logits.items())
