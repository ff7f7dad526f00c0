"""What several detectors said of the same videos, brought to one score a video and to the videos that all of them
judged.

In: for each detector its `Scored`, one a sample and in the order of the samples. Out: `Panel`: the common videos, each
detector's score of each, and how many every detector judged, abstained on, or failed at. A video at which any detector
failed (an error, or no row in its file) is left out for all, since a difference is only worth something on the same
videos; so is one on which a detector abstained, unless an abstention counts .5 there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.intervals import Clusters
from detector.evaluation.predictions import LACKING
from detector.evaluation.protocol import Protocol, Scored, units
from detector.evaluation.rows import clusters_of
from detector.evaluation.run import EvaluationConfig, fitting
from sfumato.errors import UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """What one detector said. scored: one a sample; frames: how many of a video it looked at, 0 where others did it;
    about: what is known of it (name, version, sha256, file).
    """

    name: str
    scored: Sequence[Scored]
    frames: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """What became of all videos under one detector. judged + abstained + failed: as many as the set has. failures: the
    first (path, reason)s; protocol: the identifier of how its scores were taken on the common videos; means: what that
    stands for.
    """

    name: str
    judged: int
    abstained: int
    failed: int
    failures: tuple[tuple[str, str], ...]
    protocol: str
    means: Mapping[str, Any]
    about: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        about = {name: self.about[name] for name in ABOUT if name in self.about}
        return {
            "name": self.name, "judged": self.judged, "abstained": self.abstained, "failed": self.failed,
            "failures": [list(failure) for failure in self.failures], "protocol": self.protocol, "model": about,
        }  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """The common videos. scored: the first detector's of each (N,), for whose they are; labels: (N,) 1 = fake; scores:
    {name: (N,)}, in the order in which the detectors were given; of: how many videos the set has.
    """

    scored: Sequence[Scored]
    labels: NDArray[np.int64]
    scores: Mapping[str, Floats]
    clusters: Clusters
    tallies: Sequence[Tally]
    of: int


ABOUT = ("name", "version", "sha256", "file")  # of a detector's record, in records
_SHOWN = 20  # failures of a detector that are named


def panel(judged: Sequence[Judged], config: EvaluationConfig) -> Panel:
    """Raises UsageError when two detectors have one name, scores do not fit the protocol, or no video was judged by
    all.
    """
    names = [each.name for each in judged]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Two detectors are called {twice!r}", "Name one of them: --predictions OTHER=FILE.")
    if config.level == "frame":
        raise UsageError("Detectors do not look at the same frames", "Choose --level video, or track.")
    values, protocols = list[dict[int, float]](), list[Protocol]()
    for each in judged:
        protocol = fitting(each.scored, dataclasses.replace(config, frames=each.frames), "source")
        try:
            taken = units(each.scored, protocol)
        except UsageError as error:
            raise UsageError(f"{each.name}: {error.message}", error.advice) from error
        protocols.append(protocol)
        failed = {number for number, item in enumerate(each.scored) if _failed(item)}
        values.append(
            {
                int(number): float(score)
                for number, score in zip(taken.of, taken.scores, strict=True)
                if number not in failed
            }
        )
    common = sorted(set.intersection(*(set(each) for each in values)))
    if not common:
        told = "; ".join(f"{each.name} judged {len(found)}" for each, found in zip(judged, values, strict=True))
        reasons = sorted({item.reason for each in judged for item in each.scored if _failed(item)})
        raise UsageError(
            f"No video was judged by all of the detectors ({told})", f"The first reason: {(reasons or ['none'])[0]}."
        )
    kept = [judged[0].scored[number] for number in common]
    clusters = clusters_of(kept, config.unit)
    tallies = [
        _tally(each, dataclasses.replace(protocol, unit=clusters.unit), common)
        for each, protocol in zip(judged, protocols, strict=True)
    ]
    return Panel(
        kept,
        np.array([int(item.sample.label == "fake") for item in kept], np.int64),
        {each.name: np.array([found[n] for n in common]) for each, found in zip(judged, values, strict=True)},
        clusters,
        tallies,
        len(judged[0].scored),
    )


def _failed(item: Scored) -> bool:
    return item.status == "error" or (item.status == "abstain" and item.reason == LACKING)


def _tally(judged: Judged, protocol: Protocol, common: Sequence[int]) -> Tally:
    failures = [(str(item.sample.path), item.reason) for item in judged.scored if _failed(item)]
    ok = sum(item.status == "ok" for item in judged.scored)
    part = [judged.scored[number] for number in common]
    return Tally(
        judged.name, ok, len(judged.scored) - ok - len(failures), len(failures), tuple(failures[:_SHOWN]),
        protocol.identifier(part), protocol.record(part), judged.about,
    )  # fmt: skip
