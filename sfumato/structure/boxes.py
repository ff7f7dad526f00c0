"""ISO boxes (ISO/IEC 14496-12; mp4, mov, HEIF, JUMBF): how many, how deep, and how much their tables say there is.

In: an open file. Out: nothing, or MediaError. A table that claims more entries than fit into it is refused, and so are
more samples than the file has bytes: readers make room for what is claimed before they look.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sfumato.errors import MediaError
from sfumato.limits import ALL_BOXES, BOX_DEPTH, BOXES, EDITS, SAMPLES, TRACKS

_CONTAINERS = frozenset(
    [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"mvex", b"moof", b"traf", b"mfra",
     b"meta", b"iprp", b"ipco", b"jumb", b"gmhd", b"tapt", b"schi", b"sinf"]
)  # fmt: skip
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # of the uuid box that holds a manifest store
_STORE = 16 + 4 + len(b"manifest\0") + 8  # bytes of that box before the store
_ENTRY = {  # bytes of one entry of a table, after version, flags and the number of entries
    b"stts": 8, b"ctts": 8, b"stsc": 12, b"stco": 4, b"co64": 8, b"stss": 4, b"elst": 12, b"stps": 4,
}  # fmt: skip
_SOUND = 8  # bytes of a sample of plain sound at most, and samples that a byte of packed sound stands for
_DAMAGED = "Take another copy; this one is damaged, or was made to exhaust the machine."


@dataclass(frozen=True)
class _Part:
    kind: bytes
    start: int  # of the content
    end: int


def hold_boxes(file: BinaryIO, source: object, start: int = 0, end: int | None = None) -> None:
    """Walks the boxes of `file` from `start` to `end`, those inside containers too. Raises MediaError."""
    whole = file.seek(0, os.SEEK_END)
    pending = [(start, whole if end is None else end, 1, False)]
    kinds: Counter[bytes] = Counter()
    samples = 0
    while pending:
        place, limit, depth, sound = pending.pop()
        BOX_DEPTH.hold(source, depth)
        for number, part in enumerate(_parts(file, place, limit), 1):
            BOXES.hold(source, number)
            kinds[part.kind] += 1
            sound = sound or part.kind == b"smhd"
            inside = _content(part, file)
            if inside is not None:
                pending.append((inside, part.end, depth + 1, sound))
            else:
                samples += _hold_table(part, file, source, whole, sound)
                _hold_samples(part.kind, samples, source, whole)
        ALL_BOXES.hold(source, kinds.total())
    TRACKS.hold(source, kinds[b"trak"])


def _parts(file: BinaryIO, position: int, end: int) -> Iterator[_Part]:
    """The boxes side by side in a part of the file; the first that makes no sense is the last."""
    while position + 8 <= end:
        file.seek(position)
        head = file.read(16)
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - position
        if len(head) < header or size < header:
            return
        yield _Part(kind, position + header, min(position + size, end))
        position += size


def _content(part: _Part, file: BinaryIO) -> int | None:
    """Where the boxes in a container begin; None for what is none."""
    if part.kind == b"uuid":
        file.seek(part.start)
        return part.start + _STORE if file.read(16) == _C2PA else None
    if part.kind not in _CONTAINERS:
        return None
    if part.kind != b"meta":
        return part.start
    file.seek(part.start)
    plain = file.read(8)[4:] in (b"hdlr", b"keys", b"ilst")  # QuickTime's has no version and flags
    return part.start if plain else part.start + 4


def _hold_table(part: _Part, file: BinaryIO, source: object, whole: int, sound: bool) -> int:
    """A table must hold what it says. Returns how many samples it adds to those that a reader keeps a note of each of;
    of plain sound, in which a byte may stand for several samples, it keeps none.
    """
    if part.kind in _ENTRY:
        file.seek(part.start + 4)
        entries = int.from_bytes(file.read(4), "big")
        if entries * _ENTRY[part.kind] > part.end - part.start:
            _refuse(source, part.kind, entries)
        if part.kind == b"elst":
            EDITS.hold(source, entries)
    elif part.kind in (b"stsz", b"stz2"):
        file.seek(part.start + 4)
        table = file.read(8)
        size, samples = int.from_bytes(table[:4], "big"), int.from_bytes(table[4:], "big")
        bits = size & 0xFF if part.kind == b"stz2" else 0 if size else 32
        plain = sound and not bits and size <= _SOUND  # is read by the block, whatever the table says
        room = _SOUND * whole if plain else whole
        if samples * bits > 8 * (part.end - part.start) or (not bits and samples * max(1, size) > room):
            _refuse(source, part.kind, samples)
        return 0 if plain else samples
    if part.kind == b"trun":
        file.seek(part.start + 4)
        return int.from_bytes(file.read(4), "big")
    return 0


def _hold_samples(kind: bytes, samples: int, source: object, whole: int) -> None:
    """All tracks and fragments together: a sample takes a byte at least."""
    if samples > whole:
        _refuse(source, kind, samples)
    SAMPLES.hold(source, samples)


def _refuse(source: object, kind: bytes, entries: int) -> None:
    raise MediaError(f"{source} has a table ({kind.decode()}) of {entries} entries, which it does not hold", _DAMAGED)
