"""What `bench robustness` writes: a family, and the reals, after a treatment; sets of treatments; softness; bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from itertools import chain
from typing import Any, Self

from benchmarks.rows.comparison import BarRow, Compared, Judged
from benchmarks.rows.row import Estimate, Reader, Row, reader


class FamilyRow(Compared, kind="family"):
    """A family after a treatment."""

    treatment: str
    set_name: str = field(metadata={"key": "set"})
    family: str
    trained: bool  # whether the detector learnt from it


class ComparedReals(Judged):
    """Reals, and how their false-positive rate changed at each threshold. within: not above the exact interval of the
    untouched.
    """

    within: Mapping[str, bool]
    changes: Mapping[str, Estimate]

    def line(self) -> dict[str, Any]:
        """A change has keys of its own, "fpr 0.1 change"; intervals stand after all of them."""
        found = super().line()
        del found["changes"]
        told = [change.line(_change(alpha)).items() for alpha, change in self.changes.items()]
        return found | dict(sorted(chain(*told), key=lambda item: item[0].endswith("_interval")))

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """Raises UsageError when the line lacks a field."""
        changed = [alpha for alpha in line.get("within", {}) if _change(alpha) in line]
        changes = {alpha: Estimate.read(line, _change(alpha)) for alpha in changed}
        return replace(super().read({**line, "changes": {}}), changes=changes)


class RealsRow(ComparedReals, kind="reals"):
    """The reals after a treatment."""

    treatment: str
    set_name: str = field(metadata={"key": "set"})


class SummaryRow(Row, kind="summary"):
    """A set of treatments: AUC of a family, its mean and its worst."""

    set_name: str = field(metadata={"key": "set"})
    family: str
    treatments: int
    mean: float
    worst: float
    worst_treatment: str
    coverage_lowest: float  # of the fakes


class Softness(Row):
    """AUC of "the softer, the more fake"."""

    auc: float
    videos: int


class EquallySharp(Row):
    """The detector's AUC on pairs of equal sharpness."""

    auc: float
    pairs: int


class SharpnessRow(Row, kind="sharpness"):
    """What softness alone tells of a family, and the detector without it; `refused` says why one is None."""

    family: str
    protocol_id: str
    refused: Mapping[str, str]
    alone: Softness | None = None
    matched: EquallySharp | None = None


RobustnessRow = FamilyRow | RealsRow | SummaryRow | SharpnessRow | BarRow
read_robustness_row: Reader[RobustnessRow] = reader("robustness", FamilyRow, RealsRow, SummaryRow, SharpnessRow, BarRow)


def _change(alpha: str) -> str:
    return f"fpr {alpha} change"
