"""The parts of a RIFF file (webp, avi, wav) or of one made of ISO boxes (mp4, mov, m4a, heif, avif), without the
manifest store.

In: an open file. Out: `Part`s. Tables with places in the file are not compared themselves: what they lead to is, so a
table that was not moved along with its media shows. Raises ValueError for a structure that cannot be followed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import IO

from provenance.formats.boxes import Box, walk
from provenance.formats.inventory.part import SAMPLE, Part, part, sampled, value
from provenance.formats.positions import extents
from provenance.formats.stores.chunks import riff as riff_store
from provenance.formats.stores.chunks import store_box, whole_boxes
from provenance.formats.stores.span import Span, read, without

LONG = 1 << 20  # bytes; longer chunks are sampled
MOST_EXTENTS = 512  # of one track that are looked up
CHUNKS = {b"EXIF": "Exif", b"XMP ": "XMP", b"ICCP": "the colour profile", b"ANMF": "a frame", b"data": "the sound"}
TRACKS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
PLACES = (b"stco", b"co64", b"iloc")
LOOSE = (b"free", b"skip", b"wide", b"mdat")  # unused, or looked up by the tables
BOXES = {
    b"udta": "titles and other texts",
    b"meta": "titles and other texts",
    b"edts": "the edit list",
    b"tkhd": "the header of a track, with its rotation",
    b"stsd": "the kind of a track, with its colours",
    b"iprp": "rotation and colours",
    b"chpl": "chapters",
}


def riff(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    size, parts = file.seek(0, os.SEEK_END), list[Part]()
    stores, position = riff_store(file), 0
    while position < size:
        end, kind = position + 8 + int.from_bytes(read(file, position + 4, 4), "little"), read(file, position + 8, 4)
        inside = position + 12
        while inside < end:
            head = read(file, inside, 8)
            behind = inside + 8 + int.from_bytes(head[4:], "little")
            if not any(start == inside for start, _ in stores):
                name = CHUNKS.get(head[:4], f"the chunk {head[:4].decode('ascii', 'replace')}")
                parts.append(_chunk(name, file, inside, behind))
                if kind in (b"AVI ", b"AVIX"):  # its indexes give places in the file
                    parts.append(value(f"the place of {name}", inside))
            inside = behind + behind % 2
        position = inside
    return parts


def _chunk(name: str, file: IO[bytes], start: int, end: int) -> Part:
    return sampled(name, file, start, end) if end - start > LONG else part(name, file, [(start, end)])


def iso(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    boxes = whole_boxes(file)
    stores, parts = store_box(boxes, file), list[Part]()
    for box in boxes:
        if box.kind in LOOSE or any(start == box.start for start, _ in stores):
            continue
        if box.kind in (b"moov", b"meta"):
            parts += _index(file, box)
        else:
            parts.append(_box(box.kind, file, box))
    return parts + list(_media(file, boxes, stores))


def _index(file: IO[bytes], box: Box) -> Iterator[Part]:
    start = box.body + (4 if box.kind == b"meta" else 0)
    for child in walk(file, TRACKS, start=start, end=box.end):
        if child.kind not in (*TRACKS, *PLACES, *LOOSE):
            yield _box(child.kind, file, child)


def _box(kind: bytes, file: IO[bytes], box: Box) -> Part:
    return _chunk(BOXES.get(kind, f"the box {kind.decode('ascii', 'replace')}"), file, box.body, box.end)


def _media(file: IO[bytes], boxes: list[Box], stores: list[Span]) -> Iterator[Part]:
    """What the tables lead to: how many pieces, and the first bytes of many of them."""
    size, count = file.seek(0, os.SEEK_END), sum(1 for _ in extents(file, boxes))
    pieces = []
    for start, end in itertools.islice(extents(file, boxes), 0, None, -(-count // MOST_EXTENTS) or 1):
        kept = without([(start, min(end, start + SAMPLE, size))], stores)
        pieces.append(part("the media", file, kept).digest if start < min(end, size) else "")
    if count:
        yield value("the media", count, pieces)
