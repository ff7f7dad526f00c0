"""What `bench quality` and `bench cross` write: a method at a T, and a portrait with a driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from benchmarks.rows.row import Estimate, Interval, Reader, Row, reader


class FigureRow(Row):
    """One number over n clips or pairs, and its interval. of: "mean" or "median" of them; versus: by the name of
    another method, the interval of this one minus it, in the same statistic of the differences over those that both
    have.
    """

    value: Estimate
    of: str
    n: int
    versus: Mapping[str, Interval]


class NetworkRow(Row):
    """A network that a number looks through."""

    name: str
    sha256: str  # of its weights' file


Networks = Mapping[str, NetworkRow]  # by the number, or the reader of the figures; docs/evaluation.md has the list
Figures = Mapping[str, FigureRow]  # by what they tell; docs/evaluation.md has the list


class QualityRow(Row):
    """One method at one T: means over clips. Intervals are of this method minus the other, on the same clips. figures
    and readers are None before protocol self-reenactment-4, networks in lines from before they were written down, fid
    where Inception's weights were not at hand.
    """

    method: str
    shots: int = field(metadata={"key": "T"})  # source frames
    shipped: bool
    ssim: float
    l1: float  # in [0, 1]
    csim: float
    landmark_error: float  # eye distances
    perceptual: float
    fd_lite0: float
    fid: float | None = None
    learning_s: float  # to learn one person, the mean
    n: int  # clips
    frames: int  # of all clips
    ssim_vs_warp: Interval | None = None
    csim_vs_warp: Interval | None = None
    perceptual_vs_warp: Interval | None = None
    ssim_vs_previous: Interval | None = None
    csim_vs_previous: Interval | None = None
    perceptual_vs_previous: Interval | None = None
    figures: Mapping[str, FigureRow] | None = None  # of the mouth, and how the face follows
    readers: tuple[str, ...] | None = None  # who read the faces
    networks: Mapping[str, NetworkRow] | None = None  # by the number
    model: str | None  # sha256; None for a method that learns nothing
    protocol: str
    footage: str  # sha256 over the digests of the clips
    size: int  # px at which all methods are compared
    tune_seconds: float  # of fine-tuning a person, at most
    seed: int


class CrossRow(Row):
    """One portrait with one driver by protocol cross-person-1: means over the moments. Shapes in eye distances."""

    portrait: str
    driver: str
    csim_source: float
    csim_driver: float
    shape_source: float
    shape_driver: float
    moments: int
    model: str  # sha256
    footage: str
    size: int  # px of the output


class PairRow(Row, kind="pair"):
    """One portrait with one driver by one method, since protocol cross-person-2. driving: "self", where the portrait is
    a frame of the driving video, or "cross". figures: what there is of them, see docs/evaluation.md.
    """

    method: str
    driving: str
    portrait: str
    driver: str
    figures: Mapping[str, float]
    moments: int  # frames that CSIM and shapes are of
    frames: int  # that all else is of
    readers: tuple[str, ...]
    networks: Mapping[str, NetworkRow] | None = None  # by the number; None in older lines
    model: str | None
    footage: str
    size: int


class DrivenRow(Row, kind="driven"):
    """All pairs of one method and one way of driving."""

    method: str
    driving: str
    shipped: bool
    figures: Mapping[str, FigureRow]
    readers: tuple[str, ...]
    networks: Mapping[str, NetworkRow] | None = None  # by the number; None in older lines
    model: str | None
    footage: str
    size: int


DrivingRow = PairRow | DrivenRow
read_driving_row: Reader[DrivingRow] = reader("cross", PairRow, DrivenRow)
