"""The manifest store in an ID3v2 tag, in front of an MP3 or a FLAC stream (C2PA specification: Embedding manifests).

In: an open file. Out: the span of the store: the object in the one GEOB frame of C2PA's media type. The tag is followed
to its end; what does not fit raises ValueError, and so do a second store and forms of a tag that players undo before
they look into it (unsynchronisation, extended headers, compressed frames).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO

from provenance.formats.stores.span import Span, read, store_at

MEDIA_TYPES = (b"application/c2pa", b"application/x-c2pa-manifest-store")
MOST_FRAMES = 10_000
LONGEST_NAMES = 1024  # bytes of media type, file name and description of an object


def id3(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    if read(file, 0, 10)[:3] != b"ID3":
        return []
    stores = [span for frame in frames(file)[0] for span in frame.stores]
    if len(stores) > 1:
        raise ValueError("it holds several manifest stores")
    return stores


@dataclass(frozen=True)
class Frame:
    """One frame of a tag: its content is in the bytes [start, end). `stores`: the manifest store in it."""

    kind: bytes
    start: int
    end: int
    stores: tuple[Span, ...] = ()


def frames(file: IO[bytes]) -> tuple[list[Frame], int]:
    """The frames of the tag at the beginning of `file`, and where the tag ends. Raises ValueError."""
    size, head = file.seek(0, os.SEEK_END), read(file, 0, 10)
    version, flags = head[3], head[5]
    if version not in (3, 4) or flags & ~0x10:
        raise ValueError("its ID3 tag is of a form that is not followed")
    position, end, found = 10, 10 + _seven_bits(head[6:]), list[Frame]()
    behind = end + 10 * bool(flags & 0x10)  # a footer
    if behind > size:
        raise ValueError("its ID3 tag does not end")
    for _ in range(MOST_FRAMES):
        if end - position < 10 or read(file, position, 1) == b"\0":  # padding up to the end of the tag
            return found, behind
        frame = read(file, position, 10)
        length = _seven_bits(frame[4:8]) if version == 4 else int.from_bytes(frame[4:8], "big")
        start, position = position + 10, position + 10 + length
        if position > end or not frame[:4].isalnum():
            raise ValueError("a frame of its ID3 tag makes no sense")
        stores = _object(file, start, position, frame[9]) if frame[:4] == b"GEOB" else []
        found.append(Frame(frame[:4], start, position, tuple(stores)))
    raise ValueError("too many frames in its ID3 tag")


def _object(file: IO[bytes], start: int, end: int, flags: int) -> list[Span]:
    """Behind the encoding: media type, file name and description, each with a zero behind it, then the object."""
    content = read(file, start, min(LONGEST_NAMES, end - start))
    media_type, _, rest = content[1:].partition(b"\0")
    if media_type not in MEDIA_TYPES:
        return []
    place = len(content) - len(rest)
    for _ in ("file name", "description"):
        place = _behind_text(content, place, wide=content[0] in (1, 2))
    if flags or not store_at(file, start + place, end - start - place):
        raise ValueError("its frame for the manifest store holds more or less than that")
    return [(start + place, end)]


def _behind_text(content: bytes, place: int, wide: bool) -> int:
    step = 2 if wide else 1
    for at in range(place, len(content) - step + 1, step):
        if not any(content[at : at + step]):
            return at + step
    raise ValueError("a name in its ID3 tag has no end")


def _seven_bits(data: bytes) -> int:
    """A number of four bytes, of which each gives seven bits."""
    if any(byte & 0x80 for byte in data):
        raise ValueError("a length in its ID3 tag makes no sense")
    return data[0] << 21 | data[1] << 14 | data[2] << 7 | data[3]
