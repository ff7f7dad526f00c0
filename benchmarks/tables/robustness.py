"""The robustness benchmark as tables of Markdown, for docs/robustness.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.robustness import FamilyRow, RealsRow, RobustnessRow, SharpnessRow, SummaryRow
from benchmarks.tables.markdown import number_text, table_text


def robustness_table(rows: Sequence[RobustnessRow]) -> str:
    """Summaries; every treatment by family; reals; sharpness; bars. What was not measured says why."""
    shown = latest(rows)
    parts = [
        _summaries([row for row in shown if isinstance(row, SummaryRow)]),
        _families([row for row in shown if isinstance(row, FamilyRow)]),
        _reals([row for row in shown if isinstance(row, RealsRow)]),
        _sharpness([row for row in shown if isinstance(row, SharpnessRow)]),
        bars_text([row for row in shown if isinstance(row, BarRow)]),
    ]
    return "\n\n".join(part for part in parts if part)


def bars_text(rows: Sequence[BarRow]) -> str:
    """A line for every bar that is not met, with the number, and how many are."""
    lines = [f"- **not met**: {row.bar} ({row.value:+.3f})" for row in rows if not row.met]
    met = len(rows) - len(lines)
    return "\n".join([*lines, *([f"- met: {met} of {len(rows)} bars; each is in the record"] if met else [])])


def _summaries(rows: Sequence[SummaryRow]) -> str:
    head = ("set", "family", "treatments", "mean AUC", "worst AUC", "under", "lowest coverage")
    return table_text(head, (
        (r.set_name, r.family, f"{r.treatments}", f"{r.mean:.3f}", f"{r.worst:.3f}", r.worst_treatment,
         f"{r.coverage_lowest:.2f}")
        for r in rows
    ))  # fmt: skip


def _families(rows: Sequence[FamilyRow]) -> str:
    """Treatments downwards, families across: AUC and its change; the rest is in the record."""
    cells = {(row.treatment, row.family): row for row in rows}
    across, sizes = sorted({row.family for row in rows}), {row.family: row.n["fake"] for row in rows}
    table = table_text(
        ("treatment", *(f"{family}, {sizes[family]}" for family in across)),
        (
            (treatment, *(_changed(cells.get((treatment, family))) for family in across))
            for treatment in dict.fromkeys(row.treatment for row in rows)
        ),
    )
    note = (
        "AUC, in brackets its change, bold where the 95 % interval of the change lies below 0; "
        "in the head the number of fakes."
    )
    return f"{table}\n\n{note}" if table else ""


def _changed(row: FamilyRow | None) -> str:
    if row is None or row.auc is None:
        return ""
    text = f"{row.auc.value:.2f}"
    if row.change is None:
        return text
    text += f" ({row.change.value:+.2f})"
    return f"**{text}**" if row.change.interval is not None and row.change.interval[1] < 0 else text


def _reals(rows: Sequence[RealsRow]) -> str:
    alphas = sorted({alpha for row in rows for alpha in row.flagged}, key=float, reverse=True)
    rates = [name for alpha in alphas for name in (f"FPR at {alpha} (95 %)", "change (95 %)")]
    return table_text(("treatment", "reals", *rates, "coverage"), (
        (r.treatment, f"{r.n['real']}", *(cell for alpha in alphas for cell in _false_positives(r, alpha)),
         f"{r.coverage.get('real', 0):.2f}")
        for r in rows
    ))  # fmt: skip


def _false_positives(row: RealsRow, alpha: str) -> tuple[str, str]:
    """Two cells: the rate, and its change."""
    rate = row.flagged[alpha].fpr if alpha in row.flagged else None
    return number_text(rate, ".3f"), number_text(row.changes.get(alpha), "+.3f")


def _sharpness(rows: Sequence[SharpnessRow]) -> str:
    head = ("family", "AUC of softness alone", "AUC on pairs of equal sharpness", "pairs")
    lines = []
    for r in rows:
        alone = f"{r.alone.auc:.3f}" if r.alone is not None else r.refused["alone"]
        matched = (
            (f"{r.matched.auc:.3f}", f"{r.matched.pairs}") if r.matched is not None else (r.refused["matched"], "")
        )
        lines.append((r.family, alone, *matched))
    return table_text(head, lines)
