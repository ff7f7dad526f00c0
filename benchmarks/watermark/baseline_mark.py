"""The baseline of the survival benchmark: dwtDctSvd of the PyPI package invisible-watermark, a mark for single
pictures.

It marks every frame with the same 64 bits; read are at most 12 frames, evenly spaced, and each bit is what most of them
say. It has no error-correcting code and no statistic of its own, so a payload counts as read when all its bits are
right, which favours it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MissingPartError, install_extra

METHOD = "dwtDctSvd"
FRAMES_READ = 12


class BaselineMark:
    """Raises MissingPartError without the package."""

    def __init__(self, payload: bytes) -> None:
        self._encoder: Any = _package().WatermarkEncoder()
        self._encoder.set_watermark("bytes", payload)

    def mark(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """image: HWC uint8 RGB; the package wants BGR. Pictures under 256 x 256 pixels it refuses: they stay as they
        are.
        """
        if image.shape[0] * image.shape[1] < 256 * 256:
            return image
        marked: NDArray[np.uint8] = self._encoder.encode(np.ascontiguousarray(image[:, :, ::-1]), METHOD)
        return np.ascontiguousarray(marked[:, :, ::-1])


def read_baseline(path: Path, frames: int) -> bytes:
    """The majority of the bits over at most FRAMES_READ of about `frames` frames; zeros where the package refuses the
    size.
    """
    from sfumato.media.video import VideoReader

    decoder: Any = _package().WatermarkDecoder("bytes", 64)
    stride = max(1, frames // FRAMES_READ)
    votes, count = np.zeros(64), 0
    with VideoReader(path) as video:
        for frame in video:
            if frame.index % stride:
                continue
            if frame.image.shape[0] * frame.image.shape[1] < 256 * 256:
                return bytes(8)
            read = decoder.decode(np.ascontiguousarray(frame.image[:, :, ::-1]), METHOD)
            votes += np.unpackbits(np.frombuffer(read, np.uint8)) * 2.0 - 1
            count += 1
    return np.packbits(votes > 0).tobytes() if count else bytes(8)


def _package() -> Any:
    try:
        return importlib.import_module("imwatermark")
    except ImportError as error:
        raise MissingPartError("The baseline needs invisible-watermark", install_extra("bench")) from error
