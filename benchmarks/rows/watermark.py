"""What `bench survival` writes: a treatment, a mark's cost, clips without a mark, fingerprints of wrong pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.rows.row import Interval, Row, read_kind


@dataclass(frozen=True, kw_only=True)
class MarkRow(Row):
    """Of what clips: a digest over them, the seconds taken of each, the longer side in px."""

    method: str
    footage: str
    seconds: float
    max_side: int


@dataclass(frozen=True, kw_only=True)
class CountedRow(MarkRow):
    """Over how many clips, or copies."""

    n: int


@dataclass(frozen=True, kw_only=True)
class SurvivalRow(CountedRow):
    """Of `n` copies after one treatment, how many were read, found and confirmed; of a baseline, read alone."""

    kind: str = "survival"
    treatment: str
    payload: int
    payload_interval: Interval
    recovered: int | None = None
    recovered_interval: Interval | None = None
    confirmed: int | None = None
    wrong: int | None = None
    statistic_lowest: float | None = None
    statistic_median: float | None = None


@dataclass(frozen=True, kw_only=True)
class CostRow(CountedRow):
    """Of `n` clips, the mean and the worst: PSNR in dB, SSIM, CPU of marking over CPU of encoding."""

    kind: str = "cost"
    psnr: float
    ssim: float
    share: float
    psnr_lowest: float
    ssim_lowest: float


@dataclass(frozen=True, kw_only=True)
class UnmarkedRow(CountedRow):
    """Of `n` clips without a mark, how many were taken for marked, and the highest statistic."""

    kind: str = "unmarked"
    detected: int
    statistic_highest: float


@dataclass(frozen=True, kw_only=True)
class FingerprintRow(MarkRow):
    """Distances of fingerprints of different clips: the nearest, and how many at or below the threshold."""

    kind: str = "fingerprint"
    wrong_pairs: int
    lowest: float
    threshold: float
    below: int


_KINDS: Mapping[str, type[MarkRow]] = {
    "survival": SurvivalRow, "cost": CostRow, "unmarked": UnmarkedRow, "fingerprint": FingerprintRow,
}  # fmt: skip


def read_mark_row(line: Mapping[str, Any]) -> MarkRow:
    """By its kind. Raises UsageError."""
    return read_kind(_KINDS, line, "survival")
