"""Further pictures behind the first one of a JPEG (CIPA DC-007, Multi-Picture Format): gain maps of HDR, second eyes,
previews.

In: an open JPEG. Out: where each further picture is, and what its list has to say so that it is still found when the
file has grown. The list gives places from its own header on, not from the beginning of the file: whatever is put
between the list and a picture moves that picture away from where the list says that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Literal

from provenance.formats.stores.pictures import jpeg, jpeg_segments
from provenance.formats.stores.span import Span, read

APP2 = 0xE2
MAGIC = b"MPF\0"
ENTRIES = 0xB002  # tag of the list
ENTRY = 16  # bytes: attributes, size, place, and two numbers of other entries
MOST_ENTRIES = 1000
LARGEST = 2**32


@dataclass(frozen=True)
class Entry:
    """One picture. `at`: where in the file its size and its place are written, four bytes each.

    `place`: 0 for the first picture, else bytes from the header on.
    """

    at: int
    size: int
    place: int


@dataclass(frozen=True)
class PictureList:
    """`header`: from where places count, in bytes of the file. `end`: of the first picture."""

    header: int
    order: Literal["little", "big"]
    entries: tuple[Entry, ...]
    end: int

    def pictures(self, size: int) -> list[Span]:
        """The further pictures of a file of `size` bytes, as far as they are in it."""
        starts = [(self.header + entry.place, entry.size) for entry in self.entries if entry.place]
        return [(start, min(start + length, size)) for start, length in starts if start < size]

    def numbers(self) -> list[Span]:
        """Where sizes and places are written."""
        return [(entry.at, entry.at + 8) for entry in self.entries]


def picture_list(file: IO[bytes]) -> PictureList | None:
    """None without a list. Raises ValueError for one that makes no sense, and for two."""
    found = [
        (start + 8, end)
        for marker, start, end in jpeg_segments(file)
        if marker == APP2 and end - start >= 16 and read(file, start + 4, 4) == MAGIC
    ]
    if not found:
        return None
    if len(found) > 1:
        raise ValueError("it holds several lists of further pictures")
    header, end = found[0]
    data = read(file, header, end - header)
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if data[:4] not in (b"II*\0", b"MM\0*"):
        raise ValueError("its list of further pictures makes no sense")

    def number(place: int, size: int) -> int:
        if place + size > len(data):
            raise ValueError("its list of further pictures ends too early")
        return int.from_bytes(data[place : place + size], order)

    directory, entries = number(4, 4), list[Entry]()
    for index in range(number(directory, 2)):
        tag = directory + 2 + 12 * index
        if number(tag, 2) != ENTRIES:
            continue
        length, start = number(tag + 4, 4), number(tag + 8, 4)
        if length % ENTRY or length > MOST_ENTRIES * ENTRY:
            raise ValueError("its list of further pictures makes no sense")
        entries += [
            Entry(header + start + at + 4, number(start + at + 4, 4), number(start + at + 8, 4))
            for at in range(0, length, ENTRY)
        ]
    return PictureList(header, order, tuple(entries), jpeg(file).end)


def changes_for(source: PictureList, source_size: int, signed: PictureList, signed_size: int) -> Mapping[int, bytes]:
    """What has to stand in the source, by position, so that the list of the signed file is right; nothing if it is.

    All that signing adds lies in front of the further pictures, which is checked elsewhere: they have moved by as much
    as the file has grown, and the first picture is that much longer. Raises ValueError for a place that cannot be
    written down.
    """
    growth = signed_size - source_size
    changes: dict[int, bytes] = {}
    for before, after in zip(source.entries, signed.entries, strict=True):
        size, place = before.size, before.place
        if place:
            place = source.header + before.place + growth - signed.header
        elif before.size == source.end:  # the first picture, from the beginning of the file on
            size += growth
        if not 0 <= place < LARGEST or not 0 <= size < LARGEST:
            raise ValueError("a further picture would lie where its list cannot say")
        if (size, place) != (after.size, after.place):
            changes[before.at] = size.to_bytes(4, source.order) + place.to_bytes(4, source.order)
    return changes
