"""The store in an ID3v2 tag: one frame of C2PA's media type, in a tag that is read as it stands."""

from __future__ import annotations

import io

import pytest

from provenance.formats.stores.sound import id3


def _seven(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _frame(kind: bytes, content: bytes, *, version: int = 4, flags: bytes = b"\0\0") -> bytes:
    size = _seven(len(content)) if version == 4 else len(content).to_bytes(4, "big")
    return kind + size + flags + content


def _tag(*frames: bytes, version: int = 4, flags: int = 0, padding: int = 0) -> bytes:
    content = b"".join(frames) + bytes(padding)
    return b"ID3" + bytes([version, 0, flags]) + _seven(len(content)) + content


def _object(store: bytes, media_type: bytes = b"application/c2pa", encoding: int = 0) -> bytes:
    names = b"a\0b\0" if encoding in (0, 3) else b"a\0\0\0b\0\0\0"
    return bytes([encoding]) + media_type + b"\0" + names + store


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
def test_the_object_of_the_frame_is_found(store: bytes, version: int, encoding: int) -> None:
    content = _object(store, encoding=encoding)
    frames = [_frame(b"TIT2", b"\0title", version=version), _frame(b"GEOB", content, version=version)]
    data = _tag(*frames, version=version, padding=40) + b"fLaC"
    start = data.index(store)
    assert id3(io.BytesIO(data)) == [(start, start + len(store))]


def test_other_objects_and_files_without_a_tag_hold_none(store: bytes) -> None:
    assert id3(io.BytesIO(_tag(_frame(b"GEOB", _object(b"1234", b"text/plain"))))) == []
    assert id3(io.BytesIO(b"\xff\xfb" + bytes(20))) == []
    assert id3(io.BytesIO(_tag())) == []


def test_what_is_not_read_as_it_stands_is_refused(store: bytes) -> None:
    frame = _frame(b"GEOB", _object(store))
    for bad in (
        _tag(frame, version=2),
        _tag(frame, flags=0x80),
        _tag(frame, flags=0x40),
        _tag(_frame(b"GEOB", _object(store), flags=b"\0\x02")),
        _tag(_frame(b"GEOB", _object(store + b"x"))),
        _tag(_frame(b"GEOB", b"\0application/c2pa\0aaaa")),
        _tag(frame, frame),
        _tag(b"GEO\xff" + frame[4:]),
        _tag(frame[:4] + b"\0\0\x7f\x7f" + frame[8:]),
        _tag(frame[:4] + b"\0\0\x80\0" + frame[8:]),
        _tag(frame)[:-1],
    ):
        with pytest.raises(ValueError):
            id3(io.BytesIO(bad))
