"""Fakes by others as tables of Markdown, for MODEL_CARD.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.others import GroupRow, MethodRow, OthersRow
from benchmarks.tables.markdown import number_text, table_text
from benchmarks.tables.robustness import bars_text


def others_table(rows: Sequence[OthersRow]) -> str:
    """A line a method and detector, with the shortcuts; a line a group of reals; the bars."""
    shown = latest(rows)
    head = ("detector", "method", "learnt", "fakes, reals", "against", "AUC (95 %)", "metadata alone", "softness alone")
    methods = table_text(head, (_method(row) for row in shown if isinstance(row, MethodRow)))
    groups = [row for row in shown if isinstance(row, GroupRow)]
    alphas = sorted({alpha for row in groups for alpha in row.flagged}, key=float, reverse=True)
    rates = [f"FPR at {alpha} (95 %)" for alpha in alphas]
    across = ("detector", "reals", "kind", "files", "people or sources", *rates, "coverage")
    alarms = table_text(across, (_group(row, alphas) for row in groups))
    bars = bars_text([row for row in shown if isinstance(row, BarRow)])
    return "\n\n".join(part for part in (methods, alarms, bars) if part)


def _method(row: MethodRow) -> tuple[str, ...]:
    sizes = f"{row.n['fake']}, {row.n['real']}"
    auc = number_text(row.auc, ".3f") if row.auc is not None else f"not measured: {'; '.join(row.refused.values())}"
    alone = (f"{value:.3f}" if value is not None else "" for value in (row.metadata, row.softness))
    return row.detector, row.method, "yes" if row.learnt else "no", sizes, row.against, auc, *alone


def _group(row: GroupRow, alphas: Sequence[str]) -> tuple[str, ...]:
    rates = (number_text(row.flagged[a].fpr if a in row.flagged else None, ".3f") for a in alphas)
    counts = f"{row.n['real']}", f"{row.clusters.count}"
    return row.detector, row.group, row.medium, *counts, *rates, f"{row.coverage.get('real', 0):.2f}"
