"""What a scan of one video costs, against decoding it alone, in each way to look; and what a second process adds.

In: a detector, sizes. Out: a row a way and size, a row of workers. The same files are decoded and scanned in turn, so
that what else the machine does falls on both; CPU seconds also hold on a busy machine, the row of workers only on an
idle one: it says how busy it was.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.metrics.intervals import ratio
from benchmarks.metrics.timing import processor
from benchmarks.rows.scan import ScanCostRow, ScanWorkersRow
from benchmarks.scan.footage import CRF, copies, make_clip
from benchmarks.scan.watched import Moment, watch_scan
from sfumato.errors import UsageError

PROTOCOL = "scan-2"
WAYS: Mapping[str, Sequence[str]] = {"full": (), "quick": ("--quick",)}  # what `scan` is told besides
Advance = Callable[[float], None]


@dataclass(frozen=True)
class ScanConfig:
    """model: the folder of a detector, None for the one that ships."""

    rounds: int = 5
    videos: int = 6  # of a round, besides the first, within which all is loaded
    seconds: float = 10.0  # of each video
    heights: tuple[int, ...] = (240, 720, 1080)  # px
    workers: int = 2  # held against one
    model: Path | None = None

    def __post_init__(self) -> None:
        if self.rounds < 2 or min(self.videos, self.workers, *self.heights) < 1 or self.seconds <= 0:
            raise UsageError(
                "rounds, videos, seconds or heights are out of range", "2 rounds or more; the rest above 0."
            )

    @property
    def options(self) -> list[str]:
        return [] if self.model is None else ["--model", str(self.model)]


def measure_cost(config: ScanConfig, advance: Advance = lambda amount: None) -> list[ScanCostRow]:
    """A row a height and way. `advance` gets 1 a scan. Raises what `watch_scan` raises."""
    digest, rows, load = digest_of(config), list[ScanCostRow](), busy()
    for height in config.heights:
        with tempfile.TemporaryDirectory(prefix="sfumato-scan-") as name:
            folder = Path(name)
            clip = make_clip(folder / "clip.mp4", height, config.seconds)
            files = list(copies(clip, folder / "in", config.videos + 1))
            decoding, scanning, decided = list[float](), {way: list[float]() for way in WAYS}, dict[str, str]()
            for number in range(config.rounds):
                started = time.process_time()
                frames = sum(decode(path) for path in files[1:])
                decoding.append((time.process_time() - started) / config.videos)
                for way, options in WAYS.items():
                    run = folder / f"{way}-{number}"
                    moments = watch_scan(folder / "in", run, [*config.options, *options])
                    scanning[way].append(cpu_a_file(moments))
                    decided[way] = decided_in(run)
                    advance(1)
            for way, cpu in scanning.items():
                rows.append(ScanCostRow(
                    way=way, decided=decided[way], height=height, seconds=config.seconds, crf=CRF,
                    kilobits=round(clip.stat().st_size / config.seconds / 125), frames=frames // config.videos,
                    rounds=config.rounds, n=config.videos, cpu=round(float(np.median(cpu)), 4),
                    decoding=round(float(np.median(decoding)), 4),
                    times_decoding=ratio(cpu, decoding), videos_an_hour=round(3600 / float(np.median(cpu))),
                    model=digest, processor=processor(), load=load,
                ))  # fmt: skip
    return rows


def measure_workers(
    config: ScanConfig, height: int = 720, advance: Advance = lambda amount: None
) -> list[ScanWorkersRow]:
    """One row: so many workers against one, on videos of that height. `advance` gets 1 a scan."""
    load, paces = busy(), {1: list[float](), config.workers: list[float]()}
    with tempfile.TemporaryDirectory(prefix="sfumato-scan-") as name:
        folder = Path(name)
        clip = make_clip(folder / "clip.mp4", height, config.seconds)
        for _ in copies(clip, folder / "in", (config.videos + 1) * config.workers):
            pass
        for number in range(config.rounds):
            for workers, pace in paces.items():
                run = folder / f"{workers}-{number}"
                moments = watch_scan(folder / "in", run, [*config.options, "--workers", str(workers)])
                pace.append(files_a_second(moments, workers))
                advance(1)
    few, many = ((round(3600 * float(np.median(pace)))) for pace in paces.values())
    return [ScanWorkersRow(
        height=height, seconds=config.seconds, workers=config.workers, videos_an_hour_of_one=few, videos_an_hour=many,
        times_one=ratio(paces[config.workers], paces[1]), cores=os.cpu_count() or 1, rounds=config.rounds,
        n=config.videos * config.workers, model=digest_of(config), processor=processor(), load=load,
    )]  # fmt: skip


def decode(path: Path) -> int:
    """Decodes a video by PyAV alone, in one thread; returns how many frames."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
        return sum(1 for _ in container.decode(stream))


def decided_in(run: Path) -> str:
    """The stage that decided most files of a run."""
    with (run / "records.jsonl").open(encoding="ascii") as lines:
        return Counter(str(json.loads(line)["stages"]["decided"]) for line in lines).most_common(1)[0][0]


def cpu_a_file(moments: Sequence[Moment]) -> float:
    """CPU seconds between the first moment and the last, for each record that was added."""
    first, last = _ends(moments)
    return (last.cpu - first.cpu) / (last.files - first.files)


def files_a_second(moments: Sequence[Moment], workers: int) -> float:
    """By the clock, from the first moment to the last. At the first all workers but one have nearly done a file that is
    not counted yet.
    """
    first, last = _ends(moments)
    return (last.files - first.files - (workers - 1)) / (last.wall - first.wall)


def busy() -> float:
    """The mean number of processes that ran, or waited for a core, in the last minute."""
    return round(os.getloadavg()[0], 2)


def _ends(moments: Sequence[Moment]) -> tuple[Moment, Moment]:
    if len(moments) < 2:
        raise UsageError("The scan was over before it could be looked at twice", "Take more videos, or longer ones.")
    return moments[0], moments[-1]


def digest_of(config: ScanConfig) -> str:
    """Of the detector that is measured."""
    from detector.inference.bundle import load_shipped

    return load_shipped(config.model).digest
