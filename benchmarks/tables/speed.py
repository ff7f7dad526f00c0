"""The speed benchmark as tables of Markdown, for docs/speed.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def speed_table(rows: Sequence[Row]) -> str:
    """The methods; the whole program; memory; the machine. What was not measured is left out."""
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("render", "whole", "memory", "machine")}
    parts = [
        _render(kinds["render"]),
        _whole(kinds["whole"]),
        _memory(kinds["memory"]),
        *map(_machine, kinds["machine"]),
    ]
    return "\n\n".join(part for part in parts if part)


def detector_speed_table(rows: Sequence[Row]) -> str:
    """Crops a CPU second of the detector in every backend."""
    lines = ["| method | crops/CPU s | times onnxruntime, 95 % |", "|---|---|---|"]
    for row in rows:
        times = (
            "{:.2f} ({:.2f} to {:.2f})".format(row["ratio_cpu"], *row["ratio_cpu_interval"])
            if "ratio_cpu" in row
            else ""
        )
        lines.append(f"| {row['method']} | {row['fps_cpu']:.1f} | {times} |")
    last = rows[-1]
    return "\n".join(
        [
            *lines,
            "",
            f"{last['processor']}; one thread, {last['rounds']} rounds of {last['n']} crops at {last['size']} px.",
        ]
    )


def _render(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [
        "| network, frame, T | method | frames/s | times plain torch | frames/CPU s | times "
        "plain torch | GMAC a frame | of matmul rate |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        what = f"{r['network_size']} px, {r['size']} px, {r['shots']}"
        wall, cpu = (_times(r, f"ratio_{unit}") for unit in ("wall", "cpu"))
        lines.append(
            f"| {what} | {r['method']} | {r['fps']:.1f} | {wall} | {r['fps_cpu']:.1f} | {cpu} "
            f"| {r['gmac']:.2f} | {r['share_of_matmul']:.2f} |"
        )
    return "\n".join(lines)


def _whole(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [
        "| from, to | frames/s | times render alone, 95 % | frames/CPU s | times render alone (CPU), 95 % |",
        "|---|---|---|---|---|",
    ]
    for r in rows:
        wall, cpu = (_times(r, f"times_render_{unit}") for unit in ("wall", "cpu"))
        lines.append(
            f"| {r['of']} ({r['backend']}, {r['size']} px) | {r['fps']:.1f} | {wall} | {r['fps_cpu']:.1f} | {cpu} |"
        )
    return "\n".join(lines)


def _memory(rows: Sequence[Row]) -> str:
    return "; ".join(f"{r['frames']} frames: peak {r['peak_mb']:.0f} MB ({r['growth']:+.1%})" for r in rows) + (
        "." if rows else ""
    )


def _machine(row: Row) -> str:
    return (
        f"{row['processor']}; float32 matrix product, {row['workers']} thread(s): "
        f"{row['matmul_gmac']:.0f} GMAC a CPU second; "
        f"{row['rounds']} rounds of {row['n']} frames."
    )


def _times(row: Row, name: str) -> str:
    if name not in row:
        return ""
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.2f} ({low:.2f} to {high:.2f})"
