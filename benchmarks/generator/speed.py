"""Speed: one portrait, one motion, every backend in turn. In: a checkpoint. Out: frames a second, against plain torch
and the machine.

The methods take turns, `rounds` times, so that what else the machine does falls on all of them; a ratio is taken within
a round. Frames a second of wall time are what a user sees; frames a CPU second say the same on a machine that is busy
with something else.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.metrics.timing import RoundTimes, processor
from benchmarks.rows.speed import MachineRow, RenderRow, SpeedRow
from generator.compiler import backend_names
from sfumato.errors import MissingPartError, SfumatoWarning, UsageError
from sfumato.execution.overlap import in_order
from sfumato.media.frame_size import require_frame_size

if TYPE_CHECKING:
    from generator.motion.track import Landmarks, Motion
    from generator.person.portrait import Portrait
    from generator.rendering.animator import Animator

PROTOCOL = "speed-1"
PLAIN = "torch eager"
BACKENDS = backend_names.NAMES
_MATRIX = 1024  # large enough for a core's full rate, small enough for its cache


@dataclass(frozen=True)
class SpeedConfig:
    """What is measured."""

    size: int = 256  # px of the frames
    shots: int = 1  # T: the same portrait several times costs what different ones do
    frames: int = 40  # of a method in a round
    rounds: int = 5
    workers: int = field(
        default_factory=lambda: os.cpu_count() or 1
    )  # threads: torch's own for plain torch, frames at once for the rest

    def __post_init__(self) -> None:
        require_frame_size(self.size)
        if min(self.shots, self.frames, self.workers) < 1 or self.rounds < 2:
            raise UsageError("shots, frames, rounds or workers are out of range", "1 or more; 2 rounds or more.")


def measure_rendering(
    checkpoint: Path, config: SpeedConfig, advance: Callable[[float], None] = lambda amount: None
) -> list[SpeedRow]:
    """One row a method, and one of the machine. `advance` gets 1 a method and round; backends that are not installed
    are left out, and so, with a warning, are those that compute wrongly here.
    """
    import torch

    from generator.compiler.backends import UnfitBackendError
    from generator.networks.checkpoint import load_checkpoint
    from generator.networks.families import has_network
    from generator.rendering.animator import Animator

    loaded, before = load_checkpoint(checkpoint), torch.get_num_threads()
    sitters = portraits(loaded.landmarks, config)
    track = poses(sitters[0], config.frames)
    methods: dict[str, tuple[Animator, RoundTimes]] = {PLAIN: (Animator(loaded, threads=1), RoundTimes())}
    for name in BACKENDS if has_network(loaded.generator) else ():
        try:
            methods[name] = Animator(loaded, backend=name, threads=config.workers), RoundTimes()
        except MissingPartError:
            continue
        except UnfitBackendError as error:
            warnings.warn(f"Not timed: {error.message}", SfumatoWarning, stacklevel=2)
    for animator, _ in methods.values():
        animator.set_identity(sitters)
    rates, plain_products = list[float](), _plain_products(methods[PLAIN][0], track[0], config.size)
    try:
        torch.set_num_threads(config.workers)
        for number in range(-1, config.rounds):  # the first round only warms up
            for name, (animator, timing) in methods.items():
                work = plainly(animator, track, config) if name == PLAIN else overlapped(animator, track, config)
                (timing if number >= 0 else RoundTimes()).add(work)
                advance(1 if number >= 0 else 0)
            rates += [matmul_rate()] if number >= 0 else []
    finally:
        torch.set_num_threads(before)
    rate = float(np.median(rates))
    facts: dict[str, Any] = {"size": config.size, "shots": config.shots, "workers": config.workers}
    facts |= {"rounds": config.rounds, "n": config.frames, "network_size": loaded.config.size}
    facts |= {"family": loaded.config.family, "model": loaded.digest}
    rows: list[SpeedRow] = [MachineRow(matmul_gmac=round(rate, 2), processor=processor(), **facts)]
    for name, (animator, timing) in methods.items():
        gmac = (plain_products if name == PLAIN else animator.products) / 1e9
        times = timing.row(None if name == PLAIN else methods[PLAIN][1])
        share = round(gmac * times["fps_cpu"] / rate, 3)
        rows.append(RenderRow(method=name, gmac=round(gmac, 3), share_of_matmul=share, **times, **facts))
    return rows


def matmul_rate() -> float:
    """10^9 multiply-adds a CPU second of torch's float32 matrix product, with the threads torch has now: the best of a
    few.
    """
    import torch

    a, b = torch.rand(2, _MATRIX, _MATRIX)
    best = math.inf
    for _ in range(6):
        started = time.process_time()
        a @ b
        best = min(best, time.process_time() - started)
    return _MATRIX**3 / best / 1e9


def portraits(landmarks: str, config: SpeedConfig) -> list[Portrait]:
    """The Mona Lisa, `config.shots` times."""
    from generator.person.portrait import read_portrait
    from sfumato.media.faces import FaceDetector
    from sfumato.media.images import WORKING_PIXELS, read_image
    from sfumato.media.landmarks import load_backend

    picture = read_image(
        Path(str(files("sfumato.app.animation") / "portraits" / "mona-lisa.jpg")), max_pixels=WORKING_PIXELS
    )
    return [read_portrait(picture, FaceDetector(), load_backend(landmarks), config.size)] * config.shots


def shipped_track(frames: int) -> Motion:
    """A shipped motion of `frames` frames at 25 a second: to its end, back, and so on."""
    from generator.motion.track import Motion, motion_path, read_motion

    shipped = read_motion(motion_path("cheerful"))
    path = [*range(len(shipped)), *range(len(shipped) - 2, 0, -1)]
    order = [path[i % len(path)] for i in range(frames)]
    depth, gaze = (None if part is None else part[order] for part in (shipped.depth, shipped.gaze))
    neutral = min(shipped.neutral, frames - 1)
    return Motion(
        shipped.landmarks[order], np.arange(frames) / 25, neutral, shipped.backend, "long", depth=depth, gaze=gaze
    )


def poses(sitter: Portrait, frames: int) -> list[Landmarks]:
    """The sitter's landmarks in `shipped_track`."""
    from generator.motion.retarget import Retargeter

    track = shipped_track(frames)
    retargeter = Retargeter(sitter.landmarks, track, depth=sitter.depth)
    return [retargeter.frame(index) for index in range(len(track))]


def plainly(animator: Animator, track: Sequence[Landmarks], config: SpeedConfig) -> Callable[[], int]:
    """Plain torch, one frame after another."""
    return lambda: len([animator.render_plainly(points, config.size).shape for points in track])


def overlapped(animator: Animator, track: Sequence[Landmarks], config: SpeedConfig) -> Callable[[], int]:
    """As `sfumato animate` renders: `workers` frames at once."""
    return lambda: sum(1 for _ in in_order(lambda points: animator.render(points, config.size), track, config.workers))


def _plain_products(animator: Animator, points: Landmarks, size: int) -> int:
    """Multiply-adds of a frame in plain torch, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        animator.render_plainly(points, size)
    return int(counter.get_total_flops()) // 2
