"""The manifest store in a TIFF, DNG or BigTIFF: the value of tag 0xCD41 (C2PA specification: Embedding manifests).

In: an open file. Out: the spans of the store: its bytes, and the number in its directory entry that says how many they
are, which is left out as well (Data Hash, special considerations for TIFF). A TIFF is a web of offsets: every
directory, every value, strip and tile that they lead to must lie apart from the store, or a picture could be read out
of it. Raises ValueError if not, and if an offset leads nowhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import IO, Literal

from provenance.formats.stores.span import Span, merged, read, store_at, without

STORE = 0xCD41
DIRECTORIES = (330, 34665, 34853, 40965)  # tags whose value is an offset of another directory
PIECES = {273: 279, 324: 325, 513: 514}  # tags of offsets of strips, tiles, a JPEG: the tag of their sizes
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
INTEGERS = (1, 3, 4, 13, 16, 18)  # types
MOST_DIRECTORIES = 10_000
MOST_ENTRIES = 4096  # of one directory
MOST_BYTES = 64 << 20  # of lists of offsets, over the whole file


@dataclass
class _Web:
    """What a file has been found to consist of."""

    file: IO[bytes]
    size: int
    order: Literal["little", "big"]
    wide: bool  # BigTIFF
    taken: list[Span] = field(default_factory=list)
    stores: list[tuple[Span, Span]] = field(default_factory=list)  # the number in the entry, the value
    pending: list[int] = field(default_factory=list)
    budget: int = MOST_BYTES

    def number(self, start: int, size: int) -> int:
        return int.from_bytes(read(self.file, start, size), self.order)

    def take(self, start: int, size: int) -> None:
        if start + size > self.size:
            raise ValueError("an offset leads out of it")
        self.taken.append((start, start + size))

    def numbers(self, kind: int, count: int, start: int) -> list[int]:
        width = SIZES[kind]
        self.budget -= count * width
        if self.budget < 0:
            raise ValueError("too many offsets")
        data = read(self.file, start, count * width)
        return [int.from_bytes(data[place : place + width], self.order) for place in range(0, len(data), width)]


def tiff(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    size = file.seek(0, os.SEEK_END)
    head = read(file, 0, 8)
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    version = int.from_bytes(head[2:4], order)
    if head[:2] not in (b"II", b"MM") or version not in (42, 43):
        raise ValueError("it does not begin as a TIFF")
    web = _Web(file, size, order, wide=version == 43)
    web.take(0, 16 if web.wide else 8)
    web.pending.append(web.number(8, 8) if web.wide else web.number(4, 4))
    seen: set[int] = set()
    while web.pending:
        place = web.pending.pop()
        if place == 0 or place in seen:
            continue
        seen.add(place)
        if len(seen) > MOST_DIRECTORIES:
            raise ValueError("too many directories")
        _directory(web, place)
    if len(web.stores) > 1:
        raise ValueError("it holds several manifest stores")
    for count, value in web.stores:
        if without([value], web.taken) != [value]:
            raise ValueError("its manifest store lies where other parts lie too")
        return merged([count, value])
    return []


def _directory(web: _Web, place: int) -> None:
    offset, small = (8, 8) if web.wide else (4, 2)
    entries, entry = web.number(place, small), 20 if web.wide else 12
    if entries > MOST_ENTRIES:
        raise ValueError("a directory makes no sense")
    web.take(place, small + entries * entry + offset)
    values: dict[int, list[int]] = {}
    for number in range(entries):
        at = place + small + number * entry
        tag, kind, count = web.number(at, 2), web.number(at + 2, 2), web.number(at + 4, offset)
        if kind not in SIZES:
            raise ValueError("a type of value makes no sense")
        length, inline = count * SIZES[kind], at + 4 + offset
        start = inline if length <= offset else web.number(inline, offset)
        if tag == STORE:
            if start == inline or start + length > web.size or not store_at(web.file, start, length):
                raise ValueError("its tag 0xCD41 holds more or less than a manifest store")
            web.stores.append(((at + 4, at + 4 + offset), (start, start + length)))
            continue
        if start != inline:
            web.take(start, length)
        if tag in DIRECTORIES or tag in PIECES or tag in PIECES.values():
            if kind not in INTEGERS:
                raise ValueError("an offset is no number")
            values[tag] = web.numbers(kind, count, start)
    for tag in DIRECTORIES:
        web.pending.extend(values.get(tag, ()))
    for offsets, sizes in PIECES.items():
        if len(values.get(offsets, ())) != len(values.get(sizes, ())):
            raise ValueError("its strips or tiles have no sizes")
        for start, length in zip(values.get(offsets, ()), values.get(sizes, ()), strict=True):
            web.take(start, length)
    web.pending.append(web.number(place + small + entries * entry, offset))
