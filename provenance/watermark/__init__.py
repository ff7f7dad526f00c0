"""Invisible marks in video: a 64-bit payload in, found again without the original. One protocol, one line a mark in the
registry.

A mark works on HWC uint8 RGB frames, one by one, in flat memory. A finding always carries its statistic and a bound of
the false-positive rate: the chance that a video without any mark gives this finding or a stronger one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sfumato.registry import Registry

REGISTRY = Registry("watermark", {"spread": "provenance.watermark.spread:SpreadWatermark"})
DEFAULT = "spread"

Image = NDArray[np.uint8]
FaceBox = tuple[float, float, float, float]  # x, y, width, height in pixels


@dataclass(frozen=True)
class Geometry:
    """How the picture lies in the one that was marked: mirrored first, then a part of it, in shares of its width and
    height.
    """

    mirrored: bool = False
    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0


@dataclass(frozen=True)
class WatermarkDetection:
    """A payload read from a video. `statistic`: correlation in standard deviations of what no mark would give.

    `bound`: at most so likely is it that a video without a mark gives as much, over the choice of the key.
    `detected` says whether that is below the limit; a payload that is not detected is noise.
    """

    payload: bytes
    statistic: float
    bound: float
    detected: bool
    geometry: Geometry


class Marker(Protocol):
    """Marks the frames of one video, in order."""

    def mark(self, frame: Image, faces: Sequence[FaceBox] | None = None) -> Image:
        """The frame with its mark, of the same shape. `faces` are kept cleaner; None: they are looked for now and
        then.
        """
        ...


class WatermarkReader(Protocol):
    """Reads the mark out of the frames of one video."""

    def add(self, frame: Image) -> None:
        """Takes in one frame, of the same size as the others."""
        ...

    def read(self, cut: bool = True) -> WatermarkDetection:
        """The most likely payload, blind. cut: also where a part of the picture is left, which takes much longer.
        Raises ValueError without frames.
        """
        ...

    def match(self, payloads: Sequence[bytes]) -> WatermarkDetection:
        """Which of `payloads` is there: a weaker mark is enough when it is known what to look for. Raises ValueError
        without any.
        """
        ...


class Watermark(Protocol):
    """A way to mark."""

    @property
    def alg(self) -> str:
        """Its name in a C2PA soft binding."""
        ...

    def marker(self, payload: bytes) -> Marker:
        """`payload`: 8 bytes."""
        ...

    def reader(self) -> WatermarkReader: ...
