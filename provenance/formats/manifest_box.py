"""Where an mp4 or mov keeps its manifest store: a uuid box of C2PA's own type (C2PA specification 2.4, annex A.5).

In: an open file. Out: whether a box is that one, the manifest store in it, or an empty box with room for one.
"""

from __future__ import annotations

from typing import IO

from provenance.formats.boxes import Box, walk

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
LARGEST_STORE = 64 << 20  # bytes


def holds_manifest(box: Box, file: IO[bytes]) -> bool:
    """True for a uuid box at the top of `file` with C2PA's type."""
    if box.path != (b"uuid",):
        return False
    file.seek(box.body)
    return file.read(16) == C2PA_UUID


def embedded_store(file: IO[bytes]) -> bytes | None:
    """The manifest store of the file, or None. Behind the type: version and flags, "manifest", the place of a Merkle
    box, JUMBF.
    """
    for box in walk(file):
        if holds_manifest(box, file) and box.size <= LARGEST_STORE:
            file.seek(box.body + 20)  # 20: the type, version and flags
            purpose, _, rest = file.read(box.end - box.body - 20).partition(b"\0")
            return rest[8:] if purpose == b"manifest" else None
    return None


def empty_manifest_box(size: int) -> bytes:
    """A box of `size` bytes for a store that is still to come."""
    return size.to_bytes(4, "big") + b"uuid" + C2PA_UUID + bytes(size - 24)
