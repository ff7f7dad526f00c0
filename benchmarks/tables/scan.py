"""The cost of a scan as tables of Markdown, for docs/scaling.md and the terminal. Rows in, text out."""

from __future__ import annotations

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


def _cost(rows: Sequence[ScanCostRow]) -> str:
    head = (
        "video", "way", "decided by", "CPU s a video", "decoding alone", "times decoding, 95 %",
        "videos an hour and core",
    )  # fmt: skip
    table = table_text(head, (
        (f"{r.height}p, {r.seconds:g} s, {r.kilobits} kbit/s", r.way, r.decided or "", f"{r.cpu:.2f}",
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
    return (
        f"{row.files} short videos in one run, {row.workers} workers: {row.cpu_first:.3f} CPU s a file at first, "
        f"{row.cpu_last:.3f} at the end, a growth of {row.growth.value:+.1%} ({low} to {high}; a line through {row.n} "
        f"blocks of {row.block}). Peak memory after {row.block} files and after all: the process that hands out "
        f"{row.driver_mb_first:.0f} and {row.driver_mb:.0f} MB, the largest worker {row.worker_mb_first:.0f} and "
        f"{row.worker_mb:.0f} MB (load {row.load:g})."
    )
