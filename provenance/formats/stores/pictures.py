"""The manifest store in a JPEG, PNG or GIF (C2PA specification: Embedding manifests, Data Hash).

In: an open file. Out: `Segmented`: where the store lies, and where the file's own end marker ends. Each is followed
from its first byte to that marker; whatever does not fit raises ValueError, and so does a second store.
JPEG: the APP11 segments of one JUMBF box, one after the other, numbered from 1, which together hold exactly the store.
PNG: the chunk caBX. GIF: the application extension C2PA_GIF, whose blocks together hold exactly the store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from provenance.formats.stores.span import STORE_TYPE, Span, is_store, read, store_at

MOST_SEGMENTS = 200_000
APP11, SOS, EOI = 0xEB, 0xDA, 0xD9
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and the restart markers have no length
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GIF_STORE = b"C2PA_GIF\x01\0\0"
SCAN_PIECE = 1 << 20  # bytes of a scan looked at together


@dataclass(frozen=True)
class Segmented:
    """spans: of the store, none or one. `end`: behind the marker that ends the picture; bytes after it belong to none
    of its parts.
    """

    spans: tuple[Span, ...]
    end: int


def jpeg(file: IO[bytes]) -> Segmented:
    """Raises ValueError."""
    stores: list[Span] = []
    for start, end, content in _jumbf_runs(file):
        if STORE_TYPE in (content[16:32], content[24:40]):
            if not is_store(bytes(content)):
                raise ValueError("its segments for a manifest store hold more or less than that")
            stores.append((start, end))
    return Segmented(_only(stores), _jpeg_end(file))


def _jumbf_runs(file: IO[bytes]) -> Iterator[tuple[int, int, bytearray]]:
    """Neighbouring APP11 segments that make up one JUMBF box: (start, end, content)."""
    run: tuple[int, int, bytearray] | None = None
    number, count = b"", 0
    for marker, start, end in jpeg_segments(file):
        head = read(file, start + 4, 8) if marker == APP11 and end - start >= 20 else b""
        is_next = run is not None and head[:2] == b"JP" and head[2:4] == number and start == run[1]
        if run is not None and is_next and int.from_bytes(head[4:], "big") == count + 1:
            repeated = 16 if run[2][:4] == b"\0\0\0\1" else 8  # every segment says again how long the box is
            content = read(file, start + 12, end - start - 12)[repeated:]
            run, count = (run[0], end, run[2] + content), count + 1
            continue
        if run is not None:
            yield run
        run = None
        if head[:2] == b"JP":
            run, number, count = (start, end, bytearray(read(file, start + 12, end - start - 12))), head[2:4], 1
    if run is not None:
        yield run


def jpeg_segments(file: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of every segment before the first scan."""
    if read(file, 0, 2) != b"\xff\xd8":
        raise ValueError("it does not begin as a JPEG")
    position = 2
    for _ in range(MOST_SEGMENTS):
        position, marker = _next_marker(file, position)
        if marker == SOS:
            return
        size = int.from_bytes(read(file, position + 2, 2), "big")
        if size < 2 or marker in STANDALONE or marker in (0x00, 0xD8, EOI):
            raise ValueError("a segment in front of the picture makes no sense")
        yield marker, position, position + 2 + size
        position += 2 + size
    raise ValueError("too many segments")


def _next_marker(file: IO[bytes], position: int) -> tuple[int, int]:
    """Where the marker at `position` begins, after fill bytes, and its second byte."""
    first, marker = read(file, position, 2)
    if first != 0xFF:
        raise ValueError("bytes between its segments")
    while marker == 0xFF:
        position += 1
        _, marker = read(file, position, 2)
    return position, marker


def _jpeg_end(file: IO[bytes]) -> int:
    """Behind EOI: from the last segment in front of the picture on, through every scan and what is between them."""
    position = max((end for _, _, end in jpeg_segments(file)), default=2)
    for _ in range(MOST_SEGMENTS):
        position, marker = _next_marker(file, position)
        if marker == EOI:
            return position + 2
        if marker in STANDALONE:
            position += 2
            continue
        size = int.from_bytes(read(file, position + 2, 2), "big")
        if size < 2 or marker in (0x00, 0xD8):
            raise ValueError("a segment between its scans makes no sense")
        position += 2 + size
        if marker == SOS:
            position = _behind_scan(file, position)
    raise ValueError("too many segments")


def _behind_scan(file: IO[bytes], position: int) -> int:
    """The next marker that is neither a stuffed byte nor a restart."""
    file.seek(position)
    piece = file.read(SCAN_PIECE)
    while piece:
        place = piece.find(b"\xff")
        while place >= 0 and place + 1 < len(piece):
            following = piece[place + 1]
            if following == 0xFF:
                place += 1
                continue
            if following != 0 and not 0xD0 <= following <= 0xD7:
                return position + place
            place = piece.find(b"\xff", place + 2)
        position += len(piece) - (place >= 0)
        file.seek(position)
        following_piece = file.read(SCAN_PIECE)
        if place >= 0 and len(following_piece) < 2:
            break
        piece = following_piece
    raise ValueError("its scan has no end")


def png(file: IO[bytes]) -> Segmented:
    """Raises ValueError."""
    size = file.seek(0, os.SEEK_END)
    if read(file, 0, 8) != PNG_SIGNATURE:
        raise ValueError("it does not begin as a PNG")
    position, stores = 8, list[Span]()
    for _ in range(MOST_SEGMENTS):
        head = read(file, position, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = position + 12 + length
        if end > size or not kind.isalpha():
            raise ValueError("a chunk makes no sense")
        if kind == b"caBX":
            if not store_at(file, position + 8, length):
                raise ValueError("its chunk caBX holds more or less than a manifest store")
            stores.append((position, end))
        position = end
        if kind == b"IEND":
            return Segmented(_only(stores), position)
    raise ValueError("too many chunks")


def gif(file: IO[bytes]) -> Segmented:
    """Raises ValueError."""
    head = read(file, 0, 13)
    if head[:6] not in (b"GIF87a", b"GIF89a"):
        raise ValueError("it does not begin as a GIF")
    position, stores = 13 + _colours(head[10]), list[Span]()
    for _ in range(MOST_SEGMENTS):
        kind = read(file, position, 1)[0]
        if kind == 0x3B:
            return Segmented(_only(stores), position + 1)
        start = position
        if kind == 0x2C:
            position = _behind_blocks(file, position + 11 + _colours(read(file, position + 9, 1)[0]))
        elif kind == 0x21 and read(file, position + 1, 13) == b"\xff\x0b" + GIF_STORE:
            content = bytearray()
            position = _behind_blocks(file, position + 14, content)
            if not is_store(bytes(content)):
                raise ValueError("its extension C2PA_GIF holds more or less than a manifest store")
            stores.append((start, position))
        elif kind == 0x21:
            position = _behind_blocks(file, position + 2)
        else:
            raise ValueError("a block makes no sense")
    raise ValueError("too many blocks")


def _colours(packed: int) -> int:
    """Bytes of the colour table that follows."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _behind_blocks(file: IO[bytes], position: int, content: bytearray | None = None) -> int:
    """Behind a row of blocks, each with its length in front, which ends with an empty one."""
    while True:
        length = read(file, position, 1)[0]
        data = read(file, position + 1, length)
        if content is not None:
            content += data
        position += 1 + length
        if not length:
            return position


def _only(stores: list[Span]) -> tuple[Span, ...]:
    if len(stores) > 1:
        raise ValueError("it holds several manifest stores")
    return tuple(stores)
