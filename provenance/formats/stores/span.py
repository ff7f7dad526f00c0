"""Stretches of a file, and the first bytes of a manifest store, by which all containers know one.

In: bytes [start, end) of a file as pairs; the first bytes of what may be a store. Out: the same merged, or one taken
from the other; whether it is a C2PA manifest store, and alone in its place (C2PA specification: Use of JUMBF).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

Span = tuple[int, int]

STORE_TYPE = bytes.fromhex("63327061001100108000 00aa00389b71")  # the type in the description of a C2PA store
DESCRIPTION = 16 + 8 + 16  # bytes of a store that say what it is: its header, that of its description, the type
PIECE = 1 << 20


def is_store(content: bytes) -> bool:
    """True if `content` is one C2PA manifest store. Zeros may follow: who reserves room before signing fills it so."""
    length = _length(content)
    return 0 < length <= len(content) and not content[length:].strip(b"\0")


def _length(head: bytes) -> int:
    """Bytes of the manifest store that begins here; 0 if none does."""
    length, header = int.from_bytes(head[:4], "big"), 8
    if length == 1:
        length, header = int.from_bytes(head[8:16], "big"), 16
    description = head[header : header + 24]
    known = head[4:8] == b"jumb" and description[4:8] == b"jumd" and description[8:24] == STORE_TYPE
    return length if known else 0


def read(file: IO[bytes], start: int, size: int) -> bytes:
    """Exactly `size` bytes at `start`. Raises ValueError if the file ends before."""
    file.seek(start)
    data = file.read(size)
    if len(data) != size:
        raise ValueError("it ends too early")
    return data


def store_at(file: IO[bytes], start: int, size: int) -> bool:
    """The same of the `size` bytes at `start`. Raises ValueError if the file ends before."""
    length = _length(read(file, start, min(size, DESCRIPTION)))
    if not 0 < length <= size:
        return False
    for place in range(start + length, start + size, PIECE):
        if read(file, place, min(PIECE, start + size - place)).strip(b"\0"):
            return False
    return True


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted, without overlaps, without empty ones."""
    out: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is in `spans` and not in `taken`, sorted."""
    out: list[Span] = []
    holes = merged(taken)
    for start, end in merged(spans):
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                out.append((start, hole_start))
            start = max(start, hole_end)
        if start < end:
            out.append((start, end))
    return out
