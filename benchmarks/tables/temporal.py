"""The ablation of the temporal head as tables of Markdown, for docs/robustness.md and the terminal. Rows in, text
out.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.temporal import FeatureRow, LeftOutRow, TemporalRow
from benchmarks.tables.robustness import bars_text, number_text


def temporal_table(rows: Sequence[TemporalRow]) -> str:
    """Families that were left out, with and without the head; each feature alone; the bar."""
    shown = latest(rows)
    lines = [
        "| family left out | reals, fakes | logit alone | with the head (95 %) | change (95 %) |",
        "|---|---|---|---|---|",
    ]
    for r in (row for row in shown if isinstance(row, LeftOutRow)):
        if r.auc is not None:
            auc, change = number_text(r.auc, r.auc_interval, ".3f"), number_text(r.change, r.change_interval, "+.3f")
            sizes = f"{r.n['real']}, {r.n['fake']}"
            lines.append(f"| {r.family} | {sizes} | {number_text(r.auc_logit, None, '.3f')} | {auc} | {change} |")
        else:
            lines.append(f"| {r.family} |  | not measured: {'; '.join(r.refused.values())} |  |  |")
    alone = ", ".join(f"{r.feature.replace('_', ' ')} {r.auc:.3f}" for r in shown if isinstance(r, FeatureRow))
    bars = bars_text([row for row in shown if isinstance(row, BarRow)])
    return "\n".join([*lines, "", f"AUC of each feature alone, all fakes against all reals: {alone}.", "", bars])
