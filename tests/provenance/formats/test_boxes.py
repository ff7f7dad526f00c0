"""The one walker of ISO boxes: every form of a header, containers by path, and an end to what makes no sense."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.formats.boxes import DEEPEST, walk


def _box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def _walked(data: bytes, *containers: bytes, open_ended: bool = True) -> list[tuple[str, int, int]]:
    """(path, where the content begins, where the box ends)."""
    found = walk(io.BytesIO(data), containers, open_ended=open_ended)
    return [(b"/".join(box.path).decode(), box.body, box.end) for box in found]


def test_a_size_may_have_32_or_64_bits_or_reach_to_the_end() -> None:
    wide = (1).to_bytes(4, "big") + b"wide" + (20).to_bytes(8, "big") + b"1234"
    rest = (0).to_bytes(4, "big") + b"rest" + b"12345"
    data = _box(b"ftyp", b"isom") + wide + rest
    assert _walked(data) == [("ftyp", 8, 12), ("wide", 28, 32), ("rest", 40, 45)]
    assert _walked(data, open_ended=False) == [("ftyp", 8, 12), ("wide", 28, 32)]


def test_only_named_containers_are_walked_into_level_by_level() -> None:
    data = _box(b"moov", _box(b"trak", _box(b"tkhd"))) + _box(b"free", _box(b"trak"))
    assert [path for path, _, _ in _walked(data, b"moov", b"trak")] == ["moov", "free", "moov/trak", "moov/trak/tkhd"]


def test_the_boxes_of_meta_come_after_version_and_flags() -> None:
    assert _walked(_box(b"meta", bytes(4) + _box(b"iloc")), b"meta") == [("meta", 8, 20), ("meta/iloc", 20, 20)]


@pytest.mark.parametrize(
    "bad", [b"\0\0\0\x04tiny", b"\0\0\0\x64long", b"\0\0\0\1wide" + bytes(8), b"\0\0\0\1wide", b"half"]
)
def test_what_makes_no_sense_ends_its_level_and_no_other(bad: bytes) -> None:
    data = _box(b"moov", _box(b"free") + bad) + _box(b"mdat")
    assert [path for path, _, _ in _walked(data, b"moov")] == ["moov", "mdat", "moov/free"]


def test_a_part_of_a_file_can_be_walked() -> None:
    data = _box(b"ftyp") + _box(b"free") + _box(b"mdat")
    assert [box.kind for box in walk(io.BytesIO(data), start=8, end=16)] == [b"free"]


def test_the_depth_has_an_end() -> None:
    data = b""
    for _ in range(3 * DEEPEST):
        data = _box(b"moov", data)
    assert max(len(box.path) for box in walk(io.BytesIO(data), [b"moov"])) == DEEPEST + 1


@given(st.lists(st.sampled_from([b"\0\0\0\0moov", b"\0\0\0\1moov", b"\0\0\0\x10trak", b"\0\0\0\x08free", b"\xff"])))
def test_boxes_lie_inside_their_file_whatever_is_in_it(parts: list[bytes]) -> None:
    data = b"".join(parts)
    for box in walk(io.BytesIO(data), [b"moov", b"trak"]):
        assert 0 <= box.start <= box.body <= box.end <= len(data)
