"""What the detector says of one file: a calibrated score with the tracks and frames behind it, or why there is none.

In: nothing; these are records. Out: `Prediction` and its parts, each with its own JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detector.config import LAYER_HEADS
from detector.inference.explain import Explanation
from detector.inference.frames import MediaFacts
from detector.inference.fusion import Stack
from detector.inference.thresholds import Band, Thresholds
from sfumato.media.faces import Box

Status = Literal["ok", "abstain", "error"]


@dataclass(frozen=True)
class _Plain:
    """What stands in JSON as it is."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Reason(_Plain):
    """code: a short name that stays the same between versions; detail: one sentence for a person, which may hold
    foreign text. The detector's own codes: no_face, face_too_small, too_short, unreadable.
    """

    code: str
    detail: str


@dataclass(frozen=True)
class TrackFrame:
    """One face in one frame. time: seconds; box: (x, y, width, height) px of the frame; score: calibrated probability
    in [0, 1]; logit: the same before squashing; blend, synthesis: the net's two logits, not calibrated; layers: those
    of the heads that read all its layers, in the order of LAYER_HEADS, empty for a net without.
    """

    time: float
    box: Box
    score: float
    logit: float
    blend: float
    synthesis: float
    layers: tuple[float, ...] = ()

    @property
    def evidence(self) -> tuple[float, ...]:
        """All that the net says of the frame, in the order of a stack's heads."""
        return self.blend, self.synthesis, *self.layers

    def as_json(self) -> dict[str, Any]:
        """Rounded: seconds to 4 digits, pixels to 1, the score to 6, the net's logits to 3."""
        return {
            "t": round(self.time, 4),
            "box": [round(value, 1) for value in self.box],
            "score": round(self.score, 6),
            "blend": round(self.blend, 3),
            "synthesis": round(self.synthesis, 3),
            **{name: round(value, 3) for name, value in zip(LAYER_HEADS, self.layers, strict=False)},
        }


@dataclass(frozen=True)
class TrackScore:
    """One person through the file. score: calibrated probability in [0, 1]; logit: the same before squashing; frames:
    in the order of time, at least one; stack: for files of this track's quality; seen: what a calibration keeps the
    range of, by its name in `detector.inference.quality_norm.QUANTITIES`; motion: the logit of how the face moves, not
    calibrated, None where that was not seen.
    """

    identifier: int
    score: float
    logit: float
    frames: tuple[TrackFrame, ...]
    stack: Stack = field(default_factory=Stack)
    seen: Mapping[str, float] = field(default_factory=dict)
    motion: float | None = None

    @property
    def size(self) -> float:
        """The median of the box's longer side, px."""
        return median(max(frame.box[2], frame.box[3]) for frame in self.frames)

    def as_json(self) -> dict[str, Any]:
        """Seconds rounded to 4 digits, pixels to 1."""
        return {
            "id": self.identifier,
            "t0": round(self.frames[0].time, 4),
            "t1": round(self.frames[-1].time, 4),
            "n": len(self.frames),
            "size_px": round(self.size, 1),
            "score": self.score,
            "logit": self.logit,
            **({} if self.motion is None else {"motion": round(self.motion, 3)}),
            "frames": [frame.as_json() for frame in self.frames],
        }


@dataclass(frozen=True)
class Moment:
    """One point of a timeline. time: seconds; score: calibrated probability in [0, 1], the highest of the frame's
    faces.
    """

    time: float
    score: float

    def as_json(self) -> dict[str, float]:
        """Seconds rounded to 4 digits, the score to 6."""
        return {"t": round(self.time, 4), "score": round(self.score, 6)}


@dataclass(frozen=True)
class FrameCounts(_Plain):
    """sampled: frames that were looked at; with_face: those of them that show a face large enough to be judged."""

    sampled: int = 0
    with_face: int = 0


@dataclass(frozen=True)
class ModelFacts(_Plain):
    """Which detector it was. name, version: by its own record, None where that has none; sha256: of its network, 64 hex
    digits; backend: what ran it.
    """

    name: str | None
    version: str | None
    sha256: str
    backend: str


@dataclass(frozen=True)
class Timing:
    """Seconds: reading and decoding, finding and following faces, the net, the explanation, and everything together."""

    decode: float
    detect: float
    classify: float
    explain: float
    total: float

    def as_json(self) -> dict[str, float]:
        """Rounded to 4 digits."""
        return {name: round(seconds, 4) for name, seconds in asdict(self).items()}


@dataclass(frozen=True)
class Prediction:
    """What the detector says of one file.

    score: calibrated probability in [0, 1]; logit: the same before squashing; both None unless status is "ok".
    reasons: why there is no score. timeline: every sampled frame with a face. tracks: the highest first. media: None
    where the file could not be opened. sharpness: the median over the judged crops of the variance of their Laplacian,
    in grey levels squared. explanation: where it was asked for, and there is a score. notes: what was read in another
    way than the file says.
    """

    status: Status
    reasons: tuple[Reason, ...] = ()
    score: float | None = None
    logit: float | None = None
    threshold: Thresholds = field(default_factory=Thresholds)
    timeline: tuple[Moment, ...] = ()
    tracks: tuple[TrackScore, ...] = ()
    media: MediaFacts | None = None
    frames: FrameCounts = field(default_factory=FrameCounts)
    model: ModelFacts | None = None
    timing: Timing | None = None
    sharpness: float | None = None
    explanation: Explanation | None = None
    notes: tuple[str, ...] = ()

    @property
    def deciding(self) -> tuple[TrackFrame, ...]:
        """The frames whose mean is the file's logit: the highest third of the highest track. Empty without a score."""
        frames = sorted(self.tracks[0].frames, key=lambda frame: -frame.logit) if self.tracks else []
        return tuple(frames[: -(-len(frames) // 3)])

    def deciding_evidence(self) -> NDArray[np.float64]:
        """(frames, H): what the heads say of those frames. Raises IndexError without a track."""
        track = self.tracks[0]
        motion = () if track.motion is None else (track.motion,)
        return np.array([(*frame.evidence, *motion) for frame in self.deciding])

    def band(self, fpr: float) -> Band:
        """Where the file's logit lies among its thresholds, `fpr` being the false-positive rate that flags. What no
        threshold was set on is RAISED at most: there a rate says nothing. A track that the calibration covers
        counts beside one that it does not.
        """
        band = self.score_band(fpr)
        if band < Band.FLAGGED or not self.outside:
            return band
        covered = (track for track in self.tracks if not self._outside(track))
        return max([Band.RAISED, *(self.threshold.band(track.logit, fpr) for track in covered)])

    def score_band(self, fpr: float) -> Band:
        """The same of the logit alone, whatever the calibration covers."""
        return self.threshold.band(self.logit if self.status == "ok" else None, fpr)

    @property
    def outside(self) -> tuple[str, ...]:
        """What of the track that decides lies outside of all that the calibration covers, a sentence each; empty where
        nothing does, or where it is not known.
        """
        return self._outside(self.tracks[0]) if self.tracks else ()

    def _outside(self, track: TrackScore) -> tuple[str, ...]:
        covers = self.threshold.covers
        codec = None if self.media is None else self.media.codec
        return () if covers is None else covers.outside(track.seen, codec)
