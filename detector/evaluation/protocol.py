"""Scores under a protocol: what a detector said of each face of each frame in, one number a unit out.

Levels: `frame` (each sampled frame, the highest of its faces; of a fake whose forged seconds are known, frames outside
them are real), `video` (an aggregate over those), `track` (the highest
aggregate of one person through the file, which a scan reports: one forged person among many counts). Without a face:
`drop` leaves frame and video out, `half` gives .5, `abstain` leaves the video out of rankings, counts it as not flagged
at a threshold, and tells the coverage. All of it is in the protocol's identifier, since one net has three "AUCs" by
protocol.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detector.config import SCAN_FRAMES
from detector.datasets.sample import Sample
from detector.evaluation.choices import AGGREGATORS, LEVELS, NO_FACE, Aggregator, Level, NoFace, Unit
from detector.inference.crops import DETECTOR_CROP
from detector.inference.fusion import pooled, probability
from detector.inference.prediction import Status
from sfumato.errors import UsageError

Floats = NDArray[np.float64]
Track = tuple[tuple[float, float], ...]  # (time, score) of one person
VERSION = 1  # of what the words of a protocol mean
_EDGE = 1e-12  # of a probability, before its logit is taken


@dataclass(frozen=True)
class Scored:
    """One video with everything that was said of it. faceless: sampled frames without a usable face; flagged: {alpha:
    above the threshold set for it}; media: what the container declares, and "size" in bytes.
    """

    sample: Sample
    status: Status
    tracks: tuple[Track, ...] = ()
    faceless: int = 0
    reason: str = ""
    flagged: dict[str, bool] = field(default_factory=dict)
    media: dict[str, Any] = field(default_factory=dict)
    sharpness: float | None = None

    def frames(self) -> Floats:
        """(frames with a face,) the highest score of each, in time."""
        highest: dict[float, float] = {}
        for time, score in (frame for track in self.tracks for frame in track):
            highest[time] = max(score, highest.get(time, -np.inf))
        return np.array([score for _, score in sorted(highest.items())])


def confident(scores: Floats) -> float:
    """The DFDC winner's: the mean of the frames it is sure of, if they are many; else of all."""
    fake, real = scores[scores > 0.8], scores[scores < 0.2]
    if fake.size > scores.size // 2.5 and fake.size > 11:
        return float(fake.mean())
    return float(real.mean() if real.size > 0.9 * scores.size else scores.mean())


