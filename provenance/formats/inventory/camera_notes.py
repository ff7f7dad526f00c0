"""Pictures behind the end of a JPEG that its Exif leads to: previews whose place a camera's own notes (MakerNote) give.

In: an open JPEG. Out: a `Part` for each number in Exif that leads to such a picture, counted from Exif's header or from
the beginning of the file. The notes are of a hundred kinds, hardly one of them published, so no tag is read: any four
bytes may be a place. Places within Exif move along with it, and are not looked at.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import IO, Literal

from provenance.formats.inventory.part import SAMPLE, Part, part, value
from provenance.formats.stores.pictures import jpeg_segments
from provenance.formats.stores.span import PIECE, read

APP1, MAGIC, BEGINNING = 0xE1, b"Exif\0\0", b"\xff\xd8\xff"
MOST_PICTURES = 64  # behind the first; a film of 100 MB there has six such beginnings by chance
ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


def previews(file: IO[bytes], start: int, size: int) -> Iterator[Part]:
    """start: where the first picture has ended; size: of the file."""
    places = list(_beginnings(file, start, size))
    if not places:
        return
    for marker, first, end in jpeg_segments(file):
        if marker != APP1 or end - first < 18 or read(file, first + 4, 6) != MAGIC:
            continue
        header = first + 10
        notes = read(file, header, end - header)
        for place in places:
            seen = part("", file, [(place, min(place + SAMPLE, size))]).digest
            for origin, order in itertools.product((header, 0), ORDERS):
                if place - origin < 2**32:
                    number = (place - origin).to_bytes(4, order)
                    for found in re.finditer(re.escape(number), notes):
                        yield value("the place of a preview in Exif", found.start(), order, bool(origin), seen)


def _beginnings(file: IO[bytes], start: int, size: int) -> Iterator[int]:
    """Where pictures begin between `start` and `size`, the first MOST_PICTURES of them."""
    count = 0
    for at in range(start, size, PIECE):
        piece = read(file, at, min(PIECE + len(BEGINNING) - 1, size - at))
        for found in re.finditer(BEGINNING, piece):
            if found.start() < PIECE and count < MOST_PICTURES:
                count += 1
                yield at + found.start()
