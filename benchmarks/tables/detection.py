"""The detection benchmark as tables of Markdown, for MODEL_CARD.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.detection import AblationRow, DetectionRow, DistanceRow, MatrixRow
from benchmarks.tables.markdown import number_text, table_text
from benchmarks.tables.robustness import bars_text
from sfumato.errors import UsageError


def distance_table(rows: Sequence[DetectionRow]) -> str:
    """One line a test and family; then the bars of the robustness record."""
    head = ("test", "fakes", "reals, fakes", "AUC (95 %)", "TPR at 0.1", "TPR at 0.01", "coverage", "floor")
    table = table_text(head, (_tested(row) for row in latest(row for row in rows if isinstance(row, DistanceRow))))
    bars = bars_text(latest(row for row in rows if isinstance(row, BarRow)))
    return "\n\n".join(part for part in (table, bars) if part)


def ablation_table(rows: Sequence[DetectionRow]) -> str:
    """A line a family: the first detector's AUC, and of each other one the paired change."""
    cells = {(r.train, r.family): r for r in rows if isinstance(r, AblationRow)}
    names = list(dict.fromkeys(name for name, _ in cells))
    if not names:
        raise UsageError(
            "The record holds no ablation", "Measure one: sfumato bench detection --ablation PLAIN --ablation VARIANT."
        )
    first, *others = names
    head = ("family", "fakes", f"{first}: AUC (95 %)", *(f"{name}: change (95 %)" for name in others))
    lines = []
    for family in sorted({family for _, family in cells}):
        one, changes = cells[first, family], (number_text(cells[name, family].change, "+.3f") for name in others)
        lines.append((family, f"{one.n['fake']}", number_text(one.auc, ".3f"), *changes))
    return table_text(head, lines)


def matrix_table(rows: Sequence[DetectionRow]) -> str:
    """Trained on, downwards; tested on, across; AUC with its interval."""
    cells = {(r.train, r.family): r for r in rows if isinstance(r, MatrixRow)}
    across = sorted({family for _, family in cells})
    table = table_text(("trained on", *across), (
        (train, *(_cell(cells.get((train, family))) for family in across))
        for train in dict.fromkeys(name for name, _ in cells)
    ))  # fmt: skip
    sizes = ", ".join(
        f"{family} {n['real']} and {n['fake']}" for family in across for n in [cells[next(iter(cells))[0], family].n]
    )
    return f"{table}\n\nAUC with 95 % intervals over people; reals and fakes: {sizes}."


def _tested(r: DistanceRow) -> tuple[str, ...]:
    what = f"{r.test}: {r.title}", r.family
    if r.auc is None or r.n is None:
        return *what, "", f"not measured: {'; '.join(r.refused.values())}", "", "", "", ""
    rates = [_sensitivity(r, alpha) for alpha in ("0.1", "0.01")]
    coverage = f"{r.coverage.get('fake', 0):.2f}" if r.coverage is not None else ""
    floor = "" if r.floor is None else f"{r.floor:.2f}: {'met' if r.met else '**not met**'}"
    return *what, f"{r.n['real']}, {r.n['fake']}", number_text(r.auc, ".3f"), *rates, coverage, floor


def _cell(row: MatrixRow | None) -> str:
    return "" if row is None else number_text(row.auc, ".2f")


def _sensitivity(row: DistanceRow, alpha: str) -> str:
    """How many fakes the threshold at `alpha` flags."""
    rate = row.flagged[alpha].tpr if row.flagged is not None and alpha in row.flagged else None
    return "" if rate is None else f"{rate.value:.3f}"
