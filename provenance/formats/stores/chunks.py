"""The manifest store in containers of chunks or boxes: RIFF (webp, wav, avi), ISO boxes (mp4, mov, heif, JPEG XL).

In: an open file. Out: the spans of the store. A file is followed to its last byte; what does not fit raises ValueError,
and so does a second store.
RIFF: the chunk C2PA at the top level. ISO boxes: the uuid boxes of C2PA's type. JPEG XL: the jumb box that is the store
(C2PA specification: Embedding manifests).
"""

from __future__ import annotations

import itertools
import os
from typing import IO

from provenance.formats.boxes import Box, walk
from provenance.formats.manifest_box import holds_manifest
from provenance.formats.stores.span import Span, read, store_at

MOST_CHUNKS = 200_000
MOST_BOXES = 20_000  # at the top of a file


def riff(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    size = file.seek(0, os.SEEK_END)
    position, stores, chunks = 0, [], 0
    while position < size:  # a large avi is a row of RIFF chunks
        head = read(file, position, 12)
        end = position + 8 + int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or end > size:
            raise ValueError("a RIFF chunk makes no sense")
        inside = position + 12
        while inside < end:
            head = read(file, inside, 8)
            length = int.from_bytes(head[4:], "little")
            behind = inside + 8 + length + length % 2
            chunks += 1
            if inside + 8 + length > end or not all(0x20 <= letter < 0x7F for letter in head[:4]):
                raise ValueError("a chunk makes no sense")
            if head[:4] == b"C2PA":
                if not store_at(file, inside + 8, length):
                    raise ValueError("its chunk C2PA holds more or less than a manifest store")
                file.seek(inside + 8 + length)
                fill = length % 2 == 1 and file.read(1) == b"\0"
                stores.append((inside, inside + 8 + length + fill))
            if chunks > MOST_CHUNKS:
                raise ValueError("too many chunks")
            inside = behind
        position = inside + (inside % 2 and inside < size)
    return _only(stores)


def whole_boxes(file: IO[bytes]) -> list[Box]:
    """The boxes at the top of a file. Raises ValueError unless they fill it."""
    size = file.seek(0, os.SEEK_END)
    boxes = list(itertools.islice(walk(file), MOST_BOXES))
    if not boxes or boxes[-1].end != size:
        raise ValueError("its boxes do not fill it")
    return boxes


def store_box(boxes: list[Box], file: IO[bytes]) -> list[Span]:
    """The spans of those boxes, at the top of an mp4 or its like, that hold a store or proofs for pieces of the media.

    Behind the type come version and flags, and a word. "merkle" is for proofs, of which there may be many; every other
    word is said once. Raises ValueError.
    """
    spans, said = [], set()
    for box in boxes:
        if not holds_manifest(box, file):
            continue
        word = read(file, box.body + 20, max(0, min(16, box.end - box.body - 20))).partition(b"\0")[0]
        if word in said:
            raise ValueError("it holds several manifest stores")
        if word != b"merkle":
            said.add(word)
        spans.append((box.start, box.end))
    return spans


def iso(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    return store_box(whole_boxes(file), file)


def jpeg_xl(file: IO[bytes]) -> list[Span]:
    """Raises ValueError."""
    boxes = whole_boxes(file)
    return _only([(box.start, box.end) for box in boxes if box.kind == b"jumb" and store_at(file, box.start, box.size)])


def _only(stores: list[Span]) -> list[Span]:
    if len(stores) > 1:
        raise ValueError("it holds several manifest stores")
    return stores
