"""The speed benchmark as tables of Markdown, for docs/speed.md and the terminal. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows.row import Estimate
from benchmarks.rows.speed import DetectorSpeedRow, MachineRow, MemoryRow, PaceRow, RenderRow, SpeedRow, WholeRow
from benchmarks.tables.markdown import number_text, table_text


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
    table = table_text(
        ("method", "crops/CPU s", "times onnxruntime, 95 %"),
        ((r.method, f"{r.fps_cpu:.1f}", number_text(r.ratio_cpu, ".2f")) for r in rows),
    )
    last = rows[-1]
    return f"{table}\n\n{last.processor}; one thread, {last.rounds} rounds of {last.n} crops at {last.size} px."


def _render(rows: Sequence[RenderRow]) -> str:
    head = (
        "network, frame, T", "method", "frames/s", "times plain torch", "frames/CPU s", "times plain torch",
        "GMAC a frame", "of matmul rate",
    )  # fmt: skip
    return table_text(head, (
        (f"{r.network_size} px, {r.size} px, {r.shots}", r.method, *_pace(r, r.ratio_wall, r.ratio_cpu),
         f"{r.gmac:.2f}", f"{r.share_of_matmul:.2f}")
        for r in rows
    ))  # fmt: skip


def _whole(rows: Sequence[WholeRow]) -> str:
    head = ("from, to", "frames/s", "times render alone, 95 %", "frames/CPU s", "times render alone (CPU), 95 %")
    return table_text(head, (
        (f"{r.of} ({r.backend}, {r.size} px)", *_pace(r, r.times_render_wall, r.times_render_cpu)) for r in rows
    ))  # fmt: skip


def _pace(row: PaceRow, wall: Estimate | None, cpu: Estimate | None) -> tuple[str, str, str, str]:
    """Four cells: frames a second and how often faster, by the wall and by the CPU."""
    return f"{row.fps:.1f}", number_text(wall, ".2f"), f"{row.fps_cpu:.1f}", number_text(cpu, ".2f")


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
