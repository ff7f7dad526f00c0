"""What `bench survival` writes: a treatment, a mark's cost, clips without a mark, fingerprints of wrong pairs."""

from __future__ import annotations

from benchmarks.rows.row import Estimate, Reader, Row, reader


class MarkRow(Row):
    """Of what clips: a digest over them, the seconds taken of each, the longer side in px."""

    method: str
    footage: str
    seconds: float
    max_side: int


class CountedRow(MarkRow):
    """Over how many clips, or copies."""

    n: int


class SurvivalRow(CountedRow, kind="survival"):
    """Of `n` copies after one treatment, how many were read, found and confirmed; of a baseline, read alone. Intervals
    are of the shares.
    """

    treatment: str
    payload: Estimate
    recovered: Estimate | None = None
    confirmed: int | None = None
    wrong: int | None = None
    statistic_lowest: float | None = None
    statistic_median: float | None = None


class CostRow(CountedRow, kind="cost"):
    """Of `n` clips, the mean and the worst: PSNR in dB, SSIM, CPU of marking over CPU of encoding."""

    psnr: float
    ssim: float
    share: float
    psnr_lowest: float
    ssim_lowest: float


class UnmarkedRow(CountedRow, kind="unmarked"):
    """Of `n` clips without a mark, how many were taken for marked, and the highest statistic."""

    detected: int
    statistic_highest: float


class FingerprintRow(MarkRow, kind="fingerprint"):
    """Distances of fingerprints of different clips: the nearest, and how many at or below the threshold."""

    wrong_pairs: int
    lowest: float
    threshold: float
    below: int


read_mark_row: Reader[MarkRow] = reader("survival", SurvivalRow, CostRow, UnmarkedRow, FingerprintRow)
