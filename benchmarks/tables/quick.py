"""Full and quick scans side by side as a table of Markdown, for docs/detector.md and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow, Rate
from benchmarks.rows.quick import BenchQuickRow, QuickRow
from benchmarks.tables.markdown import number_text, table_text
from benchmarks.tables.robustness import bars_text


def quick_table(rows: Sequence[BenchQuickRow]) -> str:
    """Reals, fakes, each method; the bars."""
    shown = latest(rows)
    found = [row for row in shown if isinstance(row, QuickRow)]
    alphas = list(found[0].rates) if found else []
    head = (
        "videos", "n", "keyframes decide", *(f"flagged at {alpha}: full, quick" for alpha in alphas),
        *(f"differ at {alpha}" for alpha in alphas), "full scan / quick scan (95 %)",
    )  # fmt: skip
    table = table_text(head, (_cells(row) for row in found))
    return "\n\n".join([table, bars_text([row for row in shown if isinstance(row, BarRow)])])


def _cells(row: QuickRow) -> tuple[str, ...]:
    both = (f"{_count(rates.full)}, {_count(rates.quick)}" for rates in row.rates.values())
    differ = (number_text(rates.differ, ".3f") for rates in row.rates.values())
    return row.family, f"{row.n}", number_text(row.decided, ".2f"), *both, *differ, number_text(row.gain, ".2f")


def _count(rate: Rate) -> str:
    return f"{rate.value:.3f}"
