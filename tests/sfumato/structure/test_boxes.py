"""ISO boxes: too many, too deep, or tables that claim more than they hold."""

from __future__ import annotations

import io
import struct

import pytest

from sfumato.errors import MediaError
from sfumato.structure.boxes import hold_boxes
from tests.hostile_files import FTYP, box, film, fragment, nested


def hold(data: bytes) -> None:
    hold_boxes(io.BytesIO(data), "a.mp4")


@pytest.mark.parametrize(
    "data",
    [
        film(),
        film(samples=64),
        film(samples=64, size=1),
        FTYP + box(b"moov", box(b"smhd"), box(b"stbl", box(b"stsz", struct.pack(">III", 0, 1, 500)))),
        FTYP + box(b"moov", box(b"sbgp", bytes(4) + b"roll" + bytes(4))),
        FTYP + box(b"free") * 9_000,
        film() + nested(b"moov", 20),
        FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**62),  # merely cut off
        FTYP + box(b"moov", size=0),
        b"",
    ],
    ids=["film", "samples", "one size", "sound", "groups", "many", "deep", "cut off", "to the end", "empty"],
)
def test_within_the_limits_nothing_is_said(data: bytes) -> None:
    hold(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (FTYP + box(b"free") * 10_001, "10001 boxes side by side"),
        (FTYP + box(b"moov", box(b"udta", box(b"free") * 10_001)), "boxes side by side"),
        (FTYP + box(b"moov", box(b"free") * 9_000) * 12, "[0-9]+ boxes; the limit is 100000"),
        (film() + nested(b"moov", 40), "33 boxes in boxes"),
        (film(tracks=101), "101 tracks"),
        (film() + fragment(10**9), "trun.* of 1000000000 entries"),
        (film(edits=10_001), "10001 edits"),
        (film(samples=2**32 - 1), "stsz.* of 4294967295 entries"),
        (film(samples=10**6, size=9), "stsz.* of 1000000 entries"),
        (film(runs=2**32 - 1), "stts.* of 4294967295 entries"),
        (film(chunks=2**31), "stco"),
    ],
    ids=[
        "side by side",
        "inside",
        "in all",
        "deep",
        "tracks",
        "fragment",
        "edits",
        "sizes",
        "one size",
        "times",
        "chunks",
    ],
)
def test_past_a_limit_it_is_named(data: bytes, said: str) -> None:
    with pytest.raises(MediaError, match=said):
        hold(data)


def test_a_manifest_store_in_its_box_is_walked_too() -> None:
    from provenance.formats.manifest_box import C2PA_UUID

    store = box(b"uuid", C2PA_UUID, bytes(4), b"manifest\0", bytes(8), nested(b"jumb", 40))
    with pytest.raises(MediaError, match="boxes in boxes"):
        hold(FTYP + store)
