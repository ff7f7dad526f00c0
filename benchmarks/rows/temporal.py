"""What `bench temporal` writes: a family that was left out, a feature alone, the bar."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.rows.comparison import BarRow, ClusterCount
from benchmarks.rows.row import Estimate, Reader, Row, reader


class LeftOutRow(Row, kind="family"):
    """A family that the temporal head has not learnt from: AUC with the head, of the logit alone, and the change. n:
    videos by label, and how many were learnt from.
    """

    family: str
    left_out: bool = True
    n: Mapping[str, int]
    clusters: ClusterCount
    refused: Mapping[str, str]
    auc: Estimate | None = None
    auc_logit: float | None = None
    change: Estimate | None = None


class FeatureRow(Row, kind="feature"):
    """How well one feature tells all fakes from all reals."""

    feature: str
    auc: float
    n: int


TemporalRow = LeftOutRow | FeatureRow | BarRow
read_temporal_row: Reader[TemporalRow] = reader("temporal", LeftOutRow, FeatureRow, BarRow)
