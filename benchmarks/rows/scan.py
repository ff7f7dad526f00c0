"""What `bench scan` writes: a video's cost in each way to look, several workers, growth with the number of files."""

from __future__ import annotations

from benchmarks.rows.row import Estimate, Reader, Row, reader


class ScanRow(Row):
    """Where it was measured."""

    model: str
    processor: str
    load: float  # processes that ran, or waited for a core, in the minute before


class ScanCostRow(ScanRow, kind="scan_cost"):
    """CPU seconds of a scan of one video, and of decoding it alone; times_decoding: their ratio. decided: the stage of
    the scan that did.
    """

    way: str
    height: int  # px; 16:9
    seconds: float  # of the video
    frames: int
    crf: int  # of x264
    kilobits: int  # a second
    cpu: float
    decoding: float
    times_decoding: Estimate
    videos_an_hour: int  # of one core
    rounds: int
    n: int  # videos a round
    decided: str


class ScanWorkersRow(ScanRow, kind="scan_workers"):
    """Videos an hour by the clock, of one worker and of several."""

    height: int
    seconds: float
    workers: int
    cores: int
    videos_an_hour_of_one: int
    videos_an_hour: int
    times_one: Estimate
    rounds: int
    n: int


class ScanGrowthRow(ScanRow, kind="scan_growth"):
    """One long scan: CPU seconds a file in its second block and its last; growth: of a line through all blocks, a share
    of its beginning. Peak memory in MB after the first block and after the last.
    """

    files: int
    block: int  # files
    workers: int
    cpu_first: float
    cpu_last: float
    growth: Estimate
    driver_mb_first: float
    driver_mb: float
    worker_mb_first: float
    worker_mb: float
    n: int  # blocks that the line goes through


ScanRows = ScanCostRow | ScanWorkersRow | ScanGrowthRow
read_scan_row: Reader[ScanRows] = reader("scan", ScanCostRow, ScanWorkersRow, ScanGrowthRow)
