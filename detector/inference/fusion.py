"""Several kinds of evidence to one score: any of them is enough. Pure NumPy, because judging does without torch.

In: (..., H) logits, one a head. Out: one calibrated logit. Each head is scaled and shifted, then they join as "blended
or synthesised or moved by a network": 1 - (1 - p_1)(1 - p_2)... Monotone in all, so no evidence can excuse another.
What was not looked at is -inf, and adds nothing. What a head is worth depends on whether it looks at a picture or a
video, and what the joint logit is worth on the file's quality: `Stack.at` gives the stack for files of one quality.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.config import HEADS, LAYER_HEADS, MOTION
from detector.inference.quality_norm import QualityNorm, of_video

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """`scale` and `offset` of each head. A scale of 0 leaves a head out."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return {"scale": list(self.scale), "offset": list(self.offset)}

    @classmethod
    def from_json(cls, record: Any) -> Lines:
        """Raises KeyError, TypeError, ValueError or OverflowError for what is none."""
        scale, offset = (tuple(float(value) for value in record[name]) for name in ("scale", "offset"))
        if not all(math.isfinite(value) for value in (*scale, *offset)):
            raise ValueError("the stack's scale or offset")
        return cls(scale, offset)


@dataclass(frozen=True)
class Stack:
    """`scale` and `offset` of each of `heads`, and `pictures`: the same for pictures, where they are judged otherwise
    than videos. A scale of 0 leaves out a head that was never trained.

    `gain`, `shift`: from what the heads say together to a probability's logit. `norm`: what files of each quality are
    held to; without one all are alike.
    """

    scale: tuple[float, ...] = (1.0, 1.0)
    offset: tuple[float, ...] = (0.0, 0.0)
    norm: QualityNorm | None = None
    gain: float = 1.0
    shift: float = 0.0
    heads: tuple[str, ...] = HEADS
    pictures: Lines | None = None

    def __post_init__(self) -> None:
        for lines in (Lines(self.scale, self.offset), *([self.pictures] if self.pictures else [])):
            if not len(self.heads) == len(lines.scale) == len(lines.offset):
                raise ValueError(f"{len(self.heads)} heads, {len(lines.scale)} scales, {len(lines.offset)} offsets")

    def as_json(self) -> dict[str, Any]:
        """The stack for all files, as a detector's record holds it."""
        return {
            "heads": list(self.heads),
            **Lines(self.scale, self.offset).as_json(),
            "pictures": self.pictures.as_json() if self.pictures else None,
            "gain": self.gain,
            "shift": self.shift,
            "norm": self.norm.as_json() if self.norm else None,
        }

    @classmethod
    def from_json(cls, record: Any) -> Stack:
        """Raises ValueError, KeyError, TypeError or OverflowError for a record that is none."""
        norm = QualityNorm.from_json(record["norm"]) if record.get("norm") else None
        heads = tuple(str(name) for name in record.get("heads", HEADS))
        if (
            heads[: len(HEADS)] != HEADS
            or not set(heads) <= {*HEADS, *LAYER_HEADS, MOTION}
            or len(set(heads)) < len(heads)
        ):
            raise ValueError(f"heads {heads!r}"[:200])
        videos = Lines.from_json(record)
        pictures = Lines.from_json(record["pictures"]) if record.get("pictures") else None
        gain, shift = float(record.get("gain", 1.0)), float(record.get("shift", 0.0))
        if not (0 < gain < math.inf and math.isfinite(shift)):
            raise ValueError("the stack's gain or shift")
        return cls(videos.scale, videos.offset, norm, gain, shift, heads, pictures)

    def at(self, quality: Sequence[float] | Floats) -> Stack:
        """The stack for files of this quality (see `detector.inference.quality_norm`), pictures or videos: among those
        of one kind the same order of scores, moved and stretched.
        """
        lines = Lines(self.scale, self.offset) if of_video(quality) or self.pictures is None else self.pictures
        gain, shift = (1.0, 0.0) if self.norm is None else self.norm.line(quality)
        return Stack(lines.scale, lines.offset, None, gain * self.gain, gain * self.shift + shift, self.heads)

    def logit(self, evidence: NDArray[Any]) -> Floats:
        """evidence: (..., H), or fewer: what the last heads would say is then not known. Returns (...)."""
        return np.asarray(self.gain * joined(self._whole(evidence), self.scale, self.offset) + self.shift, np.float64)

    def each(self, evidence: NDArray[Any]) -> Floats:
        """evidence: (..., H). Returns (..., H): each head's own calibrated logit, -inf for one never trained or not
        known. None exceeds `logit`.
        """
        return np.asarray(self.gain * self._own(evidence) + self.shift, np.float64)

    def weights(self, evidence: NDArray[Any]) -> Floats:
        """evidence: (..., H). Returns (..., H): by how much `logit` grows with each, its gradient."""
        own = self._own(evidence)
        hidden = np.logaddexp(0.0, own).sum(-1, keepdims=True)  # -log prod(1 - p_i), as in `joined`
        return np.asarray(
            self.gain * np.asarray(self.scale) * probability(own) / -np.expm1(-np.maximum(hidden, 1e-300)), np.float64
        )

    def _own(self, evidence: NDArray[Any]) -> Floats:
        scale, offset = np.asarray(self.scale), np.asarray(self.offset)
        used = np.where(scale > 0, scale, 1.0)  # 0 times what is not known would be no number
        return np.asarray(np.where(scale > 0, used * self._whole(evidence) + offset, -np.inf), np.float64)

    def _whole(self, evidence: NDArray[Any]) -> Floats:
        """(..., H) with -inf for the heads that it does not reach to."""
        known = np.asarray(evidence, np.float64)
        missing = len(self.heads) - known.shape[-1]
        return np.concatenate([known, np.full((*known.shape[:-1], missing), -np.inf)], -1) if missing else known


def joined(evidence: Floats, scale: Sequence[float], offset: Sequence[float]) -> Floats:
    """log(p / (1 - p)) of p = 1 - prod(1 - p_i) over the heads with scale > 0, stable at both ends."""
    used = [i for i, s in enumerate(scale) if s > 0]
    if not used:
        return np.zeros(evidence.shape[:-1])
    hidden = sum(np.logaddexp(0.0, scale[i] * evidence[..., i] + offset[i]) for i in used)  # -log prod(1 - p_i)
    hidden = np.asarray(hidden, np.float64)
    return np.where(hidden > 30, hidden, np.log(np.expm1(np.clip(hidden, 1e-300, 30))))


def pooled(logits: NDArray[Any] | Sequence[float]) -> float:
    """One logit for the frames of a track: the mean of the highest third. Raises ValueError for no frames.

    A warped portrait gives itself away in the frames where it moves; at rest it is nearly the picture it was made from.
    """
    ordered = np.sort(np.asarray(logits, np.float64))[::-1]
    if not ordered.size:
        raise ValueError("a track has at least one frame")
    return float(ordered[: -(-ordered.size // 3)].mean())


def probability(logit: Any) -> Any:
    """The logistic function, without overflow; array or number."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logit, np.float64)))
