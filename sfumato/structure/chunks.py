"""Chunks of PNG (ISO/IEC 15948) and RIFF (WebP, AVI): how many and how deep. In: an open file. Out: nothing, or
MediaError.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from sfumato.limits import CHUNK_DEPTH, CHUNKS, PICTURES_IN_ONE
from sfumato.structure.boxes import hold_boxes

_FRAMES = (b"LIST", b"movi")  # of an AVI: a chunk a frame, which are read one after the other


def hold_png(file: BinaryIO, source: object) -> None:
    """Raises MediaError for too many chunks, or too many pictures in an animation."""
    position, end = 8, file.seek(0, os.SEEK_END)
    number = pictures = 0
    while position + 12 <= end:
        file.seek(position)
        head = file.read(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        number += 1
        CHUNKS.hold(source, number)
        if kind == b"acTL":
            PICTURES_IN_ONE.hold(source, int.from_bytes(file.read(4), "big"))
        pictures += kind == b"fcTL"
        if kind == b"caBX":
            hold_boxes(file, source, position + 8, min(position + 8 + size, end))
        position += size + 12
    PICTURES_IN_ONE.hold(source, pictures)


def hold_riff(file: BinaryIO, source: object) -> None:
    """Raises MediaError for too many chunks side by side, or too many lists in lists."""
    end = file.seek(0, os.SEEK_END)
    pending = [(12, end, 1)]
    total = 0
    while pending:
        start, limit, depth = pending.pop()
        CHUNK_DEPTH.hold(source, depth)
        for kind, form, place, stop in _chunks(file, start, limit):
            total += 1
            CHUNKS.hold(source, total)
            if kind == b"LIST" and (kind, form) != _FRAMES:
                pending.append((place + 4, stop, depth + 1))
            elif kind == b"C2PA":
                hold_boxes(file, source, place, stop)


def _chunks(file: BinaryIO, position: int, end: int) -> Iterator[tuple[bytes, bytes, int, int]]:
    """Kind, form, and where the content begins and ends, of each chunk side by side."""
    while position + 8 <= end:
        file.seek(position)
        head = file.read(12)
        size = int.from_bytes(head[4:8], "little")
        yield head[:4], head[8:12], position + 8, min(position + 8 + size, end)
        position += 8 + size + size % 2
