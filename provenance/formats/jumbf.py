"""Manifest stores as bytes: JUMBF boxes (ISO 19566-5) and the CBOR in them (RFC 8949), read without trusting either.

In: the bytes of a manifest store. Out: the content of a box by its labels, and CBOR items as plain values, decoded by
cbor2. Nothing is unbounded: sizes that do not fit end a list of boxes; CBOR that is large or deep raises ValueError.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbor2 import CBORTag

from provenance.formats.boxes import walk

DEEPEST = 16  # levels of CBOR; a claim signature needs five
LARGEST = 64 * 1024  # bytes of CBOR, and so the most items; a claim signature is some ten thousand


def cbor(data: bytes) -> Any:
    """The first CBOR item of `data`; tags are dropped. Raises ValueError for what is none, is too large, nested too
    deep, or gives a key twice (which of the two did somebody else read?).
    """
    from cbor2 import CBORDecoder, CBORError

    if len(data) > LARGEST:
        raise ValueError("too much CBOR")
    reader = CBORDecoder(
        io.BytesIO(data),
        tag_hook=_without_tag,
        semantic_decoders=_UNTAGGED,
        str_errors="replace",
        max_depth=DEEPEST,
        allow_duplicate_keys=False,
    )
    try:
        return reader.decode()
    except (CBORError, OverflowError, MemoryError, RecursionError) as error:
        raise ValueError(f"no CBOR: {error}") from error


def descend(data: bytes, names: Sequence[str | None]) -> Iterator[bytes]:
    """The content of every superbox reached by `names`, one a level; None takes any."""
    for kind, content in boxes(data):
        if kind != b"jumb":
            continue
        inner = list(boxes(content))
        if not inner or inner[0][0] != b"jumd" or (names[0] is not None and label_of(inner[0][1]) != names[0]):
            continue
        if len(names) == 1:
            yield content
        else:
            yield from descend(content, names[1:])


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """ISO boxes: (type, content). Stops at the first that does not fit, or has no size of its own."""
    for box in walk(io.BytesIO(data), open_ended=False):
        yield box.kind, data[box.body : box.end]


def label_of(description: bytes) -> str:
    """The label of a JUMBF description box: a 16-byte type, one byte of flags, then text that ends with a zero."""
    return description[17:].split(b"\0", 1)[0].decode("utf-8", "replace")


def _without_tag(tag: CBORTag, immutable: bool) -> Any:
    """For a tag that the decoder does not know."""
    return tag.value


def _content(value: Any, immutable: bool) -> Any:
    """For a tag that it does know: a stranger makes it build no dates, patterns or endless references for us."""
    return value


_UNTAGGED = dict.fromkeys([*range(2048), 43000, 55799], _content)
