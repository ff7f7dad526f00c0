"""The robustness benchmark as tables of Markdown, for docs/robustness.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.metrics.comparison import latest

Record = Mapping[str, Any]


def robustness_table(rows: Sequence[Record]) -> str:
    """Summaries; every treatment by family; reals; sharpness; bars. What was not measured says why."""
    kinds = {
        kind: [row for row in latest(rows) if row["kind"] == kind]
        for kind in ("summary", "family", "reals", "sharpness", "bar")
    }
    parts = [
        _summaries(kinds["summary"]),
        _families(kinds["family"]),
        _reals(kinds["reals"]),
        _sharpness(kinds["sharpness"]),
    ]
    return "\n\n".join(part for part in [*parts, bars_text(kinds["bar"])] if part)


def bars_text(rows: Sequence[Record]) -> str:
    """A line for every bar that is not met, with the number, and how many are."""
    lines = [f"- **not met**: {row['bar']} ({row['value']:+.3f})" for row in rows if not row["met"]]
    met = len(rows) - len(lines)
    return "\n".join([*lines, *([f"- met: {met} of {len(rows)} bars; each is in the record"] if met else [])])


def _summaries(rows: Sequence[Record]) -> str:
    if not rows:
        return ""
    lines = [
        "| set | family | treatments | mean AUC | worst AUC | under | lowest coverage |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['set']} | {r['family']} | {r['treatments']} | {r['mean']:.3f} | {r['worst']:.3f} | "
        f"{r['worst_treatment']} "
        f"| {r['coverage_lowest']:.2f} |"
        for r in rows
    ]
    return "\n".join(lines)


def _families(rows: Sequence[Record]) -> str:
    """Treatments downwards, families across: AUC and its change; the rest is in the record."""
    cells = {(row["treatment"], row["family"]): row for row in rows}
    across, sizes = sorted({row["family"] for row in rows}), {row["family"]: row["n"]["fake"] for row in rows}
    lines = [
        f"| treatment | {' | '.join(f'{family}, {sizes[family]}' for family in across)} |",
        "|---|" + "---|" * len(across),
    ]
    for treatment in dict.fromkeys(row["treatment"] for row in rows):
        lines.append(
            f"| {treatment} | {' | '.join(_changed(cells.get((treatment, family), {})) for family in across)} |"
        )
    note = (
        "AUC, in brackets its change, bold where the 95 % interval of the change lies below 0; "
        "in the head the number of fakes."
    )
    return "\n".join([*lines, "", note]) if rows else ""


def _changed(row: Record) -> str:
    if "auc" not in row:
        return ""
    lower = row.get("change_interval", (0.0, 0.0))[1] < 0
    change = f" ({row['change']:+.2f})" if "change" in row else ""
    return f"**{row['auc']:.2f}{change}**" if lower else f"{row['auc']:.2f}{change}"


def _reals(rows: Sequence[Record]) -> str:
    alphas = _alphas(rows)
    lines = [
        f"| treatment | reals | {' | '.join(f'FPR at {a} (95 %) | change (95 %)' for a in alphas)} | coverage |",
        "|---|---|" + "---|" * (2 * len(alphas) + 1),
    ]
    for r in rows:
        rates = " | ".join(
            f"{rate_text(r, alpha, 'fpr', True)} | {number_text(r, f'fpr {alpha} change', '+.3f')}" for alpha in alphas
        )
        lines.append(f"| {r['treatment']} | {r['n']['real']} | {rates} | {r['coverage'].get('real', 0):.2f} |")
    return "\n".join(lines) if rows else ""


def _sharpness(rows: Sequence[Record]) -> str:
    if not rows:
        return ""
    lines = ["| family | AUC of softness alone | AUC on pairs of equal sharpness | pairs |", "|---|---|---|---|"]
    for r in rows:
        alone = f"{r['alone']['auc']:.3f}" if "alone" in r else r["refused"]["alone"]
        matched, pairs = (
            (f"{r['matched']['auc']:.3f}", r["matched"]["pairs"]) if "matched" in r else (r["refused"]["matched"], "")
        )
        lines.append(f"| {r['family']} | {alone} | {matched} | {pairs} |")
    return "\n".join(lines)


def number_text(row: Record, name: str, form: str) -> str:
    """A number and its interval, as far as they were measured."""
    if name not in row:
        return ""
    bounds = row.get(f"{name}_interval")
    return f"{row[name]:{form}}" + (f" ({bounds[0]:{form}} to {bounds[1]:{form}})" if bounds else "")


def rate_text(row: Record, alpha: str, name: str, interval: bool = False) -> str:
    """A rate at a threshold of the detector's."""
    found: dict[str, Any] = row["flagged"].get(alpha, {})
    return (number_text(found, name, ".3f") if interval else f"{found[name]:.3f}") if name in found else ""


def _alphas(rows: Sequence[Record]) -> list[str]:
    return sorted({alpha for row in rows for alpha in row["flagged"]}, key=float, reverse=True)
