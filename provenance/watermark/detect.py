"""Reads the mark: frames in, one soft value a chip out, and from those the payload, its statistic and its
false-positive bound.

Frames are averaged on the grid in at most 16 groups, so that memory stays flat and what moves can be told from what
does not. A chip's wave is taken out of the whitened mean picture and weighed by how loud its surroundings are and how
much it changed.

The bound. Take any video without a mark, and any function f of it with one value a chip. The signs c of a codeword are,
over the choice of the key, independent and fair; so by Hoeffding's inequality (1963) P(sum c f >= t |f|) <= exp(-t^2 /
2), whatever f is. There are 2**64 codewords, and no more geometries are tried than a stated number; the union bound
over both is the false-positive rate given. It is proven for a random key and an honest video, and measured for ours:
see docs/durable.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from provenance.watermark import Geometry, Image, WatermarkDetection
from provenance.watermark.code import BITS, decode, encode
from provenance.watermark.geometry import SEARCHED, search, transform
from provenance.watermark.pattern import Plane, Spread, analyse, marked_bands, spread, to_grid

LIMIT = 1e-9  # false-positive rate of a detection, a video
GROUPS = 16
_FIRST_GROUP = 4  # frames
_TRIED = 16  # geometries decoded blind, at most
_CANDIDATES = 6  # of a search, for each side


class SpreadReader:
    """Takes in the frames of one video; `read` and `match` may be called at any time after the first."""

    def __init__(self, key: bytes | None = None) -> None:
        self._spread: Spread = spread(key) if key is not None else spread()
        self._groups: list[Plane] = []  # sums of frames
        self._counts: list[int] = []
        self._full = _FIRST_GROUP

    def add(self, frame: Image) -> None:
        """frame: (H, W, 3) uint8 RGB."""
        picture = to_grid(frame)
        if self._counts and self._counts[-1] < self._full:
            self._groups[-1] += picture
            self._counts[-1] += 1
            return
        if len(self._groups) == GROUPS:
            self._groups = [self._groups[i] + self._groups[i + 1] for i in range(0, GROUPS, 2)]
            self._counts = [self._counts[i] + self._counts[i + 1] for i in range(0, GROUPS, 2)]
            self._full *= 2
        self._groups.append(picture)
        self._counts.append(1)

    def read(self, cut: bool = True) -> WatermarkDetection:
        """Blind: as it lies, mirrored, and if neither gives a mark, cut at the sides, which takes ten times as long."""
        pictures, weights = self._pictures()
        best = max(
            (self._decode(pictures, weights, Geometry(mirrored)) for mirrored in (False, True)),
            key=lambda found: found.statistic,
        )
        if best.detected or not cut:
            return best
        for place in search(pictures, weights, self._spread.pilot(), _CANDIDATES):
            best = max(best, self._decode(pictures, weights, place), key=lambda found: found.statistic)
        return best

    def match(self, payloads: Sequence[bytes]) -> WatermarkDetection:
        """Only `payloads` are looked for, so that far fewer codewords can agree by chance."""
        if not payloads:
            raise ValueError("give the payloads to look for")
        pictures, weights = self._pictures()
        plain = [(place, soft_values(pictures, weights, place)) for place in (Geometry(), Geometry(True))]
        best: WatermarkDetection | None = None
        for payload in payloads:
            places = plain
            quick = max(
                (self._correlate(soft, payload, len(payloads), place) for place, soft in plain),
                key=lambda found: found.statistic,
            )
            if not quick.detected:
                found = search(pictures, weights, self._spread.chips(payload), 1)
                places = [(place, soft_values(pictures, weights, place)) for place in found]
                quick = max(
                    [quick, *(self._correlate(soft, payload, len(payloads), place) for place, soft in places)],
                    key=lambda f: f.statistic,
                )
            best = quick if best is None or quick.statistic > best.statistic else best
        assert best is not None  # noqa: S101 (payloads is not empty)
        return best

    def _pictures(self) -> tuple[list[Plane], Plane]:
        if not self._groups:
            raise ValueError("no frame was taken in")
        counts = np.asarray(self._counts, np.float32)
        return [group / count for group, count in zip(self._groups, self._counts, strict=True)], counts / counts.sum()

    def _decode(self, pictures: list[Plane], weights: Plane, place: Geometry) -> WatermarkDetection:
        values = self._spread.despread(soft_values(pictures, weights, place))
        length = float(np.sqrt((values * values).sum()))
        if length == 0:
            return WatermarkDetection(bytes(BITS // 8), 0.0, 1.0, False, place)
        payload, correlation = decode(values / length)
        bound = tail(correlation, BITS * math.log(2) + math.log(_TRIED))
        return WatermarkDetection(payload, correlation, bound, bound <= LIMIT, place)

    def _correlate(self, soft: Plane, payload: bytes, payloads: int, place: Geometry) -> WatermarkDetection:
        values = self._spread.despread(soft)
        length = float(np.sqrt((values * values).sum()))
        correlation = float((values * encode(payload)).sum()) / length if length else 0.0
        bound = tail(correlation, math.log(payloads) + math.log(SEARCHED))
        return WatermarkDetection(payload, correlation, bound, bound <= LIMIT, place)


def tail(statistic: float, log_trials: float) -> float:
    """At most so likely is it that the best of exp(log_trials) codewords and geometries reaches `statistic` without a
    mark.
    """
    return min(1.0, math.exp(min(0.0, log_trials - max(statistic, 0.0) ** 2 / 2)))


def soft_values(pictures: Sequence[Plane], weights: Plane, place: Geometry) -> Plane:
    """pictures: group means (256, 256), `weights` their shares. Returns (16, 16, 9): sign and weight of each chip."""
    moved, seen = zip(*(transform(picture, place) for picture in pictures), strict=True)
    mean = np.tensordot(weights, np.stack(moved), axes=1)  # (256, 256)
    waves = analyse(_whiten(mean))  # (16, 16, 6, 6)
    loudness = np.sqrt(_surroundings(waves * waves))
    values, loud = marked_bands(waves), marked_bands(loudness)
    soft: Plane = np.tanh(values / (6 + 0.3 * loud)) / np.sqrt(1 + (loud / 12) ** 2)
    if len(moved) > 2:
        spreads = np.stack([marked_bands(analyse(_whiten(picture))) for picture in moved])
        about = np.tensordot(weights, (spreads - np.tensordot(weights, spreads, axes=1)) ** 2, axes=1)
        change = cv2.GaussianBlur(np.sqrt(about), (0, 0), 0.7)
        soft = soft / np.sqrt(1 + (change / 7) ** 2)
    soft *= cv2.resize(seen[0], (soft.shape[1], soft.shape[0]), interpolation=cv2.INTER_AREA)[:, :, None]
    return soft


def _whiten(picture: Plane) -> Plane:
    """Without its coarse part: what leaks from there is louder than the mark."""
    fine: Plane = (picture - cv2.GaussianBlur(picture, (0, 0), 4)).astype(np.float32)
    return fine


def _surroundings(energy: Plane) -> Plane:
    """Mean energy of the blocks and waves around each, itself included. (16, 16, 6, 6) both."""
    shape = energy.shape
    near = cv2.GaussianBlur(energy.reshape(shape[0], shape[1], -1), (0, 0), 0.5).reshape(shape)
    padded = np.pad(near, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    turns = [padded[:, :, a : a + shape[2], b : b + shape[3]] for a in range(3) for b in range(3)]
    mean: Plane = np.mean(turns, axis=0)
    return mean
