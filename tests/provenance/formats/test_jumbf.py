"""Boxes of a manifest store are found by their labels; CBOR in it is plain values, or ValueError, at a bounded cost."""

from __future__ import annotations

import itertools
import random
import time
import tracemalloc
from typing import Any

import cbor2
import pytest

from provenance.formats.jumbf import DEEPEST, LARGEST, boxes, cbor, descend, label_of


@pytest.mark.parametrize(
    "value", [0, -5, 2**64 - 1, b"bytes", "text", [1, [2]], {33: b"x", "sigTst2": {"tstTokens": []}}, True, None]
)
def test_plain_values_come_back(value: Any) -> None:
    assert cbor(cbor2.dumps(value)) == value


def test_what_follows_the_first_item_is_left_alone() -> None:
    assert cbor(b"\x01\xff\xff") == 1


def test_lengths_may_be_left_open() -> None:
    assert cbor(bytes.fromhex("9f 5f4161 4162ff bf0102ff ff")) == [b"ab", {1: 2}]


def test_text_that_is_no_text_is_replaced() -> None:
    assert cbor(b"\x62\xff\xfe") == "��"


@pytest.mark.parametrize("tag", [0, 1, 2, 4, 18, 25, 28, 29, 30, 35, 37, 256, 258, 260, 1004, 55799, 70000])
def test_tags_are_dropped(tag: int) -> None:
    assert list(cbor(cbor2.dumps(cbor2.CBORTag(tag, [7, b"x"])))) == [7, b"x"]


HOSTILE = {
    "nothing": b"",
    "a break": b"\xff",
    "a reserved length": b"\x1c",
    "arrays in arrays": b"\x81" * 5000,
    "open arrays in arrays": b"\x9f" * 5000,
    "maps in maps": b"\xbf" * 100,
    "tags on tags": b"\xc6" * 5000,
    "a string without end": b"\x5b" + b"\xff" * 8,
    "a text of gigabytes": b"\x7b\0\0\0\1\0\0\0\0abc",
    "an array without end": b"\x9b" + b"\xff" * 8,
    "an array of two thousand million": b"\x9a\x7f\xff\xff\xff",
    "a map without end": b"\xbb" + b"\xff" * 8,
    "a number of a gigabyte": b"\xc2\x5a\x40\0\0\0",
    "a key twice": b"\xa2\x01\x02\x01\x03",
    "too many bytes": cbor2.dumps(bytes(LARGEST)),
    "too many items": b"\x9f" + bytes(LARGEST) + b"\xff",
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_hostile_cbor_is_a_value_error_and_costs_little(kind: str) -> None:
    tracemalloc.start()
    with pytest.raises(ValueError):
        cbor(HOSTILE[kind])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1024 * 1024


def test_depth_ends_where_it_says() -> None:
    assert cbor(b"\x81" * (DEEPEST - 1) + b"\x01") is not None
    with pytest.raises(ValueError):
        cbor(b"\x81" * (DEEPEST + 1) + b"\x01")


def test_many_keys_of_one_hash_take_no_minutes() -> None:
    keys = itertools.product(b"\x20\x21", repeat=15)  # -1 and -2 have one hash, and so have all arrays of them
    body = b"".join(b"\x8f" + bytes(key) + b"\x00" for key in itertools.islice(keys, (LARGEST - 16) // 17))
    start = time.process_time()
    try:
        cbor(b"\xbf" + body + b"\xff")
    except ValueError:
        pass
    assert time.process_time() - start < 5


def test_damaged_cbor_is_read_or_refused() -> None:
    whole = cbor2.dumps(
        [b"\xa1\x01\x26", {"sigTst2": {"tstTokens": [{"val": bytes(50)}]}, 33: [b"a", b"b"]}, None, b"s"]
    )
    chance = random.Random(0)
    refused = 0
    for _ in range(5000):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            cbor(bytes(damaged))
        except ValueError:
            refused += 1
    assert 0 < refused < 5000


@pytest.mark.parametrize("size", [0, 7, 9, 2**32 - 1])
def test_a_box_that_does_not_fit_ends_the_list(size: int) -> None:
    good = (12).to_bytes(4, "big") + b"goodwell"
    assert list(boxes(good + size.to_bytes(4, "big") + b"evil")) == [(b"good", b"well")]


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _labelled(label: bytes, content: bytes = b"") -> bytes:
    return _box(b"jumb", _box(b"jumd", b"\0" * 16 + b"\x03" + label + b"\0") + content)


STORE = _labelled(b"c2pa", _labelled(b"urn:one", _labelled(b"c2pa.claim", _box(b"cbor", b"1"))) + _labelled(b"urn:two"))


def _labels(contents: list[bytes]) -> list[str]:
    return [label_of(next(boxes(content))[1]) for content in contents]


def test_a_label_ends_at_its_zero() -> None:
    assert label_of(b"\0" * 16 + b"\x03" + b"c2pa.claim\0hash") == "c2pa.claim"


def test_labels_lead_down_and_none_takes_any() -> None:
    assert _labels(list(descend(STORE, (None, None)))) == ["urn:one", "urn:two"]
    (claim,) = descend(STORE, ("c2pa", "urn:one", "c2pa.claim"))
    assert list(boxes(claim))[1:] == [(b"cbor", b"1")]
    assert list(descend(STORE, ("c2pa", "urn:two", "c2pa.claim"))) == []


@pytest.mark.parametrize("size", [0, 7, 10], ids=["open", "shorter than a header", "past the end"])
def test_a_size_that_does_not_fit_ends_the_list(size: int) -> None:
    """An open end is allowed elsewhere; here it would let one box hide those that others see behind it."""
    assert list(boxes(_box(b"free", b"ab") + size.to_bytes(4, "big") + b"jumb" + b"x")) == [(b"free", b"ab")]


def test_a_box_without_a_description_has_no_label() -> None:
    assert list(descend(_box(b"jumb", _box(b"cbor", b"1")), (None,))) == []
    assert list(descend(_box(b"jumb"), (None,))) == []
