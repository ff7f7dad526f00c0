"""A store is known by its first boxes and fills its place; stretches are merged and taken from one another."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.formats.stores.span import is_store, merged, read, store_at, without

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


@pytest.mark.parametrize(
    ("tail", "is_one"), [(b"", True), (bytes(5), True), (bytes(4) + b"x", False), (b"more", False)]
)
def test_only_zeros_may_follow_a_store_in_its_place(store: bytes, tail: bytes, is_one: bool) -> None:
    assert is_store(store + tail) == is_one
    assert store_at(io.BytesIO(b"before" + store + tail + b"behind"), 6, len(store + tail)) == is_one


def test_another_jumbf_box_or_a_part_of_a_store_is_none(store: bytes) -> None:
    assert not is_store(store.replace(b"c2pa\0\x11", b"xxxx\0\x11"))
    assert not is_store(store.replace(b"jumb", b"free", 1))
    assert not is_store(store[:-1])
    assert not is_store(b"")
    assert not store_at(io.BytesIO(store), 0, len(store) - 1)


def test_a_store_may_have_a_length_of_64_bits(store: bytes) -> None:
    wide = b"\0\0\0\1jumb" + (len(store) + 8).to_bytes(8, "big") + store[8:]
    assert is_store(wide)
    assert not is_store(wide[:-1])


def test_what_is_not_there_is_not_read() -> None:
    with pytest.raises(ValueError, match="ends too early"):
        read(io.BytesIO(b"abc"), 1, 3)


@given(SPANS, SPANS)
def test_stretches_are_sets_of_bytes(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    def places(spans: list[tuple[int, int]]) -> set[int]:
        return {place for start, end in spans for place in range(start, end)}

    assert places(merged(first)) == places(first)
    assert places(without(first, second)) == places(first) - places(second)
    assert without(first, []) == merged(first)
    assert all(start < end for start, end in without(first, second))
