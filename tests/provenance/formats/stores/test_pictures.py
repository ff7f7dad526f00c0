"""The store in a JPEG, PNG and GIF is found as a whole or not at all; the picture is followed to its end marker."""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provenance.formats.stores.pictures import Segmented, gif, jpeg, png

Looked = Callable[[io.BytesIO], Segmented]


@functools.cache
def picture(kind: str, **options: object) -> bytes:
    output = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(output, kind, **options)
    return output.getvalue()


def app11(content: bytes, number: int = 1, instance: bytes = b"\x02\x11") -> bytes:
    return b"\xff\xeb" + (len(content) + 10).to_bytes(2, "big") + b"JP" + instance + number.to_bytes(4, "big") + content


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def extension(content: bytes) -> bytes:
    blocks = [content[place : place + 255] for place in range(0, len(content), 255)]
    return b"!\xff\x0bC2PA_GIF\x01\0\0" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


PARTS: dict[str, tuple[Looked, str, int, Callable[[bytes], bytes]]] = {
    "jpg": (jpeg, "JPEG", 20, app11),
    "png": (png, "PNG", 33, lambda content: chunk(b"caBX", content)),
    "gif": (gif, "GIF", 781, extension),
}


@pytest.fixture(params=PARTS)
def part(request: pytest.FixtureRequest) -> tuple[Looked, bytes, int, Callable[[bytes], bytes]]:
    look, kind, place, hold = PARTS[request.param]
    return look, picture(kind), place, hold


def test_the_part_that_holds_the_store_is_found(
    part: tuple[Looked, bytes, int, Callable[..., bytes]], store: bytes
) -> None:
    look, data, place, hold = part
    held = hold(store)
    signed = data[:place] + held + data[place:]
    assert look(io.BytesIO(signed)) == Segmented(((place, place + len(held)),), len(signed))
    assert look(io.BytesIO(signed + b"and more")) == Segmented(((place, place + len(held)),), len(signed))
    assert look(io.BytesIO(data)) == Segmented((), len(data))


def test_a_second_store_or_more_than_a_store_is_refused(
    part: tuple[Looked, bytes, int, Callable[..., bytes]], store: bytes
) -> None:
    look, data, place, hold = part
    for held in (hold(store + b"\0hidden"), hold(store) + hold(store)):
        with pytest.raises(ValueError, match=r"more or less|several"):
            look(io.BytesIO(data[:place] + held + data[place:]))


def test_a_picture_that_is_cut_off_is_refused(
    part: tuple[Looked, bytes, int, Callable[..., bytes]], store: bytes
) -> None:
    look, data, place, hold = part
    signed = data[:place] + hold(store) + data[place:]
    for size in (0, 1, 5, place + 3, place + 60, len(signed) - 1):
        with pytest.raises(ValueError):
            look(io.BytesIO(signed[:size]))


@given(st.data())
def test_damage_raises_nothing_else(data: st.DataObject) -> None:
    look, kind, _, _ = PARTS[data.draw(st.sampled_from(list(PARTS)))]
    content = bytearray(picture(kind))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, min(900, len(content) - 1)))] = data.draw(st.integers(0, 255))
    try:
        found = look(io.BytesIO(bytes(content)))
    except ValueError:
        return
    assert found.end <= len(content)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}], ids=str)
def test_every_form_of_a_jpeg_is_followed_to_its_end(options: dict[str, object]) -> None:
    data = picture("JPEG", **options)
    assert jpeg(io.BytesIO(data)).end == len(data)


def test_a_marker_at_the_seam_of_two_pieces_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture("JPEG")
    for size in (2, 3, 7):
        monkeypatch.setattr("provenance.formats.stores.pictures.SCAN_PIECE", size)
        assert jpeg(io.BytesIO(data)).end == len(data)


def test_a_store_may_be_spread_over_numbered_segments(store: bytes) -> None:
    data = picture("JPEG")
    parts = app11(store[:50]) + app11(store[:8] + store[50:], 2)
    assert jpeg(io.BytesIO(data[:20] + parts + data[20:])).spans == ((20, 20 + len(parts)),)


@pytest.mark.parametrize(
    "between", [b"\xff\xfe\x00\x04hi", app11(b"\0" * 20, 1, b"\x01\x01")], ids=["comment", "other"]
)
def test_segments_of_a_store_lie_together(store: bytes, between: bytes) -> None:
    data = picture("JPEG")
    parts = app11(store[:50]) + between + app11(store[:8] + store[50:], 2)
    with pytest.raises(ValueError, match="more or less"):
        jpeg(io.BytesIO(data[:20] + parts + data[20:]))


def test_bytes_between_the_segments_of_a_jpeg_are_refused_and_fill_is_not() -> None:
    data = picture("JPEG")
    assert jpeg(io.BytesIO(data[:20] + b"\xff\xff" + data[20:])).end == len(data) + 2
    with pytest.raises(ValueError, match="between"):
        jpeg(io.BytesIO(data[:20] + b"\0" + data[20:]))


def test_another_application_of_app11_is_no_store() -> None:
    data = picture("JPEG")
    other = app11(b"\0\0\0\x24jumb\0\0\0\x1cjumd" + bytes(20))
    assert jpeg(io.BytesIO(data[:20] + other + data[20:])).spans == ()
