"""`sfumato sign --sidecar`: the manifest of any file beside it, the file as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_beside
from provenance.verifying.verify import verify
from sfumato.app.cli.main import main
from sfumato.errors import MissingFileError, SealError

pytestmark = pytest.mark.usefixtures("own_keys")
SIGN = ["sign", "--sidecar", "--kind", "edited"]


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4", "notes.txt", "nothing"])
def test_any_file_gets_one_and_is_left_as_it_is(name: str, unsealed: Path, root: bytes, tmp_path: Path) -> None:
    content = {"film.mkv": b"\x1a\x45\xdf\xa3" + bytes(99), "film.mp4": unsealed.read_bytes()}.get(name, b"words")
    (tmp_path / name).write_bytes(content)
    assert main([*SIGN, str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes() == content
    sidecar = (tmp_path / name).with_suffix(".c2pa")
    assert verify(tmp_path / name, [root], sidecar=sidecar).outcome == "trusted"
    assert [part.essential for part in verify(tmp_path / name, [root], sidecar=sidecar).uncovered] == [False]
    (tmp_path / name).write_bytes(content[:-1] + b"!")
    assert verify(tmp_path / name, [root], sidecar=sidecar).outcome == "invalid"


def test_it_is_found_without_being_named(tmp_path: Path, root: bytes) -> None:
    (tmp_path / "film.mkv").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(99))
    assert main([*SIGN, str(tmp_path / "film.mkv")]) == 0
    found = verify(tmp_path / "film.mkv", [root])
    assert (found.outcome, found.manifest_from, found.title) == ("trusted", "sidecar film.c2pa", "film.mkv")


def test_a_second_run_skips_it_and_two_files_do_not_share_one(
    unsealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(unsealed, tmp_path / "film.mp4")
    assert main([*SIGN, str(tmp_path), "-o", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["film.c2pa"]
    assert main([*SIGN, str(tmp_path), "-o", str(tmp_path / "out")]) == 0
    assert "skipped" in capsys.readouterr().out
    (tmp_path / "film.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    assert main([*SIGN, str(tmp_path)]) == 2
    assert "would both become" in capsys.readouterr().err


def test_a_file_with_a_credential_needs_none(sealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(sealed, tmp_path / "film.mp4")
    assert main([*SIGN, str(tmp_path / "film.mp4")]) == 2
    assert "readers would look at first" in capsys.readouterr().err
    assert main([*SIGN, "--in-place", str(tmp_path / "film.mp4")]) == 2


def test_a_file_that_cannot_be_signed_beside_is_named(keys: DevelopmentKeys, tmp_path: Path) -> None:
    signer = development_signer(keys.folder.parent)
    (tmp_path / "folder").mkdir()
    with pytest.raises(MissingFileError, match=r"no file .*gone\.txt"):
        sign_beside(tmp_path / "gone.txt", tmp_path / "out.c2pa", Declaration("edited"), signer)
    with pytest.raises(SealError, match=r"Cannot read .*folder: Is a directory"):
        sign_beside(tmp_path / "folder", tmp_path / "out.c2pa", Declaration("edited"), signer)
    with pytest.raises(SealError, match="both source and destination"):
        sign_beside(tmp_path / "folder", tmp_path / "folder", Declaration("edited"), signer)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
