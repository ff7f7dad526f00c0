"""What `bench detection` writes: a family at one distance from the training, ablations, the matrix, bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.rows.comparison import BarRow, ClusterCount, Compared, Rates
from benchmarks.rows.row import Interval, Row, read_kind


@dataclass(frozen=True, kw_only=True)
class DistanceRow(Row):
    """A family of fakes in one of the tests E0 to E8; without numbers where `refused` says why."""

    kind: str = "test"
    test: str
    title: str
    family: str
    trained: bool | None = None  # whether the detector learnt from it
    protocol_id: str | None = None
    n: Mapping[str, int] | None = None
    clusters: ClusterCount | None = field(default=None, metadata={"of": ClusterCount})
    coverage: Mapping[str, float] | None = None
    flagged: Mapping[str, Rates] | None = field(default=None, metadata={"each": Rates})
    refused: Mapping[str, str]
    auc: float | None = None
    auc_interval: Interval | None = None
    auc_covered: float | None = None
    shuffles: int | None = None  # draws of labels, whose mean the AUC is
    aucs: tuple[float, ...] | None = None  # of several detectors, whose mean the AUC is
    interval: str | None = None  # what the interval means, where it is not what it is elsewhere in the record
    floor: float | None = None
    met: bool | None = None


@dataclass(frozen=True, kw_only=True)
class AblationRow(Compared):
    """A detector on a family, and its change over the first."""

    kind: str = "ablation"
    train: str
    family: str


@dataclass(frozen=True, kw_only=True)
class MatrixRow(Compared):
    """A detector that was trained on some families, on one family."""

    kind: str = "matrix"
    train: str
    family: str


DetectionRow = DistanceRow | AblationRow | MatrixRow | BarRow
_KINDS: Mapping[str, type[DistanceRow] | type[AblationRow] | type[MatrixRow] | type[BarRow]] = {
    "test": DistanceRow, "ablation": AblationRow, "matrix": MatrixRow, "bar": BarRow,
}  # fmt: skip


def read_detection_row(line: Mapping[str, Any]) -> DetectionRow:
    """By its kind. Raises UsageError."""
    return read_kind(_KINDS, line, "detection")
