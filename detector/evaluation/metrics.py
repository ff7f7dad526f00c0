"""The numbers of a detector, from labels and scores: AUC, AP, EER, TPR at a false-positive rate, and how well scores
are probabilities.

In: labels (N,) of 0 (real) and 1 (fake), scores (N,), the larger the more fake. Out: one number each. What cannot be
measured is refused with the reason: one class only, no scores, NaN, a false-positive rate below 1 / n_real. Ranking
metrics are read off `Curve`, which also takes a row of weights a bootstrap draw (thirty times faster than a call of
scikit-learn's for each draw); they agree with scikit-learn and torchmetrics to 1e-9, ties included, by test. EER by
linear interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import UsageError

Floats = NDArray[np.float64]
ECE_BINS = 15


def auc(positive: Sequence[float] | Floats, negative: Sequence[float] | Floats) -> float:
    """P(a positive scores above a negative) + half the ties. Raises ValueError if either side is empty."""
    p, n = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    if p.size == 0 or n.size == 0:
        raise ValueError("an AUC needs at least one positive and one negative")
    ordered = np.sort(n)
    below, upto = np.searchsorted(ordered, p, "left"), np.searchsorted(ordered, p, "right")
    return float((below + upto).sum() / (2 * p.size * n.size))


def checked(labels: Any, scores: Any) -> tuple[NDArray[np.bool_], Floats]:
    """Labels as booleans (True: fake) and scores as floats. Raises UsageError with the reason for what no metric can be
    taken of.
    """
    given, values = np.asarray(labels), np.asarray(scores, np.float64)
    if given.ndim != 1 or given.shape != values.shape:
        raise UsageError(f"{given.shape} labels and {values.shape} scores", "Give one label a score.")
    if given.size == 0:
        raise UsageError("There is nothing to measure: no scores")
    if not np.isin(given, (0, 1)).all():
        raise UsageError("A label is neither 0 (real) nor 1 (fake)")
    if not np.isfinite(values).all():
        odd = int((~np.isfinite(values)).sum())
        raise UsageError(f"{odd} of {values.size} scores are not finite", "Leave those files without a score.")
    fake = given.astype(bool)
    if fake.all() or not fake.any():
        raise UsageError(f"All {fake.size} are {'fake' if fake.all() else 'real'}: there is nothing to tell apart")
    return fake, values


class Curve:
    """The operating points of scores, from the strictest threshold to the loosest; equal scores are one point.

    `hits`, `alarms`: (draws, points) weights of the fakes and reals at or above `thresholds` (points,), without the
    point where nothing is flagged. Every method returns (draws,): one value for each row of weights, NaN where a row
    has no weight on a class.
    """

    def __init__(self, labels: Any, scores: Any, weights: Floats | None = None) -> None:
        """weights: (draws, N), at least 0; without them one draw of ones. Raises UsageError as `checked` does."""
        fake, values = checked(labels, scores)
        rows = np.ones((1, fake.size)) if weights is None else np.asarray(weights, np.float64)
        order = np.argsort(-values, kind="stable")
        last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))  # the last of each run of equal scores
        self.thresholds = values[order][last]
        sorted_rows, sorted_fake = rows[:, order], fake[order]
        self.hits: Floats = np.cumsum(sorted_rows * sorted_fake, 1)[:, last]
        self.alarms: Floats = np.cumsum(sorted_rows * ~sorted_fake, 1)[:, last]
        self.fakes, self.reals = self.hits[:, -1:], self.alarms[:, -1:]

    def rates(self) -> tuple[Floats, Floats]:
        """True- and false-positive rates (draws, points + 1), from (0, 0) to (1, 1)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return tuple(
                np.pad(part / total, ((0, 0), (1, 0)))
                for part, total in ((self.hits, self.fakes), (self.alarms, self.reals))
            )  # type: ignore[return-value]

    def auc(self) -> Floats:
        """P(a fake scores above a real) + half the ties."""
        tpr, fpr = self.rates()
        return np.asarray((np.diff(fpr) * (tpr[:, 1:] + tpr[:, :-1]) / 2).sum(1), np.float64)

    def average_precision(self) -> Floats:
        """sum (R_n - R_n-1) P_n, without interpolation. Chance is the share of fakes: print it beside."""
        flagged = self.hits + self.alarms
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(flagged > 0, self.hits / flagged, 0.0)
            return self._of_both((np.diff(self.hits / self.fakes, prepend=0) * precision).sum(1))

    def eer(self) -> Floats:
        """Where the false-positive rate equals the miss rate, on the straight line between operating points."""
        tpr, fpr = self.rates()
        gap = fpr + tpr - 1  # -1 at the first point, 1 at the last, rising
        after = np.argmax(gap >= 0, 1)[:, None]
        low, high = (np.take_along_axis(gap, at, 1) for at in (after - 1, after))
        first, second = (np.take_along_axis(fpr, at, 1) for at in (after - 1, after))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((first + (second - first) * (-low / (high - low)))[:, 0], np.float64)

    def tpr_at(self, rate: float) -> Floats:
        """The largest true-positive rate whose false-positive rate is at most `rate`; no interpolation."""
        tpr, fpr = self.rates()
        found = np.where(fpr <= rate + 1e-12, tpr, -np.inf).max(1)
        return self._of_both(found)

    def _of_both(self, values: Floats) -> Floats:
        """NaN for draws in which a class has no weight: what is left there looks like a value, and is none."""
        return np.where((self.fakes > 0)[:, 0] & (self.reals > 0)[:, 0], values, np.nan)


