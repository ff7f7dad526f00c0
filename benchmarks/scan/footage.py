"""Videos to scan that nobody has to send along: a shipped painting before a camera that is held in a hand.

In: a size and a length. Out: an mp4 in H.264 with a keyframe every two seconds, and copies of it with the same pictures
and other bytes. The face is real paint, found and followed like any other; what the score says of it means nothing.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.attacks.reencoding import Timed, encode
from sfumato.media.images import read_image

RATE = 25.0
CRF = 23  # x264's default
KEYFRAMES = 2.0  # seconds from one to the next, as what is streamed has them
_GRAINS, _GRAIN = 8, 3.0  # pictures of a sensor's noise that take turns, and its deviation in grey values
_COPY = b"sfumato bench scan"

Image = NDArray[np.uint8]


def make_clip(path: Path, height: int, seconds: float, width: int | None = None) -> Path:
    """Writes `seconds` of video at RATE, `height` px high and 16:9 wide unless `width` says otherwise; both even."""
    options = {"crf": str(CRF), "g": str(round(KEYFRAMES * RATE))}
    frames = hand_held(width or round(height * 8 / 9) * 2, height, round(seconds * RATE))
    encode(path, frames, CRF, RATE, options=options)
    return path


def hand_held(width: int, height: int, frames: int) -> Timed:
    """The Mona Lisa as high as the frame, before a blurred copy of itself; it drifts, turns by two degrees and comes
    nearer by a twentieth. Frames (height, width, 3) uint8 RGB, and their times.
    """
    painting = read_image(Path(str(files("sfumato.app.animation") / "portraits" / "mona-lisa.jpg")))
    behind = cv2.blur(cv2.resize(painting, (width, height)), (height // 8 | 1, height // 8 | 1))
    chance = np.random.default_rng(0)
    grains = [chance.normal(0, _GRAIN, (height, width, 1)).round().astype(np.int16) for _ in range(_GRAINS)]
    high, wide = painting.shape[:2]
    for index in range(frames):
        time = index / RATE
        scale = height / high * (1.05 + 0.05 * math.sin(0.7 * time))
        turned = cv2.getRotationMatrix2D((wide / 2, high / 2), 2 * math.sin(0.9 * time), scale)
        place = np.asarray(turned, np.float64)  # (2, 3)
        place[:, 2] += np.array([width - wide, height - high]) / 2
        place[:, 2] += 0.03 * height * np.sin([time, 1.3 * time])
        image = cv2.warpAffine(
            painting, place, (width, height), behind.copy(), borderMode=cv2.BORDER_TRANSPARENT
        )  # (height, width, 3)
        yield np.clip(image + grains[index % _GRAINS], 0, 255).astype(np.uint8), time


def copies(clip: Path, folder: Path, count: int) -> Iterator[Path]:
    """Writes `count` files of the same size that play as `clip` does, each with a number in a box behind it that
    players skip: a scan takes none for a copy of another.
    """
    folder.mkdir(parents=True)
    content = clip.read_bytes()
    for number in range(count):
        note = _COPY + struct.pack(">Q", number)
        path = folder / f"{number:06}.mp4"
        path.write_bytes(content + struct.pack(">I4s", len(note) + 8, b"free") + note)
        yield path
