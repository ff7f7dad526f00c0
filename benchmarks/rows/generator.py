"""What `bench quality` and `bench cross` write: a method at a T, and a portrait with a driver."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from benchmarks.rows.row import Interval, Row


class QualityRow(Row):
    """One method at one T: means over clips. Intervals are of this method minus the other, on the same clips."""

    method: str
    shots: int = field(metadata={"key": "T"})  # source frames
    shipped: bool
    ssim: float
    l1: float  # in [0, 1]
    csim: float
    landmark_error: float  # eye distances
    perceptual: float
    fd_lite0: float
    learning_s: float  # to learn one person, the mean
    n: int  # clips
    frames: int  # of all clips
    ssim_vs_warp: Interval | None = None
    csim_vs_warp: Interval | None = None
    perceptual_vs_warp: Interval | None = None
    ssim_vs_previous: Interval | None = None
    csim_vs_previous: Interval | None = None
    perceptual_vs_previous: Interval | None = None
    model: str | None  # sha256; None for a method that learns nothing
    protocol: str
    footage: str  # sha256 over the digests of the clips
    size: int  # px at which all methods are compared
    tune_seconds: float  # of fine-tuning a person, at most
    seed: int


class CrossedPair(Row):
    """One portrait with one driver: means over the moments. Shapes in eye distances."""

    portrait: str
    driver: str
    csim_source: float
    csim_driver: float
    shape_source: float
    shape_driver: float
    moments: int

    def row(self, model: str, footage: str, size: int) -> CrossRow:
        """As a line of the record has it, rounded. model, footage: sha256; size: px of the output."""
        rounded: dict[str, Any] = {
            name: round(value, 4) if isinstance(value, float) else value for name, value in vars(self).items()
        }
        return CrossRow(**rounded, model=model, footage=footage, size=size)


class CrossRow(CrossedPair):
    """A pair, by which model, of which footage."""

    model: str  # sha256
    footage: str
    size: int  # px of the output