def eer_deepfakebench(labels: Any, scores: Any) -> float:
    """DeepfakeBench's: the false-positive rate at the operating point where it is nearest to the miss rate. No
    interpolation.
    """
    tpr, fpr = Curve(labels, scores).rates()
    return float(fpr[0, np.argmin(np.abs(1 - tpr[0] - fpr[0]))])


def check_rate(rate: float, reals: int) -> None:
    """Raises UsageError for a false-positive rate that `reals` real videos cannot show."""
    if not 0 < rate < 1:
        raise UsageError(f"A false-positive rate of {rate:g} is none", "It lies between 0 and 1.")
    if rate * reals < 1 - 1e-9:
        needed = int(np.ceil(1 / rate - 1e-9))
        raise UsageError(
            f"A false-positive rate of {rate:g} cannot be seen on {reals} reals", f"It needs at least {needed}."
        )


def partial_auc(labels: Any, scores: Any, max_fpr: float) -> float:
    """The standardised area up to `max_fpr` (McClish): .5 is chance, 1 is perfect."""
    from sklearn.metrics import roc_auc_score

    fake, values = checked(labels, scores)
    check_rate(max_fpr, int((~fake).sum()))
    return float(roc_auc_score(fake, values, max_fpr=max_fpr))


def accuracy(labels: Any, scores: Any, threshold: float) -> float:
    """The share that is on its side of `threshold`; a score equal to it is not flagged, as in a scan."""
    fake, values = checked(labels, scores)
    return float(((values > threshold) == fake).mean())


def log_loss(labels: Any, scores: Any) -> float:
    """Of probabilities clipped at 1e-15, as DFDC ranked by."""
    fake, values = checked_probabilities(labels, scores)
    inside = np.clip(values, 1e-15, 1 - 1e-15)
    return float(-np.where(fake, np.log(inside), np.log1p(-inside)).mean())


def brier(labels: Any, scores: Any) -> float:
    """The mean square of probability minus label."""
    from sklearn.metrics import brier_score_loss

    return float(brier_score_loss(*checked_probabilities(labels, scores)))


def calibration_error(labels: Any, scores: Any, bins: int = ECE_BINS, equal_mass: bool = False) -> float:
    """ECE of the probability of fake: |share of fakes - mean probability| over bins of equal width, or of equally many
    scores.
    """
    fake, values = checked_probabilities(labels, scores)
    if equal_mass:
        parts = np.array_split(np.argsort(values, kind="stable"), min(bins, values.size))
    else:
        place = np.clip(
            np.ceil(values * bins).astype(int) - 1, 0, bins - 1
        )  # bins are open to the left, as torchmetrics has them
        parts = [np.flatnonzero(place == i) for i in range(bins)]
    return float(
        sum(abs(fake[part].mean() - values[part].mean()) * part.size for part in parts if part.size) / values.size
    )


def checked_probabilities(labels: Any, scores: Any) -> tuple[NDArray[np.bool_], Floats]:
    """As `checked`. Raises UsageError too for scores outside [0, 1]."""
    fake, values = checked(labels, scores)
    if values.min() < 0 or values.max() > 1:
        reach = f"{values.min():g} to {values.max():g}"
        raise UsageError(f"Scores from {reach} are no probabilities", "Only ranking metrics can be taken of them.")
    return fake, values


def precision_at(prevalence: float, tpr: float, fpr: float) -> float | None:
    """The share of right flags among all flags where `prevalence` of the videos are fake; None if nothing is
    flagged.
    """
    flagged = tpr * prevalence + fpr * (1 - prevalence)
    return tpr * prevalence / flagged if flagged else None
