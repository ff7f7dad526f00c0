"""Whole mp4 and mov files (ISO/IEC 14496-12): is it one, and where does everything go if a manifest store is put in.

In: an open file. Out: its top-level boxes; a refusal of fragmented files; or a `Layout`, the order of copies and new
bytes that makes the same video with room for a store after `ftyp`, every chunk offset in `moov` moved along.

A layout gives each `mdat` a 16-byte header. The hash in pieces starts 16 bytes into the box for the C2PA library, and
where the media begin for other verifiers (C2PA specification 2.4, BMFF hash, Merkle maps): with a header of 16 bytes
both are the same place. A file with anything in it that a layout does not understand gets none, and is left to the
library's own, slower way.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from provenance.formats.boxes import DEEPEST, LARGE_HEADER, Box, walk
from provenance.formats.manifest_box import holds_manifest
from sfumato.errors import MediaError

MOST_BOXES = 10_000  # at the top of a file; a recording has a handful
LARGEST_INDEX = 256 * 2**20  # bytes of moov that are held in memory; ten hours of video need about 30 MB
MOVABLE = {b"ftyp", b"free", b"skip", b"wide", b"mdat", b"moov", b"uuid", b"udta", b"pdin"}
CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
POSITIONED = (b"iloc", b"saio", b"cmov", b"mvex")  # boxes of moov with file positions of other forms, or hidden ones


@dataclass(frozen=True)
class Piece:
    """A part of the output: the bytes [start, end) of the source, or `data`. `media`: number of the mdat whose media
    this is.
    """

    start: int = 0
    end: int = 0
    data: bytes | None = None
    media: int | None = None
    is_store: bool = False


@dataclass(frozen=True)
class Layout:
    """Pieces in the order of the output. `media_sizes`: bytes of media in each mdat. `store_at`: where the store
    goes.
    """

    pieces: tuple[Piece, ...]
    media_sizes: tuple[int, ...]
    store_at: int


def top_boxes(file: IO[bytes]) -> list[Box]:
    """The boxes at the top of the file. Raises MediaError if they do not fill it exactly."""
    end = file.seek(0, os.SEEK_END)
    boxes = list(itertools.islice(walk(file), MOST_BOXES))
    if (boxes[-1].end if boxes else 0) != end:
        raise MediaError(
            f"{_name(file)} is damaged or cut off: its boxes do not fill it", "Copy or download it completely."
        )
    return boxes


def refuse_fragments(file: IO[bytes]) -> None:
    """Raises MediaError unless the file is one whole recording: a signature of a part would pass for one of the
    whole.
    """
    boxes = top_boxes(file)
    kinds = {box.kind for box in boxes}
    fragments = bool(kinds & {b"moof", b"styp", b"sidx"})
    for box in boxes:
        if box.kind == b"moov" and box.size <= LARGEST_INDEX:
            inside = walk(file, CONTAINERS, start=box.body, end=box.end)
            fragments = fragments or any(child.kind == b"mvex" for child in inside)
    if fragments:
        advice = "Make one whole file first: ffmpeg -i IN -c copy -movflags +faststart OUT.mp4."
        raise MediaError(f"{_name(file)} is a fragmented video or a part of one", advice)
    if b"moov" not in kinds:
        raise MediaError(
            f"{_name(file)} has no index (moov): it is cut off, or no video", "Copy or download it completely."
        )


def layout(file: IO[bytes], store_size: int) -> Layout | None:
    """How the file looks with a store of `store_size` bytes after ftyp, and without its present one. None: leave it to
    the library.
    """
    boxes = top_boxes(file)
    kinds = [box.kind for box in boxes]
    if (
        not boxes
        or kinds[0] != b"ftyp"
        or not set(kinds) <= MOVABLE
        or kinds.count(b"moov") != 1
        or b"mdat" not in kinds
    ):
        return None
    if boxes[-1].end > 2**62 or store_size >= 2**32:
        return None
    pieces: list[Piece] = []
    moved: list[tuple[int, int, int]] = []  # media of the source: start, end, by how much it moves
    media_sizes: list[int] = []
    position, index, store_at = 0, b"", 0
    for box in boxes:
        if holds_manifest(box, file):
            continue
        if box.kind == b"mdat":
            pieces.append(Piece(data=b"\0\0\0\1mdat" + (box.size - box.header + LARGE_HEADER).to_bytes(8, "big")))
            position += LARGE_HEADER
            moved.append((box.start + box.header, box.end, position - box.start - box.header))
            pieces.append(Piece(box.start + box.header, box.end, media=len(media_sizes)))
            media_sizes.append(box.size - box.header)
            position += box.size - box.header
        elif box.kind == b"moov":
            if box.size > LARGEST_INDEX:
                return None
            index = _read(file, box)
            pieces.append(Piece(box.start, box.end))  # replaced below, when every mdat has its place
            position += box.size
        else:
            pieces.append(Piece(box.start, box.end))
            position += box.size
        if box.kind == b"ftyp":
            pieces.append(Piece(is_store=True))
            store_at, position = position, position + store_size
    moov = next(box for box in boxes if box.kind == b"moov")
    rewritten = _moved_index(index, moov.header, moved)
    if rewritten is None:
        return None
    pieces = [
        Piece(data=rewritten) if piece.data is None and piece.start == moov.start and piece.end else piece
        for piece in pieces
    ]
    return Layout(tuple(pieces), tuple(media_sizes), store_at)


def _moved_index(index: bytes, header: int, moved: Sequence[tuple[int, int, int]]) -> bytes | None:
    """The bytes of moov with every chunk offset moved; None if one of them lies outside the media, or there is more to
    move.
    """
    import numpy as np

    if any(kind in index for kind in POSITIONED):
        return None
    out = bytearray(index)
    for box in walk(io.BytesIO(index), CONTAINERS, start=header):
        if box.kind in CONTAINERS and len(box.path) > DEEPEST:
            return None  # not walked into
        if box.kind not in (b"stco", b"co64"):
            continue
        width, body = 4 if box.kind == b"stco" else 8, box.body
        count = int.from_bytes(index[body + 4 : body + 8], "big")
        if body + 8 + count * width > box.end:
            return None
        old = np.frombuffer(index, dtype=f">u{width}", count=count, offset=body + 8).astype(np.uint64)
        new = np.zeros_like(old)
        placed = np.zeros(count, dtype=bool)
        for start, end, distance in moved:
            here = (old >= start) & (old < end)
            new[here] = (old[here].astype(np.int64) + distance).astype(np.uint64)
            placed |= here
        if not placed.all() or (count and int(new.max()) >= 1 << (8 * width)):
            return None
        out[body + 8 : body + 8 + count * width] = new.astype(f">u{width}").tobytes()
    return bytes(out)


def _read(file: IO[bytes], box: Box) -> bytes:
    file.seek(box.start)
    return file.read(box.size)


def _name(file: IO[bytes]) -> str:
    return str(getattr(file, "name", "the file"))
