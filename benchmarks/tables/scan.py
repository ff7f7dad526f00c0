"""The cost of a scan as tables of Markdown, for docs/speed.md, docs/many-machines.md and the terminal. Rows in, text
out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.rows.scan import ScanCostRow, ScanGrowthRow, ScanRows, ScanWorkersRow
from benchmarks.tables.markdown import number_text, table_text


def scan_table(rows: Sequence[ScanRows]) -> str:
    """Cost, workers, growth. What was not measured is left out."""
    parts = [
        _cost([row for row in rows if isinstance(row, ScanCostRow)]),
        *(_workers(row) for row in rows if isinstance(row, ScanWorkersRow)),
        *(_growth(row) for row in rows if isinstance(row, ScanGrowthRow)),
    ]
    return "\n\n".join(part for part in parts if part)


MILLION = 1_000_000
_DAY = 86_400.0
_BUSY = 0.7  # of a core's day: uploads come in waves
_PRICE = 0.04  # USD an hour of a core; what large clouds ask for one on demand, to be replaced by yours


def million_table(rows: Sequence[ScanRows]) -> str:
    """A million videos a day like those that were measured: multiplied, not measured."""
    costs = [row for row in rows if isinstance(row, ScanCostRow)]
    head = ("video", "way", "CPU hours a day", "cores", "USD a day", "Gbit/s", "TB a day")
    table = table_text(head, (_million(row) for row in costs))
    note = (
        f"Multiplied from `benchmarks/results/scan.jsonl`: every video as the one measured there, cores that are busy "
        f"{_BUSY:.0%} of the day, {_PRICE:g} USD an hour of a core, which is an assumption. Gbit/s: the mean over the "
        "day, each video read over the network once."
    )
    return f"{table}\n\n{note}"


def _million(row: ScanCostRow) -> tuple[str, ...]:
    hours = MILLION * row.cpu / 3600
    bits = MILLION * row.kilobits * 1000.0 * row.seconds
    return (
        f"{row.height}p, {row.seconds:g} s", row.way, f"{hours:.0f}", f"{math.ceil(hours / 24 / _BUSY)}",
        f"{hours * _PRICE:.0f}", f"{bits / _DAY / 1e9:.2f}", f"{bits / 8 / 1e12:.2f}",
    )  # fmt: skip


def _cost(rows: Sequence[ScanCostRow]) -> str:
    head = (
        "video", "way", "decided by", "CPU s a video", "decoding alone", "times decoding, 95 %",
        "videos an hour and core",
    )  # fmt: skip
    table = table_text(head, (
        (f"{r.height}p, {r.seconds:g} s, {r.kilobits} kbit/s", r.way, r.decided, f"{r.cpu:.2f}",
         f"{r.decoding:.2f}", number_text(r.times_decoding, ".2f"), f"{r.videos_an_hour}")
        for r in rows
    ))  # fmt: skip
    if not rows:
        return ""
    last = rows[-1]
    return f"{table}\n\n{last.processor}; {last.rounds} rounds of {last.n} videos; load {last.load:g}."


def _workers(row: ScanWorkersRow) -> str:
    return (
        f"{row.workers} workers on {row.cores} cores, {row.height}p of {row.seconds:g} s: {row.videos_an_hour} videos "
        f"an hour, one worker {row.videos_an_hour_of_one}: {number_text(row.times_one, '.2f')} times as many "
        f"({row.rounds} rounds of {row.n} videos; load {row.load:g})."
    )


def _growth(row: ScanGrowthRow) -> str:
    low, high = (f"{bound:+.1%}" for bound in row.growth.interval or (row.growth.value,) * 2)
    workers = "one worker" if row.workers == 1 else f"{row.workers} workers"
    return (
        f"{row.files} short videos in one run, {workers}: {row.cpu_first:.3f} CPU s a file at first, "
        f"{row.cpu_last:.3f} at the end, a growth of {row.growth.value:+.1%} ({low} to {high}; a line through {row.n} "
        f"blocks of {row.block}). Peak memory after {row.block} files and after all: the process that hands out "
        f"{row.driver_mb_first:.0f} and {row.driver_mb:.0f} MB, the largest worker {row.worker_mb_first:.0f} and "
        f"{row.worker_mb:.0f} MB (load {row.load:g})."
    )
