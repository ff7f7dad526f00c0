"""The detection benchmark as tables of Markdown, for MODEL_CARD.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.metrics.comparison import latest
from benchmarks.tables.robustness import bars_text, number_text, rate_text
from sfumato.errors import UsageError

Record = Mapping[str, Any]


def distance_table(rows: Sequence[Record]) -> str:
    """One line a test and family; then the bars of the robustness record."""
    tests = [row for row in latest(rows) if row["kind"] == "test"]
    lines = [
        "| test | fakes | reals, fakes | AUC (95 %) | TPR at 0.1 | TPR at 0.01 | coverage | floor |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in tests:
        what = f"| {r['test']}: {r['title']} | {r['family']} "
        if "auc" not in r:
            lines.append(f"{what}|  | not measured: {'; '.join(r['refused'].values())} |  |  |  |  |")
            continue
        rates = " | ".join(rate_text(r, alpha, "tpr") if "flagged" in r else "" for alpha in ("0.1", "0.01"))
        coverage = f"{r['coverage'].get('fake', 0):.2f}" if "coverage" in r else ""
        floor = "" if "floor" not in r else f"{r['floor']:.2f}: {'met' if r['met'] else '**not met**'}"
        lines.append(
            f"{what}| {r['n']['real']}, {r['n']['fake']} | {number_text(r, 'auc', '.3f')} | {rates} | "
            f"{coverage} | {floor} |"
        )
    bars = bars_text([row for row in latest(rows) if row["kind"] == "bar"])
    return "\n".join([*lines, *(["", bars] if bars else [])])


def ablation_table(rows: Sequence[Record]) -> str:
    """A line a family: the first detector's AUC, and of each other one the paired change."""
    cells = {(r["train"], r["family"]): r for r in rows if r["kind"] == "ablation"}
    names = list(dict.fromkeys(name for name, _ in cells))
    if not names:
        raise UsageError(
            "The record holds no ablation", "Measure one: sfumato bench detection --ablation PLAIN --ablation VARIANT."
        )
    first, *others = names
    head = ["family", "fakes", f"{first}: AUC (95 %)", *(f"{name}: change (95 %)" for name in others)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for family in sorted({family for _, family in cells}):
        one = cells[first, family]
        changes = " | ".join(number_text(cells[name, family], "change", "+.3f") for name in others)
        lines.append(
            f"| {family} | {one['n']['fake']} | {number_text(one, 'auc', '.3f')} |{f' {changes} |' if others else ''}"
        )
    return "\n".join(lines)


def matrix_table(rows: Sequence[Record]) -> str:
    """Trained on, downwards; tested on, across; AUC with its interval."""
    cells = {(r["train"], r["family"]): r for r in rows if r["kind"] == "matrix"}
    across = sorted({family for _, family in cells})
    lines = [f"| trained on | {' | '.join(across)} |", "|---|" + "---|" * len(across)]
    for train in dict.fromkeys(name for name, _ in cells):
        values = " | ".join(
            number_text(cells[train, family], "auc", ".2f") if (train, family) in cells else "" for family in across
        )
        lines.append(f"| {train} | {values} |")
    sizes = ", ".join(
        f"{family} {n['real']} and {n['fake']}" for family in across for n in [cells[next(iter(cells))[0], family]["n"]]
    )
    return "\n".join([*lines, "", f"AUC with 95 % intervals over people; reals and fakes: {sizes}."])
