"""What the benchmarks of the detector have in common: how it was judged, fakes held against their reals, bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.rows.row import Interval, Row


@dataclass(frozen=True, kw_only=True)
class JudgedBy(Row):
    """What all numbers of a measurement hang on."""

    footage: str  # sha256 over the digests of the clips
    model: str  # sha256 of the detector
    judging: str | None = None  # the detector and what its scores mean; records of before it was told lack it
    frames: int  # judged of each video
    people: int | None  # how many were drawn; None: all
    seed: int  # of the draw and the bootstrap


@dataclass(frozen=True, kw_only=True)
class ClusterCount(Row):
    """What intervals resample, and how many of them there are."""

    unit: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Rates(Row):
    """How many fakes (tpr) and reals (fpr) a threshold flags; `_of`: flagged, and how many there are. None: there are
    none.
    """

    tpr: float | None = None
    tpr_interval: Interval | None = None
    tpr_of: tuple[int, int] | None = None
    fpr: float | None = None
    fpr_interval: Interval | None = None
    fpr_of: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Judged(Row):
    """Videos that were judged. n: how many by label; coverage: the share of each with a usable face; flagged: by the
    rate at which the detector's threshold was set; refused: what could not be measured, and why.
    """

    protocol_id: str
    n: Mapping[str, int]
    clusters: ClusterCount = field(metadata={"of": ClusterCount})
    coverage: Mapping[str, float]
    flagged: Mapping[str, Rates] = field(metadata={"each": Rates})
    refused: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Compared(Judged):
    """Fakes against their reals. change: of AUC, from other scores of the same videos; `_covered`: where a face is
    usable.
    """

    auc: float | None = None
    auc_interval: Interval | None = None
    auc_covered: float | None = None
    change: float | None = None
    change_interval: Interval | None = None
    change_covered: float | None = None


@dataclass(frozen=True, kw_only=True)
class BarRow(Row):
    """What was promised, the value, and whether it is met."""

    kind: str = "bar"
    test: str | None = None
    n: int | None = None
    set_name: str | None = field(default=None, metadata={"key": "set"})
    bar: str
    value: float
    met: bool
