"""Pictures that a mark can be tried on: `from tests.watermark_fixtures import scene`. Made on the spot, smooth and with
grain.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.watermark.detect import SpreadReader
from sfumato.media.video import VideoReader
from tests.media_fixtures import make_video

PAYLOAD = bytes.fromhex("5fa3c01d77e204b9")
OTHER = bytes.fromhex("0123456789abcdef")


def scene(seed: int = 0, frames: int = 24, size: tuple[int, int] = (192, 256)) -> Iterator[NDArray[np.uint8]]:
    """(H, W, 3) frames: a soft coloured background with grain, and a disc that moves over it. Each seed is another
    place.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    coarse = cv2.resize(
        rng.uniform(60, 190, (9, 12, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    fine = cv2.GaussianBlur(rng.normal(0, 25, (height, width, 3)).astype(np.float32), (0, 0), 1.2)
    background = np.clip(coarse + fine, 0, 255).astype(np.uint8)
    for index in range(frames):
        image = background.copy()
        centre = (int(width * (0.4 + 0.2 * np.sin(index / 6))), int(height * 0.5))
        cv2.circle(image, centre, height // 6, (210, 160, 130), -1)
        yield image


def encode(images: list[NDArray[np.uint8]], path: Path, crf: int = 28, rate: float = 25) -> Path:
    """H.264 at `crf`."""
    height, width = images[0].shape[:2]
    return make_video(
        path, images=images, frames=len(images), width=width, height=height, rate=rate, options={"crf": str(crf)}
    )


def half(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Half of both sides."""
    return [
        cv2.resize(image, (image.shape[1] // 4 * 2, image.shape[0] // 4 * 2), interpolation=cv2.INTER_AREA)
        for image in images
    ]


def cropped(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """A tenth of both sides is lost, more of it right and below."""
    height, width = images[0].shape[:2]
    top, left, high, wide = round(height * 0.04), round(width * 0.03), round(height * 0.45) * 2, round(width * 0.45) * 2
    return [np.ascontiguousarray(image[top : top + high, left : left + wide]) for image in images]


def reader_of(images: list[np.ndarray] | VideoReader, key: bytes | None = None) -> SpreadReader:
    reader = SpreadReader(key)
    for image in images:
        reader.add(image if isinstance(image, np.ndarray) else image.image)
    return reader
