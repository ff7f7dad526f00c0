"""RIFF files whose chunks do not follow one another are refused with the place; all others pass."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from provenance.formats.riff import refuse_loose_chunks
from sfumato.errors import MediaError


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def _avi(between: bytes = b"", inside: bytes = b"", after: bytes = b"") -> bytes:
    header = _chunk(b"LIST", b"hdrl" + _chunk(b"avih", bytes(56)))
    frames = _chunk(b"LIST", b"movi" + _chunk(b"00dc", bytes(101)) + inside + _chunk(b"00dc", bytes(100)))
    return _chunk(b"RIFF", b"AVI " + header + between + frames + _chunk(b"idx1", bytes(32))) + after


def _refusal(data: bytes, media_type: str = "video/avi") -> str:
    with pytest.raises(MediaError) as caught:
        refuse_loose_chunks(io.BytesIO(data), media_type, Path("a.avi"))
    return str(caught.value)


@pytest.mark.parametrize("after", [b"", bytes(4), b"a tag of somebody"])
def test_chunks_in_a_row_pass_whatever_follows_them(after: bytes) -> None:
    refuse_loose_chunks(io.BytesIO(_avi(after=after)), "video/avi", Path("a.avi"))


@pytest.mark.parametrize("size", [1, 2, 4, 12])
def test_zeros_between_chunks_are_refused_with_their_place(size: int) -> None:
    said = _refusal(_avi(between=bytes(size)))
    assert "has zeros between its chunks that belong to none: at byte 88" in said
    assert "ffmpeg -i IN -c copy" in said


def test_zeros_that_make_an_empty_chunk_pass() -> None:
    refuse_loose_chunks(io.BytesIO(_avi(between=bytes(8))), "video/avi", Path("a.avi"))


def test_zeros_inside_a_list_are_refused_with_what_came_before() -> None:
    assert "zeros between its chunks that belong to none" in (said := _refusal(_avi(inside=bytes(4))))
    assert "after '00dc'" in said


def test_other_bytes_between_chunks_are_refused() -> None:
    assert "has bytes between its chunks" in _refusal(_avi(between=b"\xff\xfe\x01\x02"))


def test_a_file_that_ends_too_early_is_told_so() -> None:
    assert "cut off or damaged: its chunk 'RIFF' at byte 0 claims" in _refusal(_avi()[:-20])


def test_a_picture_gets_another_advice() -> None:
    picture = _chunk(b"RIFF", b"WEBP" + bytes(4) + _chunk(b"VP8 ", bytes(90)))
    assert "save the picture anew" in _refusal(picture, "image/webp")
