"""Where the mark lies: 2304 chips, smooth local waves of the picture scaled to 256 x 256, and the signs a key gives
them.

Every picture is scaled to the same grid before anything else, so that its size does not matter. A chip is one function
of a lapped transform (sine window, overlap of one half; Malvar, "Signal Processing with Lapped Transforms", 1992) on
blocks of 16: orthogonal, local, and without edges that an encoder or an eye would find. Of each block nine low waves
are used, 1 <= u + v <= 3: measured over clips at half size and crf 28, lower ones drown in the picture and higher ones
in the encoder. 2048 chips carry the code, 256 a known pilot that finds crops. The pattern stands still: an encoder
spends bits once on what does not move, and keeps it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.watermark.code import LENGTH, encode

GRID = 256
BLOCK = 16
BLOCKS = GRID // BLOCK
WAVES = 6  # analysed a block and direction; the marked ones and their neighbours
BANDS = tuple((u, v) for u in range(WAVES) for v in range(WAVES) if 1 <= u + v <= 3)
CHIPS = BLOCKS * BLOCKS * len(BANDS)
PILOTS = CHIPS - LENGTH
PUBLIC_KEY = b"sfumato watermark 1"  # anybody may look for the mark, so anybody may also forge or remove it

Plane = NDArray[Any]  # float32
_TILT = (1.15, 1.05, 0.93)  # strength of the waves with u + v = 1, 2, 3: the lower ones outlive smaller copies
_U = np.array([u for u, _ in BANDS])
_V = np.array([v for _, v in BANDS])


@dataclass(frozen=True)
class Spread:
    """What a key decides. `order`: chip of each code sign, then of each pilot; `signs`: +1 or -1 for each of them."""

    order: NDArray[np.int64]
    signs: Plane

    def chips(self, payload: bytes) -> Plane:
        """(16, 16, 9) of +1 and -1: what is added to the picture."""
        sequence = np.concatenate([encode(payload), np.ones(PILOTS, np.float32)])
        return self._place(sequence * self.signs)

    def pilot(self) -> Plane:
        """(16, 16, 9): the pilots alone."""
        sequence = np.concatenate([np.zeros(LENGTH, np.float32), np.ones(PILOTS, np.float32)])
        return self._place(sequence * self.signs)

    def despread(self, soft: Plane) -> Plane:
        """soft: (16, 16, 9). Returns (2048,): what argues for each sign of the code."""
        taken: Plane = (soft.reshape(-1)[self.order] * self.signs)[:LENGTH]
        return taken

    def _place(self, sequence: Plane) -> Plane:
        chips = np.zeros(CHIPS, np.float32)
        chips[self.order] = sequence
        return chips.reshape(BLOCKS, BLOCKS, len(BANDS))


@lru_cache(maxsize=8)
def spread(key: bytes = PUBLIC_KEY) -> Spread:
    """Order and signs from SHAKE-256 of the key: without the key they are as good as random."""
    stream = hashlib.shake_256(key)
    words = np.frombuffer(stream.digest(CHIPS * 9), np.uint8)
    order = np.argsort(words[: CHIPS * 8].view("<u8"), kind="stable").astype(np.int64)
    signs = (1 - 2 * (words[CHIPS * 8 :] & 1).astype(np.float32)).astype(np.float32)
    return Spread(order, signs)


def to_grid(frame: NDArray[np.uint8]) -> Plane:
    """frame: (H, W, 3) uint8 RGB. Returns its luminance on the grid, (256, 256), 0 to 255."""
    luminance = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    shrinks = luminance.shape[0] >= GRID and luminance.shape[1] >= GRID
    scaled = cv2.resize(luminance, (GRID, GRID), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return scaled.astype(np.float32)


def synthesize(chips: Plane) -> Plane:
    """chips: (16, 16, 9). Returns their picture (256, 256), of standard deviation 1 when all are +1 or -1; lower waves
    are stronger.
    """
    waves = np.zeros((BLOCKS, BLOCKS, WAVES, WAVES), np.float32)
    waves[:, :, _U, _V] = chips * _tilt()
    folded = waves.transpose(0, 2, 1, 3).reshape(BLOCKS * WAVES, BLOCKS * WAVES)
    scale = GRID / np.sqrt(CHIPS)
    picture: Plane = (basis().T @ folded @ basis() * scale).astype(np.float32)
    return picture


def analyse(picture: Plane) -> Plane:
    """picture: (256, 256). Returns all waves, (16, 16, 6, 6)."""
    waves: Plane = (basis() @ picture @ basis().T).reshape(BLOCKS, WAVES, BLOCKS, WAVES).transpose(0, 2, 1, 3)
    return waves


def marked_bands(waves: Plane) -> Plane:
    """waves: (16, 16, 6, 6). Returns those that carry the mark, (16, 16, 9)."""
    taken: Plane = waves[:, :, _U, _V]
    return taken


@lru_cache(maxsize=1)
def _tilt() -> Plane:
    """(9,): of mean square 1."""
    tilt = np.array([_TILT[u + v - 1] for u, v in BANDS], np.float32)
    scaled: Plane = tilt / np.sqrt((tilt * tilt).mean())
    return scaled


@lru_cache(maxsize=1)
def basis() -> Plane:
    """(96, 256): six waves for each of 16 places, rows orthonormal. Those that the border cuts are made orthogonal
    again.
    """
    position = np.arange(2 * BLOCK)
    window = np.sin((position + 0.5) * np.pi / (2 * BLOCK))
    rows = np.zeros((BLOCKS * WAVES, GRID + 2 * BLOCK))
    for place in range(BLOCKS):
        for wave in range(WAVES):
            start = place * BLOCK + BLOCK // 2
            rows[place * WAVES + wave, start : start + 2 * BLOCK] = window * np.cos(
                (2 * position + 1 + BLOCK) * (2 * wave + 1) * np.pi / (4 * BLOCK)
            )
    left, _, right = np.linalg.svd(rows[:, BLOCK : BLOCK + GRID], full_matrices=False)
    nearest: Plane = (left @ right).astype(np.float32)
    return nearest
