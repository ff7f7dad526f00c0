"""What `bench temporal` writes: a family that was left out, a feature alone, the bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.rows.comparison import BarRow, ClusterCount
from benchmarks.rows.row import Interval, Row, read_kind


@dataclass(frozen=True, kw_only=True)
class LeftOutRow(Row):
    """A family that the temporal head has not learnt from: AUC with the head, of the logit alone, and the change. n:
    videos by label, and how many were learnt from.
    """

    kind: str = "family"
    family: str
    left_out: bool = True
    n: Mapping[str, int]
    clusters: ClusterCount = field(metadata={"of": ClusterCount})
    refused: Mapping[str, str]
    auc: float | None = None
    auc_interval: Interval | None = None
    auc_logit: float | None = None
    change: float | None = None
    change_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class FeatureRow(Row):
    """How well one feature tells all fakes from all reals."""

    kind: str = "feature"
    feature: str
    auc: float
    n: int


TemporalRow = LeftOutRow | FeatureRow | BarRow
_KINDS: Mapping[str, type[LeftOutRow] | type[FeatureRow] | type[BarRow]] = {
    "family": LeftOutRow, "feature": FeatureRow, "bar": BarRow,
}  # fmt: skip


def read_temporal_row(line: Mapping[str, Any]) -> TemporalRow:
    """By its kind. Raises UsageError."""
    return read_kind(_KINDS, line, "temporal")
