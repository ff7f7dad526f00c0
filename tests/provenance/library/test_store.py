"""Where a manifest is found: in the file, in a sidecar that was named or lies beside it; never in a sidecar alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance.commands.verify import verify as command
from provenance.verifying.verify import verify
from sfumato.errors import UsageError


@pytest.fixture
def apart(sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path) -> tuple[Path, Path]:
    """A video and its manifest, in two files that do not have the same name."""
    film = sign_anything(
        tmp_path / "film.mp4", {"title": "apart", "assertions": [created]}, remote_url="http://example.com/film.c2pa"
    )
    return film, tmp_path / "film.mp4.manifest"


def test_a_named_sidecar_is_the_credential(apart: tuple[Path, Path], root: bytes) -> None:
    film, manifest = apart
    assert verify(film, [root]).outcome == "none"
    found = verify(film, [root], sidecar=manifest)
    assert (found.outcome, found.title, found.manifest_from) == ("trusted", "apart", f"sidecar {manifest.name}")
    assert "the credential's own file" in {part.place for part in found.uncovered}


def test_a_sidecar_beside_the_file_is_found(apart: tuple[Path, Path], root: bytes) -> None:
    film, manifest = apart
    shutil.copy(manifest, film.with_suffix(".c2pa"))
    assert (verify(film, [root]).outcome, verify(film).manifest_from) == ("trusted", "sidecar film.c2pa")


def test_a_credential_in_the_file_is_not_covered_up_by_one_beside_it(
    apart: tuple[Path, Path], sealed: Path, tmp_path: Path
) -> None:
    shutil.copy(sealed, tmp_path / "sealed.mp4")
    shutil.copy(apart[1], tmp_path / "sealed.c2pa")
    assert verify(tmp_path / "sealed.mp4").manifest_from == "the file"


def test_a_sidecar_of_other_media_is_invalid(
    apart: tuple[Path, Path], root: bytes, tmp_path: Path, flip_media_byte: Callable[[Path, Path], Path]
) -> None:
    film, manifest = apart
    found = verify(flip_media_byte(film, tmp_path / "flipped.mp4"), [root], sidecar=manifest)
    assert (found.outcome, found.reason) == ("invalid", "the media changed after signing")


def test_a_damaged_sidecar_is_invalid(apart: tuple[Path, Path], root: bytes, tmp_path: Path) -> None:
    film, manifest = apart
    data = manifest.read_bytes()
    for damaged in (data[:100], data.replace(b"apart", b"depot"), b"nothing of the kind"):
        (tmp_path / "damaged.c2pa").write_bytes(damaged)
        assert verify(film, [root], sidecar=tmp_path / "damaged.c2pa").outcome == "invalid"


def test_a_sidecar_alone_says_nothing(apart: tuple[Path, Path], root: bytes) -> None:
    alone = apart[0].with_suffix(".c2pa")
    shutil.copy(apart[1], alone)
    found = verify(alone, [root])
    assert (found.outcome, "name the media file" in found.reason) == ("none", True)


def test_a_named_sidecar_that_is_not_there_is_wrong_usage(apart: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.c2pa"):
        verify(apart[0], sidecar=tmp_path / "gone.c2pa")


def test_one_sidecar_for_several_files_is_wrong_usage(apart: tuple[Path, Path], sealed: Path) -> None:
    film, manifest = apart
    result = CliRunner().invoke(command, [str(film), str(sealed), "--sidecar", str(manifest)])
    assert isinstance(result.exception, UsageError)
    assert CliRunner().invoke(command, [str(film), "--sidecar", str(manifest)]).exit_code == 1
