"""The speed benchmark as tables of Markdown, for docs/speed.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows.row import Interval
from benchmarks.rows.speed import DetectorSpeedRow, MachineRow, MemoryRow, RenderRow, SpeedRow, WholeRow


def speed_table(rows: Sequence[SpeedRow]) -> str:
    """The methods; the whole program; memory; the machine. What was not measured is left out."""
    parts = [
        _render([row for row in rows if isinstance(row, RenderRow)]),
        _whole([row for row in rows if isinstance(row, WholeRow)]),
        _memory([row for row in rows if isinstance(row, MemoryRow)]),
        *(_machine(row) for row in rows if isinstance(row, MachineRow)),
    ]
    return "\n\n".join(part for part in parts if part)


def detector_speed_table(rows: Sequence[DetectorSpeedRow]) -> str:
    """Crops a CPU second of the detector in every backend."""
    lines = ["| method | crops/CPU s | times onnxruntime, 95 % |", "|---|---|---|"]
    for row in rows:
        times = _times(row.ratio_cpu, row.ratio_cpu_interval)
        lines.append(f"| {row.method} | {row.fps_cpu:.1f} | {times} |")
    last = rows[-1]
    return "\n".join(
        [
            *lines,
            "",
            f"{last.processor}; one thread, {last.rounds} rounds of {last.n} crops at {last.size} px.",
        ]
    )


def _render(rows: Sequence[RenderRow]) -> str:
    if not rows:
        return ""
    lines = [
        "| network, frame, T | method | frames/s | times plain torch | frames/CPU s | times "
        "plain torch | GMAC a frame | of matmul rate |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        what = f"{r.network_size} px, {r.size} px, {r.shots}"
        wall, cpu = _times(r.ratio_wall, r.ratio_wall_interval), _times(r.ratio_cpu, r.ratio_cpu_interval)
        lines.append(
            f"| {what} | {r.method} | {r.fps:.1f} | {wall} | {r.fps_cpu:.1f} | {cpu} "
            f"| {r.gmac:.2f} | {r.share_of_matmul:.2f} |"
        )
    return "\n".join(lines)


def _whole(rows: Sequence[WholeRow]) -> str:
    if not rows:
        return ""
    lines = [
        "| from, to | frames/s | times render alone, 95 % | frames/CPU s | times render alone (CPU), 95 % |",
        "|---|---|---|---|---|",
    ]
    for r in rows:
        wall = _times(r.times_render_wall, r.times_render_wall_interval)
        cpu = _times(r.times_render_cpu, r.times_render_cpu_interval)
        lines.append(f"| {r.of} ({r.backend}, {r.size} px) | {r.fps:.1f} | {wall} | {r.fps_cpu:.1f} | {cpu} |")
    return "\n".join(lines)


def _memory(rows: Sequence[MemoryRow]) -> str:
    return "; ".join(f"{r.frames} frames: peak {r.peak_mb:.0f} MB ({r.growth:+.1%})" for r in rows) + (
        "." if rows else ""
    )


def _machine(row: MachineRow) -> str:
    return (
        f"{row.processor}; float32 matrix product, {row.workers} thread(s): "
        f"{row.matmul_gmac:.0f} GMAC a CPU second; "
        f"{row.rounds} rounds of {row.n} frames."
    )


def _times(value: float | None, bounds: Interval | None) -> str:
    return "" if value is None or bounds is None else f"{value:.2f} ({bounds[0]:.2f} to {bounds[1]:.2f})"
