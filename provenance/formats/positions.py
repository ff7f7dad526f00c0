"""Where an mp4, mov, heif or avif says that its media are (ISO/IEC 14496-12: sections 8.7, 8.8 and 8.11.3).

In: an open file and its top-level boxes. Out: the stretches of the file out of which a player takes pictures and sound,
by the tables of chunks, the fragments, and the items. A file may point anywhere: a chunk in a free box is shown like
any other. Raises ValueError for tables that cannot be followed.
"""

from __future__ import annotations

import bisect
import itertools
import sys
from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import IO

from provenance.formats.boxes import Box, walk
from provenance.formats.stores.span import Span, merged, read

LARGEST_TABLE = 16 << 20  # bytes of one table; ten hours of video need about 8 MB
MOST_BOXES = 200_000  # inside moov, or a fragment
TRACK = {b"mdia", b"minf", b"stbl"}
BASE_GIVEN, DEFAULT_SIZE, BASE_IS_MOOF = 0x1, 0x10, 0x20000  # flags of tfhd
DATA_OFFSET, FIRST_FLAGS, SAMPLE_SIZES = 0x1, 0x4, 0x200  # flags of trun


def media_in(file: IO[bytes], top: Sequence[Box], spans: Sequence[Span]) -> bool:
    """True if any media lie, wholly or in part, in one of `spans`. Raises ValueError."""
    holes = merged(spans)
    beginnings = [start for start, _ in holes]
    for start, end in extents(file, top):
        before = bisect.bisect_left(beginnings, end) - 1  # the last one that begins in front of the end
        if before >= 0 and holes[before][1] > start:
            return True
    return False


def extents(file: IO[bytes], top: Sequence[Box]) -> Iterator[Span]:
    sizes: dict[int, int] = {}
    for box in top:
        if box.kind == b"moov":
            for child in _inside(file, box):
                if child.kind == b"trak":
                    yield from _chunks(file, child)
                elif child.kind == b"mvex":
                    for trex in _inside(file, child):
                        if trex.kind == b"trex":
                            sizes[_number(file, trex.body + 4, 4)] = _number(file, trex.body + 16, 4)
        elif box.kind == b"moof":
            yield from _fragments(file, box, sizes)
        elif box.kind == b"meta":
            yield from _items(file, box)


def _chunks(file: IO[bytes], track: Box) -> Iterator[Span]:
    """The chunks of a track: where each begins, how many samples are in it, how large those are."""
    tables: dict[bytes, Box] = {}
    for box in _inside(file, track, TRACK):
        kind = b"stco" if box.kind == b"co64" else box.kind
        if tables.setdefault(kind, box) is not box and kind in (b"stco", b"stsc", b"stsz"):
            raise ValueError("a track with two tables of one kind")
    if b"stco" not in tables:
        return
    starts = _table(file, tables[b"stco"], 8 if tables[b"stco"].kind == b"co64" else 4, 1)
    if not starts:
        return
    if b"stsc" not in tables or b"stsz" not in tables:
        raise ValueError("a track without a table of its samples")
    runs = _table(file, tables[b"stsc"], 4, 3)
    same = _number(file, tables[b"stsz"].body + 4, 4)
    reach = [0] if same else [0, *itertools.accumulate(_table(file, tables[b"stsz"], 4, 1, header=12))]
    taken = 0
    for start, samples in zip(starts, _samples(runs, len(starts)), strict=True):
        begin, taken = taken, taken + samples
        size = samples * same if same else reach[min(taken, len(reach) - 1)] - reach[min(begin, len(reach) - 1)]
        yield start, start + max(size, 1)


def _samples(runs: Sequence[int], chunks: int) -> Iterator[int]:
    """How many samples are in each chunk. `runs`: first chunk (from 1), samples in each, what they are, and again."""
    firsts = [*runs[::3], chunks + 1]
    if firsts[0] != 1 or any(second <= first for first, second in itertools.pairwise(firsts[:-1])):
        raise ValueError("a table of samples that makes no sense")
    for number, samples in enumerate(runs[1::3]):
        yield from itertools.repeat(samples, max(0, min(firsts[number + 1], chunks + 1) - firsts[number]))


