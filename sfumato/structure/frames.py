"""Frames and other blocks of a GIF. In: an open file. Out: nothing, or MediaError."""

from __future__ import annotations

import mmap
from typing import BinaryIO

from sfumato.limits import CHUNKS, PICTURES_IN_ONE

_IMAGE, _EXTENSION = 0x2C, 0x21


def hold_gif(file: BinaryIO, source: object) -> None:
    """Raises MediaError for too many frames, or too many blocks of other kinds."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if len(data) < 13:
            return
        position, frames, others = 13 + _colours(data[10]), 0, 0
        while position + 10 < len(data):
            kind = data[position]
            if kind == _IMAGE:
                frames += 1
                PICTURES_IN_ONE.hold(source, frames)
                position += 11 + _colours(data[position + 9])  # the descriptor, its colours, the size of the codes
            elif kind == _EXTENSION:
                others += 1
                CHUNKS.hold(source, others)
                position += 2
            else:
                return
            while position < len(data) and data[position]:
                position += 1 + data[position]
            position += 1


def _colours(flags: int) -> int:
    """Bytes of the table of colours that a descriptor's flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
