"""Files beside a manifest: in its folder and below, never out of it, whatever the path or a link says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provenance.manifests.own.paths import file_inside
from sfumato.errors import MediaError, MissingFileError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "manifest"
    (place / "deep").mkdir(parents=True)
    (place / "deep" / "a.jpg").write_bytes(b"a")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return place


@pytest.mark.parametrize("text", ["deep/a.jpg", "./deep/a.jpg", "deep//a.jpg", "inside.jpg"])
def test_a_file_in_the_folder_is_found(folder: Path, text: str) -> None:
    (folder / "inside.jpg").symlink_to(Path("deep") / "a.jpg")
    assert file_inside(folder, text, "here") == Path(os.path.realpath(folder)) / "deep" / "a.jpg"


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)
    assert file_inside(tmp_path / "linked", "deep/a.jpg", "here").read_bytes() == b"a"


@pytest.mark.parametrize(
    "text",
    [
        *("../secret.jpg", "deep/../../secret.jpg", "deep/../deep/a.jpg", "/etc/passwd", "", "..", "deep\\a.jpg"),
        *("https://example.org/a.jpg", "file:///etc/passwd", "C:/a.jpg", "deep/a.jpg\0"),
    ],
)
def test_no_path_leads_out_and_no_address_is_opened(folder: Path, text: str) -> None:
    with pytest.raises(UsageError, match="no relative path inside"):
        file_inside(folder, text, "here")


@pytest.mark.parametrize("target", ["../secret.jpg", "/etc/hostname", ".."])
def test_no_link_leads_out(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    with pytest.raises(UsageError, match="a link that leads out"):
        file_inside(folder, "link/secret.jpg" if target == ".." else "link", "here")


@pytest.mark.parametrize("text", ["gone.jpg", "gone/a.jpg", "a" * 5000])
def test_a_missing_file_is_named(folder: Path, text: str) -> None:
    with pytest.raises(MissingFileError, match=text[:8]):
        file_inside(folder, text, "here")


@pytest.mark.parametrize("text", ["deep", "pipe", "ingredient.json"])
def test_a_folder_a_pipe_and_a_definition_are_no_media(folder: Path, text: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "ingredient.json").write_text("{}")
    with pytest.raises(MediaError):
        file_inside(folder, text, "here")
