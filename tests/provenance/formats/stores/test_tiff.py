"""The store in a TIFF is the value of its tag, apart from everything that other offsets lead to."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, TiffImagePlugin

from provenance.formats.stores.tiff import tiff


def _tiff(
    entries: list[tuple[int, int, int, int]], blobs: dict[int, bytes], *, order: str = "<", wide: bool = False
) -> bytes:
    """A file with one directory at byte 16: entries (tag, type, count, value or offset), and bytes at their places."""
    magic = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if wide else 42)
    head = magic + (struct.pack(f"{order}HHQ", 8, 0, 16) if wide else struct.pack(f"{order}I", 16))
    form, small = (f"{order}HHQQ", f"{order}Q") if wide else (f"{order}HHII", f"{order}H")
    directory = struct.pack(small, len(entries)) + b"".join(struct.pack(form, *entry) for entry in entries)
    directory += bytes(8 if wide else 4)
    out = bytearray(head.ljust(16, b"\0") + directory)
    for place, content in blobs.items():
        out = out.ljust(place, b"\0")
        out[place : place + len(content)] = content
    return bytes(out)


@pytest.mark.parametrize("wide", [False, True], ids=["TIFF", "BigTIFF"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_the_value_of_the_tag_and_its_length_are_found(store: bytes, order: str, wide: bool) -> None:
    data = _tiff(
        [(273, 4, 1, _inline(900, order, wide)), (279, 4, 1, _inline(50, order, wide)), (0xCD41, 7, len(store), 400)],
        {400: store, 900: bytes(50)},
        order=order,
        wide=wide,
    )
    entry = 16 + (8 + 2 * 20 if wide else 2 + 2 * 12)
    assert tiff(io.BytesIO(data)) == [(entry + 4, entry + (12 if wide else 8)), (400, 400 + len(store))]


def _inline(value: int, order: str, wide: bool) -> int:
    """A number of four bytes as it stands at the beginning of a value of four, or of eight."""
    return value << 32 if wide and order == ">" else value


@pytest.mark.parametrize(
    ("offset", "size"), [(390, 50), (400, 10), (480, 50), (300, 2000)], ids=["before", "in it", "its end", "around"]
)
def test_a_strip_that_lies_where_the_store_lies_is_refused(store: bytes, offset: int, size: int) -> None:
    data = _tiff([(273, 4, 1, offset), (279, 4, 1, size), (0xCD41, 7, len(store), 400)], {400: store, 3000: b"1"})
    with pytest.raises(ValueError, match="other parts"):
        tiff(io.BytesIO(data))


def test_a_value_of_another_tag_or_a_directory_in_the_store_is_refused(store: bytes) -> None:
    for entry in ((700, 7, 40, 420), (330, 4, 1, 430)):
        data = _tiff([entry, (0xCD41, 7, len(store), 400)], {400: store})
        with pytest.raises(ValueError):
            tiff(io.BytesIO(data))


def test_more_or_less_than_a_store_and_a_second_one_are_refused(store: bytes) -> None:
    entry = (0xCD41, 7, len(store), 400)
    for entries in ([(0xCD41, 7, len(store) - 1, 400)], [(0xCD41, 7, len(store) + 9, 400)], [entry, entry]):
        with pytest.raises(ValueError, match=r"more or less|several"):
            tiff(io.BytesIO(_tiff(entries, {400: store + b"something else"})))


def test_offsets_that_lead_nowhere_are_refused(store: bytes) -> None:
    held = (0xCD41, 7, len(store), 400)
    for entries in (
        [(273, 4, 1, 99999), (279, 4, 1, 5), held],
        [(273, 4, 1, 600), held],
        [(273, 5, 1, 600), (279, 4, 1, 5), held],
        [(700, 99, 1, 600), held],
        [(324, 4, 90000, 20), (325, 4, 90000, 20), held],
    ):
        with pytest.raises(ValueError):
            tiff(io.BytesIO(_tiff(entries, {400: store, 700: b"1"})))


def test_every_page_is_looked_at(store: bytes) -> None:
    output = io.BytesIO()
    pages = [Image.new("RGB", (9, 9), colour) for colour in ("red", "green", "blue")]
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[0xCD41] = 7
    tags[0xCD41] = store
    pages[2].encoderinfo = {"tiffinfo": tags}  # type: ignore[attr-defined]
    pages[0].save(output, "TIFF", save_all=True, append_images=pages[1:])
    data = output.getvalue()
    ((_, _), (start, end)) = tiff(io.BytesIO(data))
    assert data[start:end] == store


def test_a_circle_of_directories_ends() -> None:
    data = bytearray(_tiff([(330, 4, 1, 16)], {}))
    data[-4:] = (16).to_bytes(4, "little")
    assert tiff(io.BytesIO(bytes(data))) == []
