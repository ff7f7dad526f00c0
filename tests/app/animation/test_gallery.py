"""The shipped portraits: there, small, free, known by their digest, with one face each."""

import shutil
from pathlib import Path

import pytest

from sfumato.app.animation.gallery import PortraitFile, portrait_path, shipped_portraits
from sfumato.errors import MediaError, MissingFileError
from sfumato.media.faces import FaceDetector
from sfumato.media.images import read_image


@pytest.mark.parametrize("portrait", shipped_portraits().values(), ids=lambda portrait: portrait.name)
def test_portrait_ships(portrait) -> None:
    assert PortraitFile(portrait.path).shipped == portrait  # the digest is right
    assert portrait.path.stat().st_size < 150_000
    image = read_image(portrait.path)
    assert image.shape[0] <= 640
    assert FaceDetector().detect(image)[0].size > 90
    sources = (portrait.path.parent / "SOURCES.md").read_text(encoding="utf-8")
    assert portrait.path.name in sources
    assert portrait.title in sources


def test_mona_lisa_comes_first() -> None:
    assert next(iter(shipped_portraits())) == "mona-lisa"
    assert len(shipped_portraits()) >= 3


def test_name_or_path(tmp_path) -> None:
    shipped = shipped_portraits()["la-velata"].path
    assert portrait_path("la-velata") == shipped
    assert portrait_path(shipped) == shipped
    with pytest.raises(MissingFileError, match="mona-lisa, la-velata, lady-agnew"):
        portrait_path(tmp_path / "nobody.jpg")


def test_known_by_content_not_by_name(tmp_path) -> None:
    copy = shutil.copy(shipped_portraits()["mona-lisa"].path, tmp_path / "renamed.jpg")
    assert PortraitFile(Path(copy)).shipped.name == "mona-lisa"
    (tmp_path / "mona-lisa.jpg").write_bytes(copy.read_bytes() + b"x")
    assert PortraitFile(tmp_path / "mona-lisa.jpg").shipped is None
    with pytest.raises(MediaError):
        _ = PortraitFile(tmp_path / "missing.jpg").digest