def _fragments(file: IO[bytes], moof: Box, sizes: dict[int, int]) -> Iterator[Span]:
    """The runs of samples of a fragment; `sizes`: of a sample by track, where neither run nor fragment says it."""
    start = moof.start
    for traf in _inside(file, moof):
        if traf.kind != b"traf":
            continue
        boxes = list(_inside(file, traf))
        head = next((box for box in boxes if box.kind == b"tfhd"), None)
        if head is None:
            raise ValueError("a fragment without a header")
        flags, track = _number(file, head.body + 1, 3), _number(file, head.body + 4, 4)
        if flags & BASE_GIVEN:
            start = _number(file, head.body + 8, 8)
        elif flags & BASE_IS_MOOF:
            start = moof.start
        base = start  # with neither: where the fragment in front of it ends
        default = sizes.get(track, 0)
        if flags & DEFAULT_SIZE:
            before = 8 * bool(flags & BASE_GIVEN) + 4 * bool(flags & 0x2) + 4 * bool(flags & 0x8)
            default = _number(file, head.body + 8 + before, 4)
        for run in boxes:
            if run.kind != b"trun":
                continue
            own, count, at = _number(file, run.body + 1, 3), _number(file, run.body + 4, 4), run.body + 8
            if own & DATA_OFFSET:
                start = base + int.from_bytes(read(file, at, 4), "big", signed=True)
            at += 4 * bool(own & DATA_OFFSET) + 4 * bool(own & FIRST_FLAGS)
            columns = [flag for flag in (0x100, SAMPLE_SIZES, 0x400, 0x800) if own & flag]
            size = count * default
            if own & SAMPLE_SIZES:
                rows = _numbers(file, at, 4, count * len(columns), run.end)
                size = sum(rows[columns.index(SAMPLE_SIZES) :: len(columns)])
            yield start, start + max(size, 1)
            start += size


def _items(file: IO[bytes], meta: Box) -> Iterator[Span]:
    """The extents of the items of a still picture, those that count from the beginning of the file."""
    for box in _inside(file, meta):
        if box.kind != b"iloc":
            continue
        data = read(file, box.body, min(box.end - box.body, LARGEST_TABLE))
        version = data[0]
        widths = data[4] >> 4, data[4] & 15, data[5] >> 4, data[5] & 15 if version in (1, 2) else 0
        wide = 4 if version == 2 else 2
        items, at = int.from_bytes(data[6 : 6 + wide], "big"), 6 + wide
        for _ in range(items):
            at += wide
            method = int.from_bytes(data[at : at + 2], "big") & 15 if version in (1, 2) else 0
            at += 2 * (version in (1, 2)) + 2
            base = int.from_bytes(data[at : at + widths[2]], "big")
            if at + widths[2] + 2 > len(data):
                raise ValueError("a table of items that makes no sense")
            extents, at = int.from_bytes(data[at + widths[2] : at + widths[2] + 2], "big"), at + widths[2] + 2
            if extents > 1 and not widths[0] + widths[1] + widths[3]:
                raise ValueError("a table of items that makes no sense")
            for _ in range(extents):
                at += widths[3]
                offset = base + int.from_bytes(data[at : at + widths[0]], "big")
                length = int.from_bytes(data[at + widths[0] : at + widths[0] + widths[1]], "big")
                at += widths[0] + widths[1]
                if at > len(data):
                    raise ValueError("a table of items that makes no sense")
                if method == 0:
                    yield offset, offset + length if length else sys.maxsize


def _inside(file: IO[bytes], box: Box, containers: Collection[bytes] = ()) -> Iterator[Box]:
    start = box.body + (4 if box.kind == b"meta" else 0)
    for number, child in enumerate(walk(file, containers, start=start, end=box.end)):
        if number > MOST_BOXES:
            raise ValueError("too many boxes")
        yield child


def _table(file: IO[bytes], box: Box, width: int, columns: int, header: int = 8) -> array[int]:
    """A table behind version and flags, and its number of rows; row after row."""
    count = _number(file, box.body + header - 4, 4) * columns
    return _numbers(file, box.body + header, width, count, box.end)


def _numbers(file: IO[bytes], start: int, width: int, count: int, end: int) -> array[int]:
    if count * width > LARGEST_TABLE or start + count * width > end:
        raise ValueError("a table that makes no sense")
    numbers = array("Q" if width == 8 else "I", read(file, start, count * width))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _number(file: IO[bytes], start: int, size: int) -> int:
    return int.from_bytes(read(file, start, size), "big")
