"""What `bench robustness` writes: a family, and the reals, after a treatment; sets of treatments; softness; bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from benchmarks.rows.comparison import BarRow, Compared, Judged
from benchmarks.rows.row import Interval, Row, read_kind


@dataclass(frozen=True, kw_only=True)
class FamilyRow(Compared):
    """A family after a treatment."""

    kind: str = "family"
    treatment: str
    set_name: str = field(metadata={"key": "set"})
    family: str
    trained: bool  # whether the detector learnt from it


@dataclass(frozen=True, kw_only=True)
class Change:
    """Of a rate."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class ComparedReals(Judged):
    """Reals, and how their false-positive rate changed at each threshold. within: not above the exact interval of the
    untouched.
    """

    within: Mapping[str, bool]
    changes: Mapping[str, Change]

    def line(self) -> dict[str, Any]:
        """A change has keys of its own, "fpr 0.1 change"."""
        found = super().line()
        del found["changes"]
        for alpha, change in self.changes.items():
            found[_change(alpha)] = change.value
        bounds = {alpha: change.interval for alpha, change in self.changes.items() if change.interval is not None}
        return found | {f"{_change(alpha)}_interval": interval for alpha, interval in bounds.items()}

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """Raises UsageError when the line lacks a field."""
        changes = {}
        for alpha in line.get("within", {}):
            if _change(alpha) in line:
                bounds = line.get(f"{_change(alpha)}_interval")
                changes[alpha] = Change(value=line[_change(alpha)], interval=tuple(bounds) if bounds else None)
        return super().read({**line, "changes": changes})


@dataclass(frozen=True, kw_only=True)
class RealsRow(ComparedReals):
    """The reals after a treatment."""

    kind: str = "reals"
    treatment: str
    set_name: str = field(metadata={"key": "set"})


@dataclass(frozen=True, kw_only=True)
class SummaryRow(Row):
    """A set of treatments: AUC of a family, its mean and its worst."""

    kind: str = "summary"
    set_name: str = field(metadata={"key": "set"})
    family: str
    treatments: int
    mean: float
    worst: float
    worst_treatment: str
    coverage_lowest: float  # of the fakes


@dataclass(frozen=True, kw_only=True)
class Softness(Row):
    """AUC of "the softer, the more fake"."""

    auc: float
    videos: int


@dataclass(frozen=True, kw_only=True)
class EquallySharp(Row):
    """The detector's AUC on pairs of equal sharpness."""

    auc: float
    pairs: int


@dataclass(frozen=True, kw_only=True)
class SharpnessRow(Row):
    """What softness alone tells of a family, and the detector without it; `refused` says why one is None."""

    kind: str = "sharpness"
    family: str
    protocol_id: str
    refused: Mapping[str, str]
    alone: Softness | None = field(default=None, metadata={"of": Softness})
    matched: EquallySharp | None = field(default=None, metadata={"of": EquallySharp})


RobustnessRow = FamilyRow | RealsRow | SummaryRow | SharpnessRow | BarRow
_KINDS: Mapping[
    str, type[FamilyRow] | type[RealsRow] | type[SummaryRow] | type[SharpnessRow] | type[BarRow]
] = {
    "family": FamilyRow, "reals": RealsRow, "summary": SummaryRow, "sharpness": SharpnessRow, "bar": BarRow,
}  # fmt: skip


def read_robustness_row(line: Mapping[str, Any]) -> RobustnessRow:
    """By its kind. Raises UsageError."""
    return read_kind(_KINDS, line, "robustness")


def _change(alpha: str) -> str:
    return f"fpr {alpha} change"
