"""What `bench speed` and `bench judging` write: a method's frames or crops a second, the whole program, memory, the
machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.rows.row import Interval, Row, read_kind


@dataclass(frozen=True, kw_only=True)
class RunRow(Row):
    """How the generator was run."""

    size: int  # px of the frames
    shots: int
    workers: int
    rounds: int
    n: int  # frames a round
    model: str


@dataclass(frozen=True, kw_only=True)
class NetworkRow(RunRow):
    """How its network was."""

    network_size: int
    family: str


@dataclass(frozen=True, kw_only=True)
class PaceRow(Row):
    """Frames, or crops, a second of wall and of CPU time."""

    fps: float
    fps_cpu: float


@dataclass(frozen=True, kw_only=True)
class RatioRow(PaceRow):
    """How often faster than the plain method; None for that method itself."""

    ratio_wall: float | None = None
    ratio_wall_interval: Interval | None = None
    ratio_cpu: float | None = None
    ratio_cpu_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class MachineRow(NetworkRow):
    """What the machine does by itself: 10^9 multiply-adds a CPU second of a float32 matrix product."""

    kind: str = "machine"
    matmul_gmac: float
    processor: str


@dataclass(frozen=True, kw_only=True)
class RenderRow(RatioRow, NetworkRow):
    """One backend, against plain torch; 10^9 multiply-adds a frame, and their rate over the machine's own."""

    kind: str = "render"
    method: str
    gmac: float
    share_of_matmul: float


@dataclass(frozen=True, kw_only=True)
class WholeRow(PaceRow, RunRow):
    """The whole program on one kind of motion: how often the time of rendering alone a frame takes."""

    kind: str = "whole"
    of: str
    backend: str
    times_render_wall: float | None = None
    times_render_wall_interval: Interval | None = None
    times_render_cpu: float | None = None
    times_render_cpu_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class MemoryRow(Row):
    """Peak resident memory in MB of one animation, and its growth over the first."""

    kind: str = "memory"
    frames: int
    peak_mb: float
    growth: float
    size: int


SpeedRow = MachineRow | RenderRow | WholeRow | MemoryRow


@dataclass(frozen=True, kw_only=True)
class DetectorSpeedRow(RatioRow):
    """One backend of the detector, in crops a second, against the default."""

    method: str
    size: int  # px of the crops
    rounds: int
    n: int  # crops a round
    model: str
    processor: str


_KINDS: Mapping[str, type[MachineRow] | type[RenderRow] | type[WholeRow] | type[MemoryRow]] = {
    "machine": MachineRow, "render": RenderRow, "whole": WholeRow, "memory": MemoryRow,
}  # fmt: skip


def read_speed_row(line: Mapping[str, Any]) -> SpeedRow:
    """By its kind. Raises UsageError."""
    return read_kind(_KINDS, line, "speed")
