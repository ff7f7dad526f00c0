"""Whether the thousandth file costs what the first did: one long scan, in blocks. Out: one row.

CPU seconds a file of each block are fitted by a line; growth is what the line gains from the first block to the last,
over its beginning. Memory is that of the process that hands out and of the largest that judges.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.metrics.intervals import LEVEL
from benchmarks.metrics.timing import processor
from benchmarks.rows.row import Estimate
from benchmarks.rows.scan import ScanGrowthRow
from benchmarks.scan.cost import Advance, ScanConfig, busy, cpu_a_file, digest_of
from benchmarks.scan.footage import copies, make_clip
from benchmarks.scan.watched import Moment, watch_scan
from sfumato.errors import UsageError

BLOCK = 100  # files
_HEIGHT, _WIDTH, _SECONDS = 200, 140, 0.12  # a face in three frames: all parts of a scan have work


def measure_growth(config: ScanConfig, files: int, advance: Advance = lambda amount: None) -> list[ScanGrowthRow]:
    """One scan of `files` short videos. `advance` gets 1 a file. Raises UsageError for fewer than four blocks."""
    if files < 4 * BLOCK:
        raise UsageError(f"{files} files say nothing about growth", f"Take {4 * BLOCK} or more.")
    load = busy()
    with tempfile.TemporaryDirectory(prefix="sfumato-scan-") as name:
        folder = Path(name)
        clip = make_clip(folder / "clip.mp4", _HEIGHT, _SECONDS, _WIDTH)
        for _ in copies(clip, folder / "in", files):
            pass
        options = [*config.options, "--workers", str(config.workers)]
        moments = watch_scan(folder / "in", folder / "run", options, advance)
    return [growth_of(moments, config, load)]


def growth_of(moments: Sequence[Moment], config: ScanConfig, load: float, block: int = BLOCK) -> ScanGrowthRow:
    """The row of one scan. The first block, in which all is loaded, is left out of the line."""
    ends = [next(m for m in moments if m.files >= count) for count in range(block, moments[-1].files + 1, block)]
    costs = [cpu_a_file(pair) for pair in pairwise(ends)]
    first, last = ends[0], ends[-1]
    return ScanGrowthRow(
        files=last.files, block=block, workers=config.workers, cpu_first=round(costs[0], 4),
        cpu_last=round(costs[-1], 4), growth=_gain(costs), driver_mb_first=round(first.driver_mb, 1),
        driver_mb=round(last.driver_mb, 1), worker_mb_first=round(first.worker_mb, 1),
        worker_mb=round(last.worker_mb, 1), n=len(costs), model=digest_of(config),
        processor=processor(), load=load,
    )  # fmt: skip


def _gain(costs: Sequence[float]) -> Estimate:
    """Of a line through them, from the first to the last, as a share of its beginning, with the slope's t interval."""
    from scipy.stats import linregress, t

    places = np.arange(len(costs))
    line = linregress(places, costs)
    wide = float(t.ppf((1 + LEVEL) / 2, len(costs) - 2)) * float(line.stderr)
    low, middle, high = (
        (float(line.slope) + by) * (len(costs) - 1) / float(line.intercept) for by in (-wide, 0.0, wide)
    )
    return Estimate(round(middle, 4), (round(low, 4), round(high, 4)))
