"""What tables of Markdown are written with. Cells and estimates in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.rows.row import Estimate, Interval


def table_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The names of the columns, and a line for each of `rows`, which holds as many cells; empty without rows."""
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines]) if lines else ""


def interval_text(interval: Interval, form: str) -> str:
    """Low to high. form: of each, as ".3f"."""
    return f"{interval[0]:{form}} to {interval[1]:{form}}"


def number_text(estimate: Estimate | None, form: str) -> str:
    """A number and its interval, as far as they were measured. form: of both, as ".3f"."""
    if estimate is None:
        return ""
    low_to_high = f" ({interval_text(estimate.interval, form)})" if estimate.interval is not None else ""
    return f"{estimate.value:{form}}{low_to_high}"
