"""An evaluation as text: one line a slice and protocol, and under it what a reader must know before believing it.

In: an `Evaluation`. Out: lines. Foreign names are escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator

from detector.evaluation.intervals import rate_bounds
from detector.evaluation.rows import EvaluationRow, Rate, Rates
from detector.evaluation.run import Evaluation
from detector.evaluation.shortcuts import WARN_ABOVE
from sfumato.text import printable

_HEAD = (
    "slice",
    "real",
    "fake",
    "covered",
    "AUC [95 %]",
    "AP (chance) [95 %]",
    "EER [95 %]",
    "TPR@1% [95 %]",
    "protocol",
)
_NAMES = {
    "metadata": "a tree on file metadata",
    "sharpness": "sharpness of the faces",
    "matched_sharpness": "this detector, equal sharpness",
}


def as_text(evaluation: Evaluation) -> Iterator[str]:
    """Every line of the report."""
    table = [_HEAD, *(_cells(row) for row in evaluation.rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(_HEAD))]
    for line in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield ""
    first = evaluation.rows[0]
    yield f"Intervals: bootstrap over {first.clusters} clusters by {'file' if first.unit == 'video' else first.unit}."
    for name, why in sorted({item for row in evaluation.rows if not row.slice for item in row.refused.items()}):
        yield f"Refused, {name}: {why}."
    if "brier" in first.metrics:
        values, of = first.metrics, sum(first.units.values())
        right = round(values["accuracy@0.5"] * of)
        yield (
            f"Probabilities ({first.protocol}): log-loss {values['log_loss']:.4f}, Brier {values['brier']:.4f}, "
            f"ECE {values['ece']:.4f}, accuracy at .5 {_rate(Rate(right / of, rate_bounds(right, of), right, of))}."
        )
    for name, rates in first.operating.items():
        yield _operating(name, rates)
    yield from _warnings(evaluation)


def _cells(row: EvaluationRow) -> tuple[str, ...]:
    slice_ = " ".join(f"{name} {printable(value, 40)}" for name, value in row.slice.items()) or "all"
    found = row.metrics
    covered = "/".join(f"{row.coverage[label]:.0%}" for label in ("real", "fake") if label in row.coverage)
    numbers = (str(row.units["real"]), str(row.units["fake"]))
    if "auc" not in found:
        return (slice_, *numbers, covered, f"refused: {row.refused['all metrics']}", "", "", "", row.protocol)
    precision = f"{found['ap']:.3f} ({row.prevalence:.3f}){_interval(row, 'ap')}"
    shown, error = (f"{found[name]:.3f}{_interval(row, name)}" for name in ("auc", "eer"))
    strict = f"{found['tpr@0.01']:.3f}{_interval(row, 'tpr@0.01')}" if "tpr@0.01" in found else "refused"
    return (slice_, *numbers, covered, shown, precision, error, strict, row.protocol)


def _interval(row: EvaluationRow, name: str) -> str:
    bounds = row.intervals.get(name)
    return f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else " [no interval]"


def _rate(rate: Rate) -> str:
    return f"{rate.value:.3f} [{rate.interval[0]:.3f}, {rate.interval[1]:.3f}] ({rate.flagged} of {rate.of})"


def _operating(name: str, rates: Rates) -> str:
    parts = [f"{word} {_rate(rate)}" for word, rate in (("FPR", rates.fpr), ("TPR", rates.tpr)) if rate is not None]
    if rates.precision is not None and rates.precision_bounds is not None:
        worth = ", ".join(
            f"{float(p):.1%}: {value:.3f} [{rates.precision_bounds[p][0]:.3f}, {rates.precision_bounds[p][1]:.3f}]"
            for p, value in rates.precision.items()
            if value is not None
        )
        parts.append(f"right among flagged where fakes are {worth}" if worth else "nothing is flagged")
    return f"Threshold {name}: {'; '.join(parts)}."


def _warnings(evaluation: Evaluation) -> Iterator[str]:
    for name, found in evaluation.shortcuts.items():
        if "refused" in found:
            yield f"Shortcut audit, {_NAMES[name]}: {found['refused']}."
            continue
        note = f" (by {', '.join(printable(f, 30) for f in found['features'][:3])})" if found.get("features") else ""
        note += f" on {found['pairs']} pairs, protocol {found['protocol']}" if "pairs" in found else ""
        note += f". Above {WARN_ABOVE}: this set can be told apart by its files alone" if found.get("warns") else ""
        yield f"Shortcut audit, {_NAMES[name]}: AUC {found['auc']:.3f}{note}."
    for leak in evaluation.leaks:
        word = "Leak" if leak.severe else "Note"
        yield f"{word}: {leak.count} shared ({leak.kind}): {', '.join(printable(name, 60) for name in leak.names[:5])}."
    if evaluation.failures:
        path, reason = evaluation.failures[0]
        yield (
            f"{len(evaluation.failures)} files could not be read; the first: {printable(path, 120)} "
            f"({printable(reason, 60)})."
        )
