"""What a score is worth at a picture's quality: reals that were compressed, scaled or softened score higher, and must
not be flagged for it.

In: crops as they are judged, and the logits of reals of many qualities. Out: a `QualityNorm`, which turns a logit into
how far it lies above what reals of the same quality have: one threshold then holds for sharp and soft files alike
(conformal prediction of residuals: Vovk, Gammerman and Shafer 2005, section 2.3; Lei et al. 2018, section 2). Nothing
here knows what was done to a file; it is measured in its crops. Pure NumPy and OpenCV: judging does without torch.
Tried, and no better: dividing by an expected spread as well, and a quantile of reals (four in five) instead of their
mean; both raised the rate of false alarms after strong compression.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.inference.crops import TIGHTEN
from sfumato.media.faces import FACE_SHARE

Floats = NDArray[np.float64]
_OCTAVES = 4  # of the crop's pyramid: 1 to 8 px of it, where compression, scaling, blur and noise leave their marks
QUALITIES = (
    *(f"{name} {2**octave} px" for octave in range(_OCTAVES) for name in ("energy", "texture")),
    "contrast",
    "pixels",
    "video",
)
QUANTITIES = ("face", *QUALITIES[:-2])  # what a calibration keeps the range of
_FLOOR = 0.05  # of grey levels squared, and of grey levels: a flat crop has a logarithm too
_FARTHEST = 2.5  # standard deviations from the mean: beyond, the squares know nothing
_LARGEST = 1e6  # of any number of a record
_RIDGE = 30.0  # pulls the coefficients to 0, as so many files would; from 3 to 100 little changes


def qualities(crop: NDArray[np.uint8], pixels: float, video: bool) -> Floats:
    """(len(QUALITIES),) of one judged crop, (S, S, 3) uint8 RGB, that was `pixels` wide in its file, a video or a
    picture.

    Of each octave of the grey crop the logarithms of its variance and of its median absolute value, which texture
    everywhere raises and a few edges do not; of the whole the logarithm of the variance; that of pixels / S, at most 0:
    from there on nothing is enlarged; 1 for a video, whose frames have a codec behind them that photographs have not.
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


def of_video(quality: Sequence[float] | Floats) -> bool:
    """Whether qualities are those of a video's crops, and not of a picture's."""
    return bool(quality[-1] > 0.5)  # the last of QUALITIES


def quantities(quality: Sequence[float] | Floats, side: int) -> dict[str, float]:
    """{one of QUANTITIES: its value} of a file's qualities, for crops of `side` px: the face in px of the file, up to
    the size from which on nothing is enlarged, and the qualities of what is in the crop as they are.
    """
    *looks, pixels, _ = (float(value) for value in quality)
    face = FACE_SHARE / TIGHTEN * side * math.exp(pixels)
    return dict(zip(QUANTITIES, (face, *looks), strict=True))


def sharpness(image: NDArray[np.uint8]) -> float:
    """The variance of the Laplacian of the grey picture, in grey levels squared. image: HWC uint8 RGB."""
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


@dataclass(frozen=True)
class QualityNorm:
    """mean, deviation: of each quality; centre: coefficients of the design (see `_design`) for the logit that a real is
    expected to have; gain, shift: from the distance to that logit to one that is a probability's.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    centre: tuple[float, ...]
    gain: float = 1.0
    shift: float = 0.0

    def line(self, quality: Sequence[float] | Floats) -> tuple[float, float]:
        """(gain, shift) for a file of this quality: gain * logit + shift is its normed logit; the gain is above 0."""
        row = _design(np.asarray(quality, np.float64)[None], np.array(self.mean), np.array(self.deviation))[0]
        return self.gain, self.shift - self.gain * float(row @ np.array(self.centre))

    def as_json(self) -> dict[str, Any]:
        values = {name: list(getattr(self, name)) for name in ("mean", "deviation", "centre")}
        return {"qualities": list(QUALITIES), **values, "gain": self.gain, "shift": self.shift}

    @classmethod
    def from_json(cls, record: Any) -> QualityNorm:
        """Raises ValueError, KeyError, TypeError or OverflowError for a record that is none, or of other qualities."""
        if record["qualities"] != list(QUALITIES):
            raise ValueError(f"qualities {record['qualities']!r}")
        long = {"mean": len(QUALITIES), "deviation": len(QUALITIES), "centre": _terms()}
        parts = {name: tuple(float(value) for value in record[name]) for name in long}
        norm = cls(**parts, gain=float(record["gain"]), shift=float(record["shift"]))
        numbers = [value for part in parts.values() for value in part] + [norm.gain, norm.shift]
        if (
            any(len(parts[name]) != count for name, count in long.items()) or not (np.abs(numbers) <= _LARGEST).all()
        ):  # NaN is not, either
            raise ValueError("the quality norm's numbers")
        if min(norm.deviation) < 1 / _LARGEST or norm.gain < 1 / _LARGEST:
            raise ValueError("the quality norm's deviation or gain")
        return norm


def fit_norm(quality: Floats, logits: Floats) -> QualityNorm:
    """quality: (N, len(QUALITIES)), logits: (N,), of reals: a ridge regression.

    Raises ValueError for too few reals: there must be more of them than coefficients.
    """
    if len(logits) <= _terms():
        raise ValueError(f"a quality norm needs more than {_terms()} copies of reals, these are {len(logits)}")
    mean, deviation = quality.mean(0), np.maximum(quality.std(0), 1e-3)
    design = _design(quality, mean, deviation)
    penalty = _RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0  # the constant is free
    centre = np.linalg.solve(design.T @ design + penalty, design.T @ logits)
    return QualityNorm(tuple(mean.tolist()), tuple(deviation.tolist()), tuple(centre.tolist()))


def _terms() -> int:
    count = len(QUALITIES)
    return 1 + count + count * (count + 1) // 2


def _design(quality: Floats, mean: Floats, deviation: Floats) -> Floats:
    """(N, k) qualities to (N, terms): 1, each of them in standard deviations, and all their products."""
    standard = np.clip((quality - mean) / deviation, -_FARTHEST, _FARTHEST)
    first, second = np.triu_indices(standard.shape[1])
    return np.concatenate([np.ones((len(standard), 1)), standard, standard[:, first] * standard[:, second]], axis=1)
