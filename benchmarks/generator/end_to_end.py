"""The whole program against rendering alone, and its memory: `sfumato animate` run as a user runs it, in a process of
its own.

In: a checkpoint. Out: times rendering alone that a frame takes from motion to sealed video, for a .motion file and for
a video that is followed; peak memory of a short and of a long animation. Start-up is left out: a frame's time is the
difference of a long and a short run over the difference of their frames. Keys and repository are temporary.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.generator.speed import SpeedConfig, overlapped, portraits, poses, shipped_track
from benchmarks.metrics.intervals import ratio
from benchmarks.metrics.timing import RoundTimes
from benchmarks.rows.speed import MemoryRow, SpeedRow, WholeRow
from sfumato.errors import SfumatoError

_SHORT, _STEPS = 20, 4  # frames of the short run, and how many times `config.frames` the long one is longer


def measure_end_to_end(
    checkpoint: Path, config: SpeedConfig, backend: str = "auto", advance: Callable[[float], None] = lambda amount: None
) -> list[SpeedRow]:
    """One row for rendering alone, one for each kind of motion. `advance` gets 1 a round."""
    from generator.networks.checkpoint import load_checkpoint
    from generator.rendering.animator import Animator

    animator = Animator(load_checkpoint(checkpoint), backend=backend, threads=config.workers)
    sitters = portraits(animator.checkpoint.landmarks, config)
    animator.set_identity(sitters)
    track = poses(sitters[0], config.frames)
    alone, whole = RoundTimes(), {".motion file to sealed video": RoundTimes(), "video to sealed video": RoundTimes()}
    with tempfile.TemporaryDirectory(prefix="sfumato-speed-") as name:
        run = _Runs(Path(name), checkpoint, config, backend)
        motions = [run.motion(frames) for frames in (_SHORT, _SHORT + _STEPS * config.frames)]
        drivers = [run.animate(motion, f"driver{index}.mp4").output for index, motion in enumerate(motions)]
        overlapped(animator, track, config)()
        for _ in range(config.rounds):
            alone.add(overlapped(animator, track, config))
            for timing, sources in zip(whole.values(), (motions, drivers), strict=True):
                short, long = (run.animate(source, "made.mp4") for source in sources)
                timing.wall.append((long.wall - short.wall) / (_STEPS * config.frames))
                timing.cpu.append((long.cpu - short.cpu) / (_STEPS * config.frames))
            advance(1)
    facts: dict[str, Any] = {
        "backend": animator.backend, "size": config.size, "shots": config.shots, "workers": config.workers,
        "rounds": config.rounds, "n": _STEPS * config.frames, "model": animator.checkpoint.digest,
    }  # fmt: skip
    rows: list[SpeedRow] = [WholeRow(of="render alone", **alone.row(), **facts)]
    for of, timing in whole.items():
        wall, cpu = ratio(timing.wall, alone.wall), ratio(timing.cpu, alone.cpu)
        rows.append(WholeRow(of=of, times_render_wall=wall, times_render_cpu=cpu, **timing.row(), **facts))
    return rows


def measure_memory(
    checkpoint: Path,
    config: SpeedConfig,
    lengths: Sequence[int] = (100, 5000),
    advance: Callable[[float], None] = lambda amount: None,
) -> list[SpeedRow]:
    """Peak memory (resident, MB) of one animation of each length, and its growth over the first. `advance` gets 1 a
    length.
    """
    rows: list[SpeedRow] = []
    first: float | None = None
    with tempfile.TemporaryDirectory(prefix="sfumato-speed-") as name:
        run = _Runs(Path(name), checkpoint, config, "auto")
        for frames in lengths:
            peak = round(run.animate(run.motion(frames), "made.mp4").peak, 1)
            first = first or peak
            rows.append(MemoryRow(frames=frames, peak_mb=peak, growth=round(peak / first - 1, 4), size=config.size))
            advance(1)
    return rows


class _Run:
    """One call of the program: wall and CPU seconds, peak memory in MB."""

    def __init__(self, output: Path, command: Sequence[str], environment: dict[str, str]) -> None:
        started = time.perf_counter()
        self.output = output
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)  # the usage of this one child
            process.returncode = os.waitstatus_to_exitcode(status)
            self.wall, self.cpu, self.peak = (
                time.perf_counter() - started,
                usage.ru_utime + usage.ru_stime,
                usage.ru_maxrss / 1024,
            )
            if process.returncode != 0:
                errors.seek(0)
                said = errors.read().decode("utf-8", "replace").strip().splitlines()
                raise SfumatoError(
                    f"sfumato animate ended with {process.returncode}: {said[-1] if said else 'no word'}"
                )


class _Runs:
    """Animations of the Mona Lisa in a folder of their own."""

    def __init__(self, folder: Path, checkpoint: Path, config: SpeedConfig, backend: str) -> None:
        self.folder, self.checkpoint, self.config, self.backend = folder, checkpoint, config, backend
        repository, keys = folder / "repository.sqlite3", folder / "keys"
        self.environment = {**os.environ, "SFUMATO_KEYS": str(keys), "SFUMATO_REPOSITORY": str(repository)}

    def motion(self, frames: int) -> Path:
        from generator.motion.track import write_motion

        path = self.folder / f"{frames}.motion"
        write_motion(path, shipped_track(frames))
        return path

    def animate(self, motion: Path, name: str) -> _Run:
        output = self.folder / name
        words = ["--motion", motion, "--output", output, "--size", self.config.size, "--checkpoint", self.checkpoint]
        words += ["--backend", self.backend, "--device", "cpu", "--overwrite"]
        command = [sys.executable, "-m", "sfumato", "animate", *["mona-lisa"] * self.config.shots, *map(str, words)]
        return _Run(output, command, self.environment)
