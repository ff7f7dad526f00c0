"""Previews behind the end of a JPEG: a place that a camera's notes give is missed where it leads elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from provenance.formats.inventory.find import inventory, lost
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from sfumato.errors import SealError
from tests.hostile_files import segment, tiff

HEADER = 12  # of Exif, where it is the first segment
NOTE = segment(0xFE, b"a note of somebody")


def notes(place: int) -> bytes:
    """Exif with a MakerNote that gives a place."""
    return segment(0xE1, b"Exif\0\0" + tiff([(37500, 7, 8, 26)], data=b"NOTE" + place.to_bytes(4, "little")))


def picture(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 16), colour).save(content, "JPEG")
    return content.getvalue()


def photograph(origin: int) -> bytes:
    """A picture whose notes say where its preview is, from `origin` on."""
    first, preview = picture("red"), picture("blue")
    place = len(first) + len(notes(0)) - origin
    return first[:2] + notes(place) + first[2:] + preview


def missed(before: bytes, after: bytes) -> list[str]:
    return lost(inventory(io.BytesIO(before)), inventory(io.BytesIO(after)))


@pytest.mark.parametrize("origin", [0, HEADER])
def test_a_preview_that_the_notes_no_longer_lead_to_is_missed(origin: int) -> None:
    data, behind = photograph(origin), 2 + len(notes(0))
    assert missed(data, data) == []
    assert missed(data, data[:behind] + NOTE + data[behind:]) == ["the place of a preview in Exif"]


def test_a_place_counted_from_exif_moves_with_it() -> None:
    data = photograph(HEADER)
    assert missed(data, data[:2] + NOTE + data[2:]) == []
    data = photograph(0)
    assert missed(data, data[:2] + NOTE + data[2:]) == ["the place of a preview in Exif"]


def test_pictures_that_no_notes_lead_to_are_only_kept() -> None:
    data = picture("red") + picture("blue")
    assert missed(data, data[:2] + NOTE + data[2:]) == []


@pytest.mark.parametrize("origin", [0, HEADER])
def test_signing_that_would_lose_a_preview_is_refused(origin: int, keys: DevelopmentKeys, tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(photograph(origin))
    with pytest.raises(SealError, match="would lose or change the place of a preview in Exif"):
        sign_file(tmp_path / "in.jpg", tmp_path / "out.jpg", Declaration(kind="edited"),
                  development_signer(keys.folder.parent))  # fmt: skip
    assert not (tmp_path / "out.jpg").exists()
