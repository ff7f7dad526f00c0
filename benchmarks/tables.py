"""Records to tables: the numbers in MODEL_CARD.md are written by this module from benchmarks/results, never by hand.

A block between `<!-- table NAME -->` and `<!-- end -->` is replaced by the table of `results/NAME.jsonl`'s latest measurement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sfumato.errors import UsageError

Record = Mapping[str, Any]
_BLOCK = re.compile(r"(<!-- table (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(text: str, results: Path) -> str:
    """`text` with every marked block made anew from `results`. Raises UsageError for a block without a record or a renderer."""

    def table(block: re.Match[str]) -> str:
        name = block["name"]
        if name not in RENDERERS:
            raise UsageError(f"No table is called {name!r}", f"Known: {', '.join(sorted(RENDERERS))}.")
        return f"{block[1]}{RENDERERS[name](read_records(results / f'{name}.jsonl'))}\n{block[3]}"

    return _BLOCK.sub(table, text)


def read_records(path: Path) -> list[Record]:
    """The lines of the latest measurement: those that share the last line's date, protocol and seed, later ones replacing earlier ones."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UsageError(f"There are no results at {path}", "Measure first: see CONTRIBUTING.md.") from error
    if not lines:
        raise UsageError(f"There are no results at {path}", "Measure first: see CONTRIBUTING.md.")
    last = lines[-1]
    return [line for line in lines if all(line.get(key) == last.get(key) for key in ("date", "protocol", "footage"))]


def quality_table(records: Sequence[Record]) -> str:
    """Self-reenactment: one row for each method and T, the shipped one in bold, intervals against the warp alone."""
    latest = {(r["T"], r["method"]): r for r in records}
    about = records[-1]
    rows = ["| T | method | SSIM | L1 | CSIM | landmark error | SSIM - warp, 95 % | CSIM - warp, 95 % |", "|---|---|---|---|---|---|---|---|"]
    for (shots, method), r in sorted(latest.items(), key=lambda item: item[0][0]):
        name = f"**{method}** (shipped)" if r["shipped"] else method
        metrics = f"{r['ssim']:.4f} | {r['l1']:.4f} | {r['csim']:.4f} | {r['landmark_error']:.4f}"
        rows.append(f"| {shots} | {name} | {metrics} | {_interval(r['ssim_vs_warp'])} | {_interval(r['csim_vs_warp'])} |")
    note = (
        f"Protocol `{about['protocol']}`, {about['n']} clips of people held out of training, {about['frames']} frames, {about['size']} px; "
        f"fine-tuning {about['tune_seconds']:g} s a person at most. {about['interval']}. {about['date']}, {about['machine']}."
    )
    return "\n".join([*rows, "", note])


def detection_table(records: Sequence[Record]) -> str:
    """The detector at video level: AUC with its interval for each family, and what the threshold was set on."""
    about = records[-1]
    rows = ["| fakes | AUC | 95 % | real / fake videos | found at the stated false-positive rate |", "|---|---|---|---|---|"]
    for r in records:
        rows.append(f"| {r['family']} | {r['auc']:.3f} | {_interval(r['auc_interval'])} | {r['reals']} / {r['fakes']} | {r['found']:.2f} at {r['alpha']:g} |")
    return "\n".join([*rows, "", f"Protocol `{about['protocol']}`. {about['interval']}. {about['date']}, {about['machine']}."])


def _interval(pair: Sequence[float] | None) -> str:
    return "" if pair is None else f"{pair[0]:+.4f} to {pair[1]:+.4f}" if min(pair) < 0.5 else f"{pair[0]:.3f} to {pair[1]:.3f}"


RENDERERS: Mapping[str, Callable[[Sequence[Record]], str]] = {"quality": quality_table, "detection": detection_table}
