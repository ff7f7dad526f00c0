"""How long work takes, in turns with other work, and on which processor. Work in, seconds a frame and ratios out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.metrics.intervals import ratio


@dataclass
class RoundTimes:
    """Wall and CPU seconds a frame, one number a round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, work: Callable[[], int]) -> None:
        """Times `work`, which returns how many frames it made."""
        wall, cpu = time.perf_counter(), time.process_time()
        frames = work()
        self.wall.append((time.perf_counter() - wall) / frames)
        self.cpu.append((time.process_time() - cpu) / frames)

    def row(self, over: RoundTimes | None = None) -> dict[str, Any]:
        """Medians, and how often faster (wall, CPU) than `over`."""
        row: dict[str, Any] = {
            "fps": round(1 / float(np.median(self.wall)), 3),
            "fps_cpu": round(1 / float(np.median(self.cpu)), 3),
        }
        for name in ("wall", "cpu") if over is not None else ():
            row[f"ratio_{name}"] = ratio(getattr(over, name), getattr(self, name))
        return row


def processor() -> str:
    """The processor's name and what it can do with 16-bit and 8-bit numbers, where the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "unknown"
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    known = {key.strip(): value.strip() for key, value in fields.items()}
    telling = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
    flags = [flag for flag in known.get("flags", "").split() if flag in telling]
    return ", ".join([known.get("model name", "unknown"), *flags])
