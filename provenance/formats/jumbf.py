"""Manifest stores as bytes: JUMBF boxes (ISO 19566-5) and the CBOR in them (RFC 8949), read without trusting either.

In: the bytes of a manifest store. Out: the content of a box by its labels, and CBOR items as plain values. Nothing is
unbounded: sizes that do not fit end a list, deep nesting raises ValueError. Callers catch ValueError, IndexError,
TypeError and RecursionError.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from provenance.formats.boxes import walk

DEEPEST = 16  # levels of CBOR; a claim signature needs five


def cbor(data: bytes) -> Any:
    """The first CBOR item of `data`; tags are dropped. Raises ValueError or IndexError for what is none."""
    return _item(data, 0, 0)[0]


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


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """One CBOR item at `at`: (value, position after it). Definite and indefinite lengths; tags are dropped. Raises
    ValueError.
    """
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    major, detail = data[at] >> 5, data[at] & 31
    at += 1
    if 24 <= detail <= 27:
        width = 1 << (detail - 24)
        argument, at = int.from_bytes(data[at : at + width], "big"), at + width
    elif detail in (28, 29, 30):
        raise ValueError("reserved length")
    else:
        argument = detail
    endless = detail == 31
    if major in (0, 1):
        return (argument if major == 0 else -1 - argument), at
    if major in (2, 3):
        return _string(data, at, depth, argument, endless, major)
    if major == 4:
        items: list[Any] = []
        while (data[at] != 0xFF) if endless else (len(items) < argument):
            item, at = _item(data, at, depth + 1)
            items.append(item)
        return items, at + endless
    if major == 5:
        pairs: dict[Any, Any] = {}
        count = 0
        while (data[at] != 0xFF) if endless else (count < argument):
            key, at = _item(data, at, depth + 1)
            pairs[key], at = _item(data, at, depth + 1)
            count += 1
        return pairs, at + endless
    if major == 6:
        return _item(data, at, depth + 1)
    return {20: False, 21: True}.get(detail), at  # null, undefined and floats: of no use here


def _string(data: bytes, at: int, depth: int, length: int, endless: bool, major: int) -> tuple[bytes | str, int]:
    if endless:
        parts = []
        while data[at] != 0xFF:
            part, at = _item(data, at, depth + 1)
            parts.append(part)
        return (b"" if major == 2 else "").join(parts), at + 1
    if at + length > len(data):
        raise ValueError("string runs past the end")
    piece = data[at : at + length]
    return (piece if major == 2 else piece.decode("utf-8", "replace")), at + length