def top_k(scores: Floats) -> float:
    """The mean of the highest tenth, at least one."""
    return float(np.sort(scores)[::-1][: -(-scores.size // 10)].mean())


def logit_mean(scores: Floats) -> float:
    """Log-odds pooling."""
    return float(probability(_logit(scores).mean()))


def top_third(scores: Floats) -> float:
    """What `sfumato scan` does: the mean logit of the highest third."""
    return float(probability(pooled(_logit(scores))))


_AGGREGATE: dict[Aggregator, Callable[[Floats], float]] = {
    "mean": lambda scores: float(scores.mean()),
    "max": lambda scores: float(scores.max()),
    "top-k": top_k,
    "confident": confident,
    "logit-mean": logit_mean,
    "top-third": top_third,
}
_NEEDS_PROBABILITIES = ("confident", "logit-mean", "top-third")
GIVEN: Literal["given"] = "given"  # one score a video, aggregated by somebody else


@dataclass(frozen=True)
class Protocol:
    """How scores become numbers. frames: sampled a video, 0: not known; unit: what intervals resample. Raises
    UsageError.
    """

    level: Level = "video"
    aggregator: Aggregator | Literal["given"] = "mean"
    no_face: NoFace = "half"
    frames: int = SCAN_FRAMES
    unit: Unit = "source"

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise UsageError(f"There is no level {self.level!r}", f"Choose one of: {', '.join(LEVELS)}.")
        if self.no_face not in NO_FACE:
            raise UsageError(f"There is no policy {self.no_face!r}", f"Choose one of: {', '.join(NO_FACE)}.")
        if self.aggregator not in (*AGGREGATORS, GIVEN):
            raise UsageError(f"There is no aggregator {self.aggregator!r}", f"Choose one of: {', '.join(AGGREGATORS)}.")

    def record(self, scored: Sequence[Scored]) -> dict[str, Any]:
        """All that the identifier stands for: the words above, how faces are cut, and which videos with which
        labels.
        """
        keys = sorted(json.dumps([*item.sample.key, item.sample.label]) for item in scored)
        names = sorted({(item.sample.dataset, item.sample.split or "", item.sample.compression) for item in scored})
        return {
            "version": VERSION, "level": self.level,
            "aggregator": "highest face" if self.level == "frame" else self.aggregator,
            "no_face": self.no_face, "frames": self.frames, "unit": self.unit,
            "crop": DETECTOR_CROP if self.frames else None,
            "sets": ["/".join(filter(None, name)) for name in names], "videos": len(keys),
            "set_sha256": hashlib.sha256("\n".join(keys).encode()).hexdigest(),
        }  # fmt: skip

    def identifier(self, scored: Sequence[Scored]) -> str:
        """Equal for two numbers exactly if they are of the same videos, taken the same way:
        s1-video-mean-half-1a2b3c4d.
        """
        record = self.record(scored)
        digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:8]
        word = "" if self.level == "frame" else f"-{self.aggregator}"
        return f"s{VERSION}-{self.level}{word}-{self.no_face}-{digest}"


@dataclass(frozen=True)
class Units:
    """What metrics are taken of. labels: (N,) 1 = fake; scores: (N,); of: (N,) the number of the video each belongs
    to.
    """

    labels: NDArray[np.int64]
    scores: Floats
    of: NDArray[np.int64]


def units(scored: Sequence[Scored], protocol: Protocol) -> Units:
    """Raises UsageError for an aggregator that needs probabilities and gets other scores, and for `half` with those."""
    aggregate = _AGGREGATE["mean" if protocol.aggregator == GIVEN else protocol.aggregator]
    if not are_probabilities(scored) and (protocol.no_face == "half" or protocol.aggregator in _NEEDS_PROBABILITIES):
        words = "without a face .5" if protocol.no_face == "half" else protocol.aggregator
        raise UsageError(f"{words!r} means nothing for scores outside [0, 1]", "Choose --no-face abstain and the mean.")
    labels, scores, owners = list[int](), list[float](), list[int]()
    for number, item in enumerate(scored):
        values = _values(item, protocol, aggregate)
        labels += _labels(item, protocol, len(values))
        scores += values
        owners += [number] * len(values)
    return Units(np.array(labels, np.int64), np.array(scores, np.float64), np.array(owners, np.int64))


def are_probabilities(scored: Sequence[Scored]) -> bool:
    """Whether all scores lie in [0, 1]."""
    return all(0 <= score <= 1 for item in scored for track in item.tracks for _, score in track)


def coverage(scored: Sequence[Scored]) -> dict[str, float]:
    """The share of reals, of fakes and of sampled frames that got a score of their own."""
    found: dict[str, float] = {}
    for label in ("real", "fake"):
        statuses = Counter(item.status for item in scored if item.sample.label == label)
        if statuses:
            found[label] = statuses["ok"] / statuses.total()
    seen = sum(item.frames().size for item in scored)
    total = seen + sum(item.faceless for item in scored)
    if total:
        found["frames"] = seen / total
    return found


def _labels(item: Scored, protocol: Protocol, count: int) -> list[int]:
    """1 for every value of a fake; a frame that lies outside what is forged of it is real. Times are known of our own
    scores alone.
    """
    segments, fake = item.sample.fake_segments, int(item.sample.label == "fake")
    if not _by_segment(item, protocol) or segments is None:
        return [fake] * count
    times = sorted({time for track in item.tracks for time, _ in track})
    return [int(any(start <= time <= end for start, end in segments)) for time in times]


def _by_segment(item: Scored, protocol: Protocol) -> bool:
    known = item.sample.label == "fake" and item.sample.fake_segments is not None
    return known and protocol.level == "frame" and protocol.frames > 0


def _values(item: Scored, protocol: Protocol, aggregate: Callable[[Floats], float]) -> list[float]:
    half = protocol.no_face == "half" and not _by_segment(item, protocol)  # when nobody was seen is not known
    if item.status != "ok":
        alone = 1 if protocol.level != "frame" else max(1, item.faceless)
        return [0.5] * alone if half else []
    if protocol.level == "frame":
        return [*item.frames().tolist(), *([0.5] * item.faceless if half else [])]
    if protocol.level == "video":
        return [aggregate(item.frames())]
    return [max(aggregate(np.array([score for _, score in track])) for track in item.tracks)]


def _logit(scores: Floats) -> Floats:
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside), np.float64)
