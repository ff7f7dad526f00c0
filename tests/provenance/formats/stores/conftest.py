"""A manifest store that is nothing but its first boxes: enough to be known by."""

from __future__ import annotations

import pytest

from provenance.formats.stores.span import STORE_TYPE


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


@pytest.fixture
def store() -> bytes:
    return box(b"jumb", box(b"jumd", STORE_TYPE + b"\x03c2pa\0") + box(b"jumb", bytes(60)))
