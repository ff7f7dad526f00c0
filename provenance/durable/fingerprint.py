"""What a video looks like, in a few hundred bytes: a sequence of hashes, and a distance between two of them.

In: frames (HWC uint8 RGB) with their times. Out: a Fingerprint, two looks a second; each look is a hash of 256 bits of
the low waves of the picture (as PDQ has it: Facebook, "The TMK+PDQF video-hashing algorithm", 2019), of the whole
picture, its middle and its corners, so that a crop is still met. The mirrored picture has the same waves with every
second sign turned, so a mirrored copy costs nothing more.

A fingerprint says that two videos look alike. Two videos of one portrait look alike too; only the watermark tells those
apart.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ALG = "org.sfumato.fingerprint.1"
INTERVAL = 0.5  # seconds between two looks
LONGEST = 240  # looks: two minutes; what comes later is not taken in
BITS = 256
THRESHOLD = 0.22  # share of the bits that differ; see docs/durable.md for what is measured below and above it
# (share of both sides, where its left edge lies, where its top edge lies): all, around the middle, and the four corners
VIEWS = (
    (1.0, 0.5, 0.5),
    (0.95, 0.5, 0.5),
    (0.9, 0.5, 0.5),
    (0.9, 0.0, 0.0),
    (0.9, 1.0, 0.0),
    (0.9, 0.0, 1.0),
    (0.9, 1.0, 1.0),
)
LARGEST = 8 + 2 * LONGEST * len(VIEWS) * (BITS // 8)  # bytes of one that is stored
_WAVES = 16
_SIDE = 64
_SHIFT = 0.34  # of the shorter video's looks that two videos may be out of step by
_MAGIC = b"SFP1"

Hashes = NDArray[np.uint8]


@dataclass(frozen=True)
class Fingerprint:
    """`hashes`: (looks, views, 32) uint8. `mirrored`: the same of the mirrored video."""

    hashes: Hashes
    mirrored: Hashes

    def to_bytes(self) -> bytes:
        """As it is stored."""
        looks, views, _ = self.hashes.shape
        return _MAGIC + struct.pack("<HH", looks, views) + self.hashes.tobytes() + self.mirrored.tobytes()

    def digest(self) -> str:
        """SHA-256, hex, of what is stored: what a manifest states of it."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Raises ValueError for anything that `to_bytes` did not write."""
        if data[:4] != _MAGIC or len(data) < 8:
            raise ValueError("not a fingerprint of this kind")
        looks, views = struct.unpack("<HH", data[4:8])
        size = looks * views * (BITS // 8)
        if looks == 0 or looks > LONGEST or views != len(VIEWS) or len(data) != 8 + 2 * size:
            raise ValueError("a damaged fingerprint")
        both = np.frombuffer(data, np.uint8, 2 * size, 8).reshape(2, looks, views, BITS // 8)
        return cls(both[0], both[1])


class FingerprintBuilder:
    """Takes in frames and keeps two hashes a second."""

    def __init__(self) -> None:
        self._next = 0.0
        self._hashes: list[tuple[Hashes, Hashes]] = []

    def add(self, frame: NDArray[np.uint8], time: float) -> None:
        """frame: (H, W, 3) uint8 RGB; `time` in seconds since the first frame."""
        if time + 1e-6 < self._next or len(self._hashes) >= LONGEST:
            return
        self._next = max(self._next + INTERVAL, time + INTERVAL / 2)
        self._hashes.append(hash_frame(frame))

    def done(self) -> Fingerprint:
        """Raises ValueError without frames."""
        if not self._hashes:
            raise ValueError("no frame was taken in")
        return Fingerprint(*(np.stack(side) for side in zip(*self._hashes, strict=True)))


def hash_frame(frame: NDArray[np.uint8]) -> tuple[Hashes, Hashes]:
    """frame: (H, W, 3) uint8 RGB. Returns its hashes, one a view, and those of its mirror image; (7, 32) uint8 both."""
    luminance = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = luminance.shape
    upright, mirrored = [], []
    for share, across, down in VIEWS:
        wide, high = max(1, round(width * share)), max(1, round(height * share))
        top, left = round((height - high) * down), round((width - wide) * across)
        view = luminance[top : top + high, left : left + wide]
        small = cv2.resize(view, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        waves = cv2.dct(small)[1 : _WAVES + 1, 1 : _WAVES + 1]  # without the means of rows and columns
        turned = waves * np.where(
            np.arange(1, _WAVES + 1) % 2, -1, 1
        )  # the odd waves of a mirrored row change their sign
        upright.append(np.packbits(waves > np.median(waves)))
        mirrored.append(np.packbits(turned > np.median(turned)))
    return np.stack(upright), np.stack(mirrored)


def distance(stored: Fingerprint, seen: Fingerprint) -> float:
    """Share of differing bits, 0 to 1, at the views, the side of the mirror and the shift in time at which the two
    agree best.

    About one half for pictures that have nothing to do with each other, less the more is allowed to vary: see
    THRESHOLD.
    """
    return min(_distance(stored.hashes, seen.hashes), _distance(stored.hashes, seen.mirrored))


def _distance(a: Hashes, b: Hashes) -> float:
    """a: (n, views, 32), b: (m, views, 32). The mean over time, at the best pair of views and the best shift."""
    table = np.bitwise_count(a[:, None, :, None] ^ b[None, :, None, :]).sum(
        axis=-1, dtype=np.int32
    )  # (n, m, views, views)
    table = np.stack(
        [table[:, :, 0, view] for view in range(table.shape[3])]
        + [table[:, :, view, 0] for view in range(1, table.shape[2])]
    )
    shorter = min(len(a), len(b))
    overlap = max(1, shorter - int(_SHIFT * shorter))
    best = 1.0
    for shift in range(overlap - len(a), len(b) - overlap + 1):
        diagonal: NDArray[Any] = np.diagonal(table, shift, axis1=1, axis2=2)  # (pairs of views, looks in common)
        best = min(best, float(diagonal.mean(axis=1).min()) / BITS)
    return best
