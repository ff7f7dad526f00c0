"""The store in RIFF chunks and in ISO boxes: at the top, alone, and with nothing beside it."""

from __future__ import annotations

import io

import pytest

from provenance.formats.manifest_box import C2PA_UUID
from provenance.formats.stores.chunks import iso, jpeg_xl, riff


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def _riff(*chunks: bytes, form: bytes = b"WAVE") -> bytes:
    return b"RIFF" + (4 + sum(map(len, chunks))).to_bytes(4, "little") + form + b"".join(chunks)


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def _uuid(word: bytes) -> bytes:
    return _box(b"uuid", C2PA_UUID + bytes(4) + word + b"\0" + bytes(30))


def test_the_chunk_of_the_store_is_found_with_its_fill_byte(store: bytes) -> None:
    sound = _chunk(b"data", b"12345")
    held = _chunk(b"C2PA", store)
    assert riff(io.BytesIO(_riff(sound, held))) == [(12 + len(sound), 12 + len(sound) + len(held))]
    assert riff(io.BytesIO(_riff(sound))) == []


def test_only_a_zero_fills_up_the_chunk_of_the_store(store: bytes) -> None:
    odd = store + b"\0" * (1 - len(store) % 2)
    data = _riff(_chunk(b"C2PA", odd))
    assert riff(io.BytesIO(data)) == [(12, len(data))]
    assert riff(io.BytesIO(data[:-1] + b"x")) == [(12, len(data) - 1)]


def test_a_large_avi_is_a_row_of_riff_chunks(store: bytes) -> None:
    first, held = _riff(_chunk(b"idx1", b"1234"), form=b"AVI "), _chunk(b"C2PA", store)
    assert riff(io.BytesIO(first + _riff(held, form=b"AVIX"))) == [(len(first) + 12, len(first) + 12 + len(held))]


def test_riff_chunks_that_make_no_sense_are_refused(store: bytes) -> None:
    held = _chunk(b"C2PA", store)
    good = _riff(_chunk(b"data", b"12"), held)
    for bad in (
        _riff(held, held),
        _riff(_chunk(b"C2PA", store + b"\0x")),
        _riff(_chunk(b"\0\0\0\0", b""), held),
        good[:-1],
        good + b"more",
        good.replace(b"data\2", b"data\xff"),
    ):
        with pytest.raises(ValueError):
            riff(io.BytesIO(bad))


def test_a_store_inside_a_list_is_none(store: bytes) -> None:
    assert riff(io.BytesIO(_riff(_chunk(b"LIST", b"INFO" + _chunk(b"C2PA", store))))) == []


def test_the_boxes_of_the_store_and_of_its_proofs_are_found() -> None:
    head, manifest, proof = _box(b"ftyp", b"isom"), _uuid(b"manifest"), _uuid(b"merkle")
    data = head + manifest + proof + proof + _box(b"uuid", b"another kind 16b") + _box(b"mdat", b"1")
    first, second = len(head), len(head + manifest)
    assert iso(io.BytesIO(data)) == [
        (first, second),
        (second, second + len(proof)),
        (second + len(proof), second + 2 * len(proof)),
    ]


def test_boxes_that_do_not_fill_the_file_or_hold_two_stores_are_refused() -> None:
    for bad in (_box(b"ftyp") + b"more", _box(b"ftyp") + _uuid(b"manifest") * 2, b""):
        with pytest.raises(ValueError):
            iso(io.BytesIO(bad))


def test_the_store_of_a_jpeg_xl_is_a_box_of_its_own(store: bytes) -> None:
    head = _box(b"JXL ", b"\r\n\x87\n")
    assert jpeg_xl(io.BytesIO(head + store + _box(b"jxlc", b"1"))) == [(len(head), len(head + store))]
    assert jpeg_xl(io.BytesIO(head + _box(b"jumb", bytes(60)))) == []
    with pytest.raises(ValueError, match="several"):
        jpeg_xl(io.BytesIO(head + store + store))
