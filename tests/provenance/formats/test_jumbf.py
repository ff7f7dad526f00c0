"""Boxes of a manifest store are found by their labels; what does not fit ends a list instead of an error."""

from __future__ import annotations

import pytest

from provenance.formats.jumbf import boxes, descend, label_of


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
