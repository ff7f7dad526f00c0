"""What `bench speed` and `bench judging` write: a method's frames or crops a second, the whole program, memory, the
machine.
"""

from __future__ import annotations

from benchmarks.rows.row import Estimate, Reader, Row, reader


class RunRow(Row):
    """How the generator was run."""

    size: int  # px of the frames
    shots: int
    workers: int
    rounds: int
    n: int  # frames a round
    model: str


class NetworkRow(RunRow):
    """How its network was."""

    network_size: int
    family: str


class PaceRow(Row):
    """Frames, or crops, a second of wall and of CPU time."""

    fps: float
    fps_cpu: float


class RatioRow(PaceRow):
    """How often faster than the plain method; None for that method itself."""

    ratio_wall: Estimate | None = None
    ratio_cpu: Estimate | None = None


class MachineRow(NetworkRow, kind="machine"):
    """What the machine does by itself: 10^9 multiply-adds a CPU second of a float32 matrix product."""

    matmul_gmac: float
    processor: str


class RenderRow(RatioRow, NetworkRow, kind="render"):
    """One backend, against plain torch; 10^9 multiply-adds a frame, and their rate over the machine's own."""

    method: str
    gmac: float
    share_of_matmul: float


class WholeRow(PaceRow, RunRow, kind="whole"):
    """The whole program on one kind of motion: how often the time of rendering alone a frame takes."""

    of: str
    backend: str
    times_render_wall: Estimate | None = None
    times_render_cpu: Estimate | None = None


class MemoryRow(Row, kind="memory"):
    """Peak resident memory in MB of one animation, and its growth over the first."""

    frames: int
    peak_mb: float
    growth: float
    size: int


SpeedRow = MachineRow | RenderRow | WholeRow | MemoryRow
read_speed_row: Reader[SpeedRow] = reader("speed", MachineRow, RenderRow, WholeRow, MemoryRow)


class DetectorSpeedRow(RatioRow):
    """One backend of the detector, in crops a second, against the default."""

    method: str
    size: int  # px of the crops
    rounds: int
    n: int  # crops a round
    model: str
    processor: str
