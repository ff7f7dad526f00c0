"""The robustness benchmark as tables of Markdown, for docs/robustness.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.robustness import FamilyRow, RealsRow, RobustnessRow, SharpnessRow, SummaryRow
from benchmarks.rows.row import Interval


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
    if not rows:
        return ""
    lines = [
        "| set | family | treatments | mean AUC | worst AUC | under | lowest coverage |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.set_name} | {r.family} | {r.treatments} | {r.mean:.3f} | {r.worst:.3f} | {r.worst_treatment} "
        f"| {r.coverage_lowest:.2f} |"
        for r in rows
    ]
    return "\n".join(lines)


def _families(rows: Sequence[FamilyRow]) -> str:
    """Treatments downwards, families across: AUC and its change; the rest is in the record."""
    cells = {(row.treatment, row.family): row for row in rows}
    across, sizes = sorted({row.family for row in rows}), {row.family: row.n["fake"] for row in rows}
    lines = [
        f"| treatment | {' | '.join(f'{family}, {sizes[family]}' for family in across)} |",
        "|---|" + "---|" * len(across),
    ]
    for treatment in dict.fromkeys(row.treatment for row in rows):
        lines.append(f"| {treatment} | {' | '.join(_changed(cells.get((treatment, family))) for family in across)} |")
    note = (
        "AUC, in brackets its change, bold where the 95 % interval of the change lies below 0; "
        "in the head the number of fakes."
    )
    return "\n".join([*lines, "", note]) if rows else ""


def _changed(row: FamilyRow | None) -> str:
    if row is None or row.auc is None:
        return ""
    change = f" ({row.change:+.2f})" if row.change is not None else ""
    lower = row.change_interval is not None and row.change_interval[1] < 0
    return f"**{row.auc:.2f}{change}**" if lower else f"{row.auc:.2f}{change}"


def _reals(rows: Sequence[RealsRow]) -> str:
    alphas = sorted({alpha for row in rows for alpha in row.flagged}, key=float, reverse=True)
    lines = [
        f"| treatment | reals | {' | '.join(f'FPR at {a} (95 %) | change (95 %)' for a in alphas)} | coverage |",
        "|---|---|" + "---|" * (2 * len(alphas) + 1),
    ]
    for r in rows:
        rates = " | ".join(_false_positives(r, alpha) for alpha in alphas)
        lines.append(f"| {r.treatment} | {r.n['real']} | {rates} | {r.coverage.get('real', 0):.2f} |")
    return "\n".join(lines) if rows else ""


def _false_positives(row: RealsRow, alpha: str) -> str:
    """Two cells: the rate, and its change."""
    rates, change = row.flagged.get(alpha), row.changes.get(alpha)
    rate = number_text(rates.fpr, rates.fpr_interval, ".3f") if rates is not None else ""
    return f"{rate} | {number_text(change.value, change.interval, '+.3f') if change is not None else ''}"


def _sharpness(rows: Sequence[SharpnessRow]) -> str:
    if not rows:
        return ""
    lines = ["| family | AUC of softness alone | AUC on pairs of equal sharpness | pairs |", "|---|---|---|---|"]
    for r in rows:
        alone = f"{r.alone.auc:.3f}" if r.alone is not None else r.refused["alone"]
        matched = f"{r.matched.auc:.3f} | {r.matched.pairs}" if r.matched is not None else f"{r.refused['matched']} | "
        lines.append(f"| {r.family} | {alone} | {matched} |")
    return "\n".join(lines)


def number_text(value: float | None, bounds: Interval | None, form: str) -> str:
    """A number and its interval, as far as they were measured."""
    if value is None:
        return ""
    return f"{value:{form}}" + (f" ({bounds[0]:{form}} to {bounds[1]:{form}})" if bounds else "")
