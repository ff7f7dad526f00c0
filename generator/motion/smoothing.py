"""Tracks without jitter. In: values over time. Out: the same, smoothed by a Gaussian over the times of their frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BAND = (
    36  # frames to each side that smoothing looks at: three widths at 120 frames a second and twice the usual amount
)


def blur(track: NDArray[np.float32], times: NDArray[np.float64], width: float) -> NDArray[np.float32]:
    """track: (F, P, C). A Gaussian of `width` seconds over its frames, as far as the band reaches."""
    if len(track) > 2000:  # (F, F) would be large for hours: in pieces that overlap by more than the band
        pieces = []
        reach = _BAND + 10
        for start in range(0, len(track), 1000):
            near = slice(max(0, start - reach), start + 1000 + reach)
            pieces.append(blur(track[near], times[near], width)[min(start, reach) :][:1000])
        return np.concatenate(pieces)
    distance = times[:, None] - times[None]  # (F, F)
    band = np.abs(np.arange(len(times))[:, None] - np.arange(len(times))[None]) <= _BAND
    weights = np.exp(-0.5 * (distance / width) ** 2) * band
    blurred: NDArray[np.float32] = np.einsum("ft,tpc->fpc", weights / weights.sum(1, keepdims=True), track).astype(
        track.dtype
    )
    return blurred


def steady(
    track: NDArray[np.float32], times: NDArray[np.float64], strong: float, light: float, step: float
) -> NDArray[np.float32]:
    """track: (F, P, C). Smoothed by `strong` seconds where it rests, and by `light` where it jumps: where the two
    differ by `step` and more.
    """
    quick, calm = blur(track, times, light), blur(track, times, strong)
    jumps = np.abs(quick - calm).max(axis=2, keepdims=True)
    share = np.clip(jumps / step, 0, 1)
    smooth: NDArray[np.float32] = (calm + share * (quick - calm)).astype(track.dtype)
    return smooth
