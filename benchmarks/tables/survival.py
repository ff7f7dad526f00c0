"""The survival benchmark as a table of Markdown, for docs/durable.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows.watermark import CostRow, FingerprintRow, MarkRow, SurvivalRow, UnmarkedRow
from benchmarks.tables.markdown import interval_text, table_text


def survival_table(rows: Sequence[MarkRow]) -> str:
    """One line a treatment: shares of clips; then what the marks cost, and what was wrong."""
    survival = [row for row in rows if isinstance(row, SurvivalRow)]
    ours = [row for row in survival if row.recovered is not None]
    baseline = {row.treatment: row for row in survival if row.recovered is None}
    other = ("dwtDctSvd: payload read",) if baseline else ()
    head = ("treatment", "payload read", "95 %", "manifest recovered", "confirmed", "wrong", *other)
    lines = []
    for row in ours:
        interval = "" if row.payload.interval is None else interval_text(row.payload.interval, ".3f")
        recovered = None if row.recovered is None else row.recovered.value
        shares = [_share(row.payload.value, row.n), interval, _share(recovered, row.n), _share(row.confirmed, row.n)]
        beside = [_share(baseline[row.treatment].payload.value, row.n)] if row.treatment in baseline else []
        lines.append((row.treatment, *shares, f"{row.wrong}", *beside))
    return "\n".join([table_text(head, lines), "", *_notes(rows)])


def _notes(rows: Sequence[MarkRow]) -> list[str]:
    notes = []
    for row in rows:
        if isinstance(row, CostRow):
            notes.append(
                f"{row.method}: PSNR {row.psnr:.1f} dB (lowest clip {row.psnr_lowest:.1f}), SSIM "
                f"{row.ssim:.4f} "
                f"(lowest {row.ssim_lowest:.4f}), marking costs {row.share:.2f} of the CPU of "
                f"encoding, {row.n} clips."
            )
        elif isinstance(row, UnmarkedRow):
            notes.append(
                f"Without a mark: {row.detected} of {row.n} clips taken for marked; highest "
                f"statistic {row.statistic_highest:.1f}."
            )
        elif isinstance(row, FingerprintRow):
            notes.append(
                f"Fingerprints of {row.wrong_pairs} wrong pairs: nearest {row.lowest:.3f}, "
                f"{row.below} at or below the threshold "
                f"of {row.threshold:.2f}."
            )
    return [line for note in notes for line in (note, "")][:-1]


def _share(hits: float | None, of: int) -> str:
    return f"{hits / of:.3f}" if of and hits is not None else "-"
