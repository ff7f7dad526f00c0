"""What a score is worth at a picture's quality: reals that were compressed, scaled or softened score higher, and must not be flagged for
it.

In: crops as they are judged, and the logits of reals of many qualities. Out: a `QualityNorm`, which turns a logit into how far it lies
above what four in five reals of the same quality stay below: one threshold then holds for sharp and soft files alike (conformalized
quantile regression: Romano, Patterson and Candes 2019). Nothing here knows what was done to a file; it is measured in its crops. Judging
takes NumPy and OpenCV alone. Held to the mean of reals instead, the loose threshold held a little less well on videos that were made
smaller; held to their upper decile, where few reals are to learn from, worse on strongly compressed pictures; divided by an expected
spread, no better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_OCTAVES = 4  # of the crop's pyramid: 1 to 8 px of it, where compression, scaling, blur and noise leave their marks
QUALITIES = (*(f"{name} {2**octave} px" for octave in range(_OCTAVES) for name in ("energy", "texture")), "contrast", "pixels", "video")
_FLOOR = 0.05  # of grey levels squared, and of grey levels: a flat crop has a logarithm too
_FARTHEST = 2.5  # standard deviations from the mean: beyond, the squares know nothing
_LARGEST = 1e6  # of any number of a record
_QUANTILE = 0.8  # of the reals of a quality: towards where the thresholds lie, and still with reals enough beyond
_SMOOTH = 0.05  # of the logits' spread: so near the quantile its loss is round, so that it can be minimised
_RIDGE = 3.0  # pulls the coefficients to 0; from 1 to 10 little changes


def qualities(crop: NDArray[np.uint8], pixels: float, video: bool) -> Floats:
    """(len(QUALITIES),) of one judged crop, (S, S, 3) uint8 RGB, that was `pixels` wide in its file, a video or a picture.

    Of each octave of the grey crop the logarithms of its variance and of its median absolute value, which texture everywhere raises and a
    few edges do not; of the whole the logarithm of the variance; that of pixels / S, at most 0: from there on nothing is enlarged; 1 for a
    video, whose frames have a codec behind them that photographs have not.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found: list[float] = []
    octave: NDArray[Any] = grey
    for _ in range(_OCTAVES):
        low = cv2.GaussianBlur(octave, (0, 0), 1.0)
        detail = octave - low
        found += [float(np.log(detail.var() + _FLOOR)), float(np.log(np.median(np.abs(detail)) + _FLOOR))]
        octave = cv2.resize(low, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.array([*found, float(np.log(grey.var() + 1)), float(np.log(min(1.0, pixels / len(crop)))), float(video)])


@dataclass(frozen=True)
class QualityNorm:
    """mean, deviation: of each quality; centre: coefficients of the design (see `_design`) for the logit four in five reals stay below;
    gain, shift: from the distance to that logit to one that is a probability's."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    centre: tuple[float, ...]
    gain: float = 1.0
    shift: float = 0.0

    def line(self, quality: Sequence[float] | Floats) -> tuple[float, float]:
        """(gain, shift) for a file of this quality: gain * logit + shift is its normed logit; the gain is above 0."""
        row = _design(np.asarray(quality, np.float64)[None], np.array(self.mean), np.array(self.deviation))[0]
        return self.gain, self.shift - self.gain * float(row @ np.array(self.centre))

    def as_record(self) -> dict[str, Any]:
        values = {name: list(getattr(self, name)) for name in ("mean", "deviation", "centre")}
        return {"qualities": list(QUALITIES), **values, "gain": self.gain, "shift": self.shift}

    @classmethod
    def from_record(cls, record: Any) -> QualityNorm:
        """Raises ValueError, KeyError, TypeError or OverflowError for a record that is none, or of other qualities."""
        if record["qualities"] != list(QUALITIES):
            raise ValueError(f"qualities {record['qualities']!r}")
        long = {"mean": len(QUALITIES), "deviation": len(QUALITIES), "centre": _terms()}
        parts = {name: tuple(float(value) for value in record[name]) for name in long}
        norm = cls(**parts, gain=float(record["gain"]), shift=float(record["shift"]))
        numbers = [value for part in parts.values() for value in part] + [norm.gain, norm.shift]
        if any(len(parts[name]) != count for name, count in long.items()) or not (np.abs(numbers) <= _LARGEST).all():  # NaN is not, either
            raise ValueError("the quality norm's numbers")
        if min(norm.deviation) < 1 / _LARGEST or norm.gain < 1 / _LARGEST:
            raise ValueError("the quality norm's deviation or gain")
        return norm


def fit_norm(quality: Floats, logits: Floats) -> QualityNorm:
    """quality: (N, len(QUALITIES)), logits: (N,), of reals: a regression of their quantile (Koenker and Bassett 1978) with a ridge.

    Raises ValueError for too few reals: there must be more of them than coefficients.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    if len(logits) <= _terms():
        raise ValueError(f"a quality norm needs more than {_terms()} copies of reals, these are {len(logits)}")
    mean, deviation = quality.mean(0), np.maximum(quality.std(0), 1e-3)
    design = _design(quality, mean, deviation)
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[0] = 0.0  # the constant is free
    start = np.zeros(design.shape[1])
    start[0] = np.quantile(logits, _QUANTILE)
    smooth = max(_SMOOTH * float(logits.std()), 1e-6)

    def cost(centre: Floats) -> tuple[float, Floats]:
        above = logits - design @ centre
        losses = (_QUANTILE - 1) * above + smooth * np.logaddexp(0.0, above / smooth)
        slopes = _QUANTILE - 1 + expit(above / smooth)
        return float(losses.sum() + (penalty * centre**2).sum() / 2), penalty * centre - design.T @ slopes

    centre = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    return QualityNorm(tuple(mean.tolist()), tuple(deviation.tolist()), tuple(centre.tolist()))


def _terms() -> int:
    count = len(QUALITIES)
    return 1 + count + count * (count + 1) // 2


def _design(quality: Floats, mean: Floats, deviation: Floats) -> Floats:
    """(N, k) qualities to (N, terms): 1, each of them in standard deviations, and all their products."""
    standard = np.clip((quality - mean) / deviation, -_FARTHEST, _FARTHEST)
    first, second = np.triu_indices(standard.shape[1])
    return np.concatenate([np.ones((len(standard), 1)), standard, standard[:, first] * standard[:, second]], axis=1)

