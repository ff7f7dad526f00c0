"""CBOR out of a stranger's store: plain values, or ValueError, at a bounded cost."""

from __future__ import annotations

import itertools
import random
import time
import tracemalloc
from typing import Any

import cbor2
import pytest

from provenance.formats.jumbf import DEEPEST, LARGEST, boxes, cbor


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
