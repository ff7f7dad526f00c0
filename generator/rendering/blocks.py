"""Pictures as blocks of stem x stem pixels, channels last: what a network with a stem reads and writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def block_order(indices: NDArray[np.int64], stem: int, groups: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """`pixel_unshuffle`'s channels (channel, pixel) as groups of channels, each (pixel, channel)."""
    table = indices.reshape(-1, stem * stem)
    return np.concatenate([table[list(group)].T.ravel() for group in groups])


def fold_picture(picture: NDArray[Any], stem: int, blocks: NDArray[Any]) -> None:
    """Writes (S, S, C) as blocks of stem x stem pixels, (n, n, stem stem C)."""
    n = len(blocks)
    row = np.dtype(
        (np.void, picture.shape[2] * stem * picture.itemsize)
    )  # as one piece: copied faster than its numbers
    blocks.view(row)[...] = picture.reshape(n, stem, n, -1).view(row)[..., 0].transpose(0, 2, 1)


def folded(picture: NDArray[Any], stem: int) -> NDArray[Any]:
    """(S, S, C) as blocks, (n, n, stem stem C); a stem of 1 changes nothing."""
    if stem == 1:
        return picture
    n, channels = len(picture) // stem, picture.shape[2]
    blocks = np.empty((n, n, stem * stem * channels), picture.dtype)
    fold_picture(np.ascontiguousarray(picture), stem, blocks)
    return blocks


def unfold(blocks: Array, stem: int) -> Array:
    """(n, n, stem stem C) to (n stem, n stem, C), a copy."""
    n, channels = len(blocks), blocks.shape[2] // stem**2
    rows = blocks.view(np.dtype((np.void, channels * stem * 4))).transpose(
        0, 2, 1
    )  # (n, stem, n), each a row of a block
    return rows.copy().view(np.float32).reshape(n * stem, n * stem, channels)
