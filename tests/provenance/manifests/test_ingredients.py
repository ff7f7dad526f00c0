"""Ingredients: their type is read from their bytes, and a missing one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from provenance.manifests.ingredients import portrait_ingredients
from sfumato.errors import SealError


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff"), ("BMP", "application/octet-stream")],
)
def test_the_type_of_a_portrait_is_read_from_its_bytes(tmp_path: Path, kind: str, media_type: str) -> None:
    path = tmp_path / "named.jpg"
    Image.new("RGB", (8, 8)).save(path, format=kind)
    assert portrait_ingredients([path])[0].media_type == media_type


def test_a_missing_portrait_is_named(tmp_path: Path) -> None:
    with pytest.raises(SealError, match=r"gone\.jpg"):
        portrait_ingredients([tmp_path / "gone.jpg"])
