"""A comparison as text: a table of detectors for every slice, and under it what a reader must know before believing it.

In: a `Comparison`. Out: lines. Foreign names are escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.comparison.paired import ComparisonRow, Figures
from detector.comparison.run import Comparison
from detector.evaluation.shortcuts import WARN_ABOVE
from sfumato.text import printable

_METRICS = {"auc": "AUC", "eer": "EER", "tpr@0.1": "TPR@10%", "tpr@0.01": "TPR@1%"}
_WIDEST = 40  # characters of a name


def as_text(comparison: Comparison) -> Iterator[str]:
    """Every line of the report."""
    known = {metric for row in comparison.rows for each in row.detectors for metric in each.metrics}
    shown = [metric for metric in _METRICS if metric in known]  # a column of refusals says nothing; a note does
    table = [("slice", "real", "fake", "detector", *(f"{_METRICS[metric]} [95 %]" for metric in shown))]
    for row in comparison.rows:
        table += _cells(row, shown)
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield ""
    yield from notes(comparison)


def slice_name(row: ComparisonRow) -> str:
    """What part of the set it is, in words."""
    return " ".join(f"{name} {printable(value, _WIDEST)}" for name, value in row.slice.items()) or "all"


def notes(comparison: Comparison) -> Iterator[str]:
    """What was judged by all, what intervals are of, who failed where, leaks and shortcuts."""
    first = comparison.rows[0]
    unit = "file" if first.unit == "video" else first.unit
    yield f"Judged by all of the detectors: {comparison.judged} of {comparison.of} videos; every number is of these."
    yield (
        f"Intervals: bootstrap over {first.clusters} clusters by {unit}, the same draws for all detectors; "
        "differences are not corrected for how many are looked at."
    )
    for name, why in sorted(first.refused.items()):
        yield f"Refused, {name}: {why}."
    few = sum("intervals" in row.refused or "all metrics" in row.refused for row in comparison.rows[1:])
    if few:
        yield f"Too few in {few} slice{'s' if few > 1 else ''}: no interval over fewer than five people or sources."
    for tally in comparison.tallies:
        told = f"{printable(tally.name, _WIDEST)} ({tally.protocol}): judged {tally.judged}"
        told += f", abstained on {tally.abstained}" if tally.abstained else ""
        if tally.failures:
            path, reason = tally.failures[0]
            told += f", failed at {tally.failed}; the first: {printable(path, 120)} ({printable(reason, 160)})"
        yield f"{told}."
    found = comparison.metadata
    if "refused" in found:
        yield f"Shortcut audit, a tree on file metadata: {found['refused']}."
    elif found:
        warned = ". This set can be told apart by its files alone" if found["auc"] > WARN_ABOVE else ""
        yield f"Shortcut audit, a tree on file metadata: AUC {found['auc']:.3f}{warned}."
    for leak in comparison.leaks:
        word = "Leak" if leak.severe else "Note"
        yield f"{word}: {leak.count} shared ({leak.kind}): {', '.join(printable(name, 60) for name in leak.names[:5])}."


def number(figures: Figures, metric: str) -> str:
    """A value with its interval; a difference has its sign, and * where the interval leaves out 0."""
    if metric not in figures.metrics:
        return "refused"
    signed = figures.against is not None
    low_high = figures.intervals.get(metric)
    form = "{:+.3f}" if signed else "{:.3f}"
    value = form.format(figures.metrics[metric])
    bounds = f" [{form.format(low_high[0])}, {form.format(low_high[1])}]" if low_high else " [too few]"
    return value + bounds + ("*" if signed and figures.clear(metric) else "")


def _cells(row: ComparisonRow, shown: Sequence[str]) -> Iterator[tuple[str, ...]]:
    counts = (slice_name(row), str(row.videos["real"]), str(row.videos["fake"]))
    if "all metrics" in row.refused:
        yield (*counts, f"refused: {row.refused['all metrics']}", *("" for _ in shown))
        return
    for position, each in enumerate([*row.detectors, *row.differences]):
        name = printable(each.name, _WIDEST)
        if each.against is not None:
            name = f"{name} - {printable(each.against, _WIDEST)}"
        head = counts if position == 0 else ("", "", "")
        yield (*head, name, *(number(each, metric) for metric in shown))
