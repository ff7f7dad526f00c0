"""The ablation of the temporal head as tables of Markdown, for docs/robustness.md and the terminal. Rows in, text
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.metrics.comparison import latest
from benchmarks.tables.robustness import bars_text, number_text

Record = Mapping[str, Any]


def temporal_table(rows: Sequence[Record]) -> str:
    """Families that were left out, with and without the head; each feature alone; the bar."""
    shown = latest(rows)
    lines = [
        "| family left out | reals, fakes | logit alone | with the head (95 %) | change (95 %) |",
        "|---|---|---|---|---|",
    ]
    for r in (row for row in shown if row["kind"] == "family"):
        if "auc" in r:
            numbers = f"{r['auc_logit']:.3f} | {number_text(r, 'auc', '.3f')} | {number_text(r, 'change', '+.3f')}"
            lines.append(f"| {r['family']} | {r['n']['real']}, {r['n']['fake']} | {numbers} |")
        else:
            lines.append(f"| {r['family']} |  | not measured: {'; '.join(r['refused'].values())} |  |  |")
    alone = ", ".join(f"{r['feature'].replace('_', ' ')} {r['auc']:.3f}" for r in shown if r["kind"] == "feature")
    bars = bars_text([row for row in shown if row["kind"] == "bar"])
    return "\n".join([*lines, "", f"AUC of each feature alone, all fakes against all reals: {alone}.", "", bars])
