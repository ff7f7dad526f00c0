"""The parts of a TIFF or DNG, without the manifest store: every page with its tags, and what its offsets lead to.

In: an open file. Out: `Part`s. A writer may move directories; what they lead to must be the same, and so must the
number of pages: a page that holds nothing but a manifest is one that most programs cannot show. Raises ValueError for
a structure that cannot be followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Literal

from provenance.formats.inventory.part import Part, part, sampled, value
from provenance.formats.stores import tiff as stores
from provenance.formats.stores.span import read

MAKER_NOTE = 37500  # a camera's own; it may hold places in the file, so it has to stay where it is
LONG = 1 << 20  # bytes; longer values are sampled
NAMES = {
    34675: "the colour profile",
    700: "XMP",
    33723: "IPTC",
    274: "the rotation",
    MAKER_NOTE: "the camera's own notes",
}


def tiff(file: IO[bytes]) -> list[Part]:
    """Raises ValueError."""
    stores.tiff(file)  # follows every offset, and refuses what leads nowhere or round in circles
    head = read(file, 0, 16)
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    wide = int.from_bytes(head[2:4], order) == 43
    reader = _Reader(file, order, wide)
    place = reader.number(8, 8) if wide else reader.number(4, 4)
    parts, page = list[Part](), 0
    while place:
        page += 1
        if page > stores.MOST_DIRECTORIES:
            raise ValueError("too many pages")
        found, place = reader.directory(place, f"page {page}", 0)
        parts += found
    return [*parts, value("the number of pages", page)]


class _Reader:
    def __init__(self, file: IO[bytes], order: Literal["little", "big"], wide: bool) -> None:
        self.file, self.order, self.wide = file, order, wide
        self.size = file.seek(0, os.SEEK_END)

    def number(self, start: int, size: int) -> int:
        return int.from_bytes(read(self.file, start, size), self.order)

    def directory(self, place: int, where: str, depth: int) -> tuple[list[Part], int]:
        """Its parts, and where the next one is."""
        offset, small, entry = (8, 8, 20) if self.wide else (4, 2, 12)
        if depth > 4:
            raise ValueError("its directories are nested too deep")
        parts, values, count = list[Part](), dict[int, list[int]](), self.number(place, small)
        for at in range(place + small, place + small + count * entry, entry):
            tag, kind, length = self.number(at, 2), self.number(at + 2, 2), self.number(at + 4, offset)
            width = stores.SIZES[kind] * length
            start = at + 4 + offset if width <= offset else self.number(at + 4 + offset, offset)
            if tag == stores.STORE:
                continue
            if tag in stores.DIRECTORIES or tag in stores.PIECES or tag in stores.PIECES.values():
                step = stores.SIZES[kind]
                data = read(self.file, start, width)
                values[tag] = [int.from_bytes(data[i : i + step], self.order) for i in range(0, width, step)]
                continue
            name = f"{NAMES.get(tag, f'tag {tag}')} of {where}"
            parts.append(self._stretch(name, start, start + width))
            if tag == MAKER_NOTE:
                parts.append(value(f"the place of {name}", start))
        for tag in stores.DIRECTORIES:
            for number, inner in enumerate(values.get(tag, ()), start=1):
                parts += self.directory(inner, f"{where}, part {tag}.{number}", depth + 1)[0]
        parts += list(self._pieces(values, where))
        return parts, self.number(place + small + count * entry, offset)

    def _pieces(self, values: dict[int, list[int]], where: str) -> Iterator[Part]:
        """Strips, tiles, a thumbnail."""
        for offsets, sizes in stores.PIECES.items():
            for start, length in zip(values.get(offsets, ()), values.get(sizes, ()), strict=True):
                yield self._stretch(f"the picture of {where}", start, start + length)

    def _stretch(self, name: str, start: int, end: int) -> Part:
        if end - start > LONG:
            return sampled(name, self.file, start, end)
        return part(name, self.file, [(start, end)])
