"""The ablation of the temporal head as tables of Markdown, for docs/robustness.md and the terminal. Rows in, text
out.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.metrics.comparison import latest
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.temporal import FeatureRow, LeftOutRow, TemporalRow
from benchmarks.tables.markdown import number_text, table_text
from benchmarks.tables.robustness import bars_text


def temporal_table(rows: Sequence[TemporalRow]) -> str:
    """Families that were left out, with and without the head; each feature alone; the bar."""
    shown = latest(rows)
    head = ("family left out", "reals, fakes", "logit alone", "with the head (95 %)", "change (95 %)")
    table = table_text(head, (_left_out(row) for row in shown if isinstance(row, LeftOutRow)))
    alone = ", ".join(f"{r.feature.replace('_', ' ')} {r.auc:.3f}" for r in shown if isinstance(r, FeatureRow))
    bars = bars_text([row for row in shown if isinstance(row, BarRow)])
    return "\n\n".join([table, f"AUC of each feature alone, all fakes against all reals: {alone}.", bars])


def _left_out(r: LeftOutRow) -> tuple[str, ...]:
    if r.auc is None or r.auc_logit is None:
        return r.family, "", f"not measured: {'; '.join(r.refused.values())}", "", ""
    sizes = f"{r.n['real']}, {r.n['fake']}"
    return r.family, sizes, f"{r.auc_logit:.3f}", number_text(r.auc, ".3f"), number_text(r.change, "+.3f")
