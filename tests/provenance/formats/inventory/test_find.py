"""Whatever is taken out of a file, or moved in it, is named; where nothing was, nothing is."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from provenance.formats.inventory.find import inventory, lost
from provenance.formats.inventory.multi_picture import changes_for, picture_list
from provenance.formats.inventory.part import SAMPLE, sampled
from tests.provenance.excluding import MEDIA_TYPES, made

KINDS = [kind for kind in MEDIA_TYPES if kind != "pdf"]


def _lost(before: bytes, after: bytes) -> list[str]:
    return lost(inventory(io.BytesIO(before)), inventory(io.BytesIO(after)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_in_the_middle_of_the_media_is_missed(kind: str) -> None:
    data = bytearray(made(kind, 1))
    assert _lost(bytes(data), bytes(data)) == []
    place = data.index(b'width="3"', len(data) // 2) + 7 if kind == "svg" else len(data) // 2
    data[place] = ord("4") if kind == "svg" else data[place] ^ 0x10
    assert _lost(made(kind, 1), bytes(data)) != []


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_a_value_error_or_a_list(kind: str) -> None:
    chance, data = random.Random(1), made(kind, 1)
    for _ in range(60):
        broken = bytearray(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data)
        for _ in range(min(3, len(broken))):
            broken[chance.randrange(min(len(broken), 600))] = chance.randrange(256)
        try:
            inventory(io.BytesIO(bytes(broken)))
        except ValueError:
            pass


def test_metadata_are_named() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, full = io.BytesIO(), io.BytesIO()
    picture = Image.new("RGB", (16, 16), "red")
    picture.save(plain, "JPEG")
    picture.save(full, "JPEG", exif=exif, icc_profile=b"a profile")
    assert _lost(full.getvalue(), plain.getvalue()) == ["Exif", "the colour profile"]


@pytest.mark.parametrize("data", [b"", b"text", b"\x1a\x45\xdf\xa3"])
def test_what_is_not_known_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no container that is known"):
        inventory(io.BytesIO(data))


def test_long_media_are_told_apart_by_length_and_samples() -> None:
    data = bytes(100 * SAMPLE)
    first = sampled("media", io.BytesIO(data), 0, len(data))
    assert sampled("media", io.BytesIO(data), 0, len(data)) == first
    assert sampled("media", io.BytesIO(data), 0, len(data) - 1) != first
    assert sampled("media", io.BytesIO(data[:-1] + b"x"), 0, len(data)) != first


def test_a_list_that_is_right_is_left_alone() -> None:
    content = io.BytesIO()
    pictures = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    pictures[0].save(content, "MPO", save_all=True, append_images=pictures[1:])
    found, size = picture_list(content), len(content.getvalue())
    assert found is not None
    assert changes_for(found, size, found, size) == {}
    with pytest.raises(ValueError, match="where its list cannot say"):
        changes_for(found, size, found, size + 2**32)
