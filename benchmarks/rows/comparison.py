"""What the benchmarks of the detector have in common: how it was judged, fakes held against their reals, bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.rows.row import Estimate, Row


class JudgedBy(Row):
    """What all numbers of a measurement hang on."""

    footage: str  # sha256 over the digests of the clips
    model: str  # sha256 of the detector
    judging: str | None = None  # the detector and what its scores mean; records of before it was told lack it
    frames: int  # judged of each video
    people: int | None  # how many were drawn; None: all
    seed: int  # of the draw and the bootstrap


class ClusterCount(Row):
    """What intervals resample, and how many of them there are."""

    unit: str
    count: int


@dataclass(frozen=True)
class Rate(Estimate):
    """A share of videos that are flagged. of: how many are, and how many there are."""

    of: tuple[int, int] | None = None


class Rates(Row):
    """What a threshold flags: of the fakes (tpr), of the reals (fpr). None: there are none."""

    tpr: Rate | None = None
    fpr: Rate | None = None


class Judged(Row):
    """Videos that were judged. n: how many by label; coverage: the share of each with a usable face; flagged: by the
    rate at which the detector's threshold was set; refused: what could not be measured, and why.
    """

    protocol_id: str
    n: Mapping[str, int]
    clusters: ClusterCount
    coverage: Mapping[str, float]
    flagged: Mapping[str, Rates]
    refused: Mapping[str, str]


@dataclass(frozen=True)
class VideoEstimate(Estimate):
    """Over all videos. covered: over those with a usable face."""

    covered: float | None = None


class Compared(Judged):
    """Fakes against their reals. change: of AUC, from other scores of the same videos."""

    auc: VideoEstimate | None = None
    change: VideoEstimate | None = None


class BarRow(Row, kind="bar"):
    """What was promised, the value, and whether it is met."""

    test: str | None = None
    n: int | None = None
    set_name: str | None = field(default=None, metadata={"key": "set"})
    bar: str
    value: float
    met: bool
