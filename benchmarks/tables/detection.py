"""The detection benchmark as tables of Markdown, for MODEL_CARD.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.detection import AblationRow, DetectionRow, DistanceRow, MatrixRow
from benchmarks.tables.robustness import bars_text, number_text
from sfumato.errors import UsageError


def distance_table(rows: Sequence[DetectionRow]) -> str:
    """One line a test and family; then the bars of the robustness record."""
    lines = [
        "| test | fakes | reals, fakes | AUC (95 %) | TPR at 0.1 | TPR at 0.01 | coverage | floor |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in latest(row for row in rows if isinstance(row, DistanceRow)):
        what = f"| {r.test}: {r.title} | {r.family} "
        if r.auc is None or r.n is None:
            lines.append(f"{what}|  | not measured: {'; '.join(r.refused.values())} |  |  |  |  |")
            continue
        rates = " | ".join(_sensitivity(r, alpha) for alpha in ("0.1", "0.01"))
        coverage = f"{r.coverage.get('fake', 0):.2f}" if r.coverage is not None else ""
        floor = "" if r.floor is None else f"{r.floor:.2f}: {'met' if r.met else '**not met**'}"
        auc = number_text(r.auc, r.auc_interval, ".3f")
        lines.append(f"{what}| {r.n['real']}, {r.n['fake']} | {auc} | {rates} | {coverage} | {floor} |")
    bars = bars_text(latest(row for row in rows if isinstance(row, BarRow)))
    return "\n".join([*lines, *(["", bars] if bars else [])])


def ablation_table(rows: Sequence[DetectionRow]) -> str:
    """A line a family: the first detector's AUC, and of each other one the paired change."""
    cells = {(r.train, r.family): r for r in rows if isinstance(r, AblationRow)}
    names = list(dict.fromkeys(name for name, _ in cells))
    if not names:
        raise UsageError(
            "The record holds no ablation", "Measure one: sfumato bench detection --ablation PLAIN --ablation VARIANT."
        )
    first, *others = names
    head = ["family", "fakes", f"{first}: AUC (95 %)", *(f"{name}: change (95 %)" for name in others)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for family in sorted({family for _, family in cells}):
        one, changed = cells[first, family], [cells[name, family] for name in others]
        changes = " | ".join(number_text(r.change, r.change_interval, "+.3f") for r in changed)
        auc = number_text(one.auc, one.auc_interval, ".3f")
        lines.append(f"| {family} | {one.n['fake']} | {auc} |{f' {changes} |' if others else ''}")
    return "\n".join(lines)


def matrix_table(rows: Sequence[DetectionRow]) -> str:
    """Trained on, downwards; tested on, across; AUC with its interval."""
    cells = {(r.train, r.family): r for r in rows if isinstance(r, MatrixRow)}
    across = sorted({family for _, family in cells})
    lines = [f"| trained on | {' | '.join(across)} |", "|---|" + "---|" * len(across)]
    for train in dict.fromkeys(name for name, _ in cells):
        values = " | ".join(_cell(cells.get((train, family))) for family in across)
        lines.append(f"| {train} | {values} |")
    sizes = ", ".join(
        f"{family} {n['real']} and {n['fake']}" for family in across for n in [cells[next(iter(cells))[0], family].n]
    )
    return "\n".join([*lines, "", f"AUC with 95 % intervals over people; reals and fakes: {sizes}."])


def _cell(row: MatrixRow | None) -> str:
    return "" if row is None else number_text(row.auc, row.auc_interval, ".2f")


def _sensitivity(row: DistanceRow, alpha: str) -> str:
    """How many fakes the threshold at `alpha` flags."""
    return number_text(row.flagged[alpha].tpr, None, ".3f") if row.flagged is not None and alpha in row.flagged else ""
