"""What `bench detection` writes: a family at one distance from the training, ablations, the matrix, bars."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.rows.comparison import BarRow, ClusterCount, Compared, Rates, VideoEstimate
from benchmarks.rows.row import Reader, Row, reader


class DistanceRow(Row, kind="test"):
    """A family of fakes in one of the tests E0 to E8; without numbers where `refused` says why."""

    test: str
    title: str
    family: str
    trained: bool | None = None  # whether the detector learnt from it
    protocol_id: str | None = None
    n: Mapping[str, int] | None = None
    clusters: ClusterCount | None = None
    coverage: Mapping[str, float] | None = None
    flagged: Mapping[str, Rates] | None = None
    refused: Mapping[str, str]
    auc: VideoEstimate | None = None
    shuffles: int | None = None  # draws of labels, whose mean the AUC is
    aucs: tuple[float, ...] | None = None  # of several detectors, whose mean the AUC is
    interval: str | None = None  # what the interval means, where it is not what it is elsewhere in the record
    floor: float | None = None
    met: bool | None = None


class AblationRow(Compared, kind="ablation"):
    """A detector on a family, and its change over the first."""

    train: str
    family: str


class MatrixRow(Compared, kind="matrix"):
    """A detector that was trained on some families, on one family."""

    train: str
    family: str


DetectionRow = DistanceRow | AblationRow | MatrixRow | BarRow
read_detection_row: Reader[DetectionRow] = reader("detection", DistanceRow, AblationRow, MatrixRow, BarRow)
