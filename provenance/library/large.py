"""Signing a large video in one pass: copied and hashed together, in flat memory.

In: the source, the output, a C2PA builder. Out: the output with its signed store, or False for a file that must go the
library's own way, which copies a file four times and reads it six times (measured: 3.5 times the work of sha256sum;
this: about as much).

The media are hashed in pieces of PIECE_KB, as a list of leaves (a Merkle map): the store has room reserved for 34 bytes
a leaf.
"""

from __future__ import annotations

import ctypes
from typing import IO, Any

from provenance.formats.bmff import Layout, layout
from provenance.formats.manifest_box import empty_manifest_box
from provenance.library import settings
from provenance.library.native import Embedding, available
from sfumato.errors import SealError

BUFFER = 2**20
LEAF = 34  # bytes of a SHA-256 in CBOR
MAP = 192  # bytes of a Merkle map without its leaves; 116 measured
MOST_STORE = 64 * 2**20  # room for the leaves of a video of 2 TB


def sign_large(source: IO[bytes], output: IO[bytes], builder: Any, media_type: str, watch: Any) -> bool:
    """Writes `source` with the store of `builder` to `output`. `watch` wraps a file so that its errors are kept.

    False: nothing was written, the file is not one that this can lay out. Raises C2paError, OSError, and SealError for
    a source that shrinks under our hands.
    """
    widest = (
        layout(source, MOST_STORE) if available() else None
    )  # before the builder is touched: it can then still go the other way
    if widest is None:
        return False
    embedding = Embedding(builder, media_type)
    leaves = sum(-(-size // (settings.PIECE_KB * 1024)) for size in widest.media_sizes)
    store_size = len(embedding.placeholder()) + leaves * LEAF + len(widest.media_sizes) * MAP
    plan = layout(source, store_size)
    if plan is None or store_size > MOST_STORE:
        raise SealError(f"The manifest store of {source.name} would take {store_size} bytes", "Split the video.")
    embedding.hash_in_pieces(settings.PIECE_KB)
    _copy(source, output, plan, store_size, embedding)
    output.flush()
    output.seek(0)
    embedding.hash_rest(watch(output))
    store = embedding.sign()
    output.seek(plan.store_at)
    output.write(_padded(store, store_size))
    return True


def _copy(source: IO[bytes], output: IO[bytes], plan: Layout, store_size: int, embedding: Embedding) -> None:
    buffer = ctypes.create_string_buffer(BUFFER)
    view = memoryview(buffer)
    for piece in plan.pieces:
        if piece.is_store:
            output.write(empty_manifest_box(store_size))
        elif piece.data is not None:
            output.write(piece.data)
        else:
            position = piece.start
            source.seek(position)
            while position < piece.end:
                count = source.readinto(view[: min(BUFFER, piece.end - position)])  # type: ignore[attr-defined]
                if not count:
                    raise SealError(
                        f"{source.name} became shorter while it was read", "Sign it when nobody writes it any more."
                    )
                output.write(view[:count])
                if piece.media is not None:
                    embedding.hash_media(piece.media, buffer, count)
                position += count


def _padded(store: bytes, size: int) -> bytes:
    """The box filled up with zeros behind the store, which says itself how long it is. Raises SealError if it does not
    fit.
    """
    if len(store) > size or int.from_bytes(store[:4], "big") != len(store):
        raise SealError(f"The manifest store takes {len(store)} bytes, {size} were reserved", "Report this file.")
    return size.to_bytes(4, "big") + store[4:] + bytes(size - len(store))
