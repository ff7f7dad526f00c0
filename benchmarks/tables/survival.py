"""The survival benchmark as a table of Markdown, for docs/durable.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows.watermark import CostRow, FingerprintRow, MarkRow, SurvivalRow, UnmarkedRow


def survival_table(rows: Sequence[MarkRow]) -> str:
    """One line a treatment: shares of clips; then what the marks cost, and what was wrong."""
    survival = [row for row in rows if isinstance(row, SurvivalRow)]
    ours = [row for row in survival if row.recovered is not None]
    baseline = {row.treatment: row for row in survival if row.recovered is None}
    other = "" if not baseline else " dwtDctSvd: payload read |"
    lines = [
        f"| treatment | payload read | 95 % | manifest recovered | confirmed | wrong |{other}",
        "|---|---|---|---|---|---|" + ("---|" if baseline else ""),
    ]
    for row in ours:
        n = row.n
        low, high = row.payload_interval
        beside = f" {_share(baseline[row.treatment].payload, n)} |" if row.treatment in baseline else ""
        lines.append(
            f"| {row.treatment} | {_share(row.payload, n)} | {low:.3f} to {high:.3f} | "
            f"{_share(row.recovered, n)} "
            f"| {_share(row.confirmed, n)} | {row.wrong} |{beside}"
        )
    lines += ["", *_notes(rows)]
    return "\n".join(lines)


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


def _share(hits: int | None, of: int) -> str:
    return f"{hits / of:.3f}" if of and hits is not None else "-"
