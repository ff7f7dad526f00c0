"""A folder with signed sums: covered as a whole, invalid as soon as a listed file is not what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance.commands.verify import verify as verify_command
from provenance.manifests.declaration import Declaration
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_beside
from provenance.verifying.signed_sums import SIDECAR, SUMS, has_signed_sums, verify_sums
from provenance.verifying.verify import verify


def signed(folder: Path, text: bytes | None = None) -> Path:
    """A folder with two files and their signed sums, or with `text` for sums."""
    (folder / "inner").mkdir()
    files = {"notes.txt": b"one", "inner/a b.bin": b"two"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    (folder / SUMS).write_bytes(lines.encode() if text is None else text)
    sign_beside(folder / SUMS, folder / SIDECAR, Declaration("generated"), development_signer())
    return folder


def test_files_as_they_were_are_held(tmp_path: Path) -> None:
    found = verify_sums(signed(tmp_path), verify)
    assert found.found.outcome == "untrusted"
    assert found.held == {tmp_path / "notes.txt", tmp_path / "inner" / "a b.bin"}
    assert "2 files are as their sums say" in found.found.reason
    assert has_signed_sums(tmp_path)
    assert not has_signed_sums(tmp_path / "inner")


def change(folder: Path) -> None:
    (folder / "notes.txt").write_bytes(b"One")


def remove(folder: Path) -> None:
    (folder / "notes.txt").unlink()


def replace_by_folder(folder: Path) -> None:
    (folder / "notes.txt").unlink()
    (folder / "notes.txt").mkdir()


@pytest.mark.parametrize(
    ("touch", "said"),
    [
        (change, "1 changed (notes.txt)"),
        (remove, "1 missing (notes.txt)"),
        (replace_by_folder, "1 changed (notes.txt)"),
    ],
)
def test_a_listed_file_that_is_not_what_it_was_is_named(
    tmp_path: Path, touch: Callable[[Path], None], said: str
) -> None:
    touch(signed(tmp_path))
    found = verify_sums(tmp_path, verify)
    assert found.found.outcome == "invalid"
    assert said in found.found.reason
    assert found.held == {tmp_path / "inner" / "a b.bin"}


def test_changed_sums_hold_nothing(tmp_path: Path) -> None:
    signed(tmp_path)
    (tmp_path / SUMS).write_bytes((tmp_path / SUMS).read_bytes().replace(b"notes", b"other"))
    found = verify_sums(tmp_path, verify)
    assert (found.found.outcome, found.held) == ("invalid", frozenset())


DIGEST = b"0" * 64


@pytest.mark.parametrize(
    "text",
    [
        b"no sums at all\n",
        DIGEST + b"  ../secret\n",
        DIGEST + b"  /etc/passwd\n",
        DIGEST + b"  a\n" + DIGEST + b"  a\n",
        DIGEST + b"  \xff\n",
        DIGEST + b"  " + b"a" * 70_000 + b"\n",
        b"\0\0\n",
    ],
)
def test_sums_of_another_form_hold_nothing(tmp_path: Path, text: bytes) -> None:
    found = verify_sums(signed(tmp_path, text), verify)
    assert (found.found.outcome, found.held) == ("invalid", frozenset())
    assert "the sums cannot be read" in found.found.reason


def test_the_command_wants_no_credential_of_what_the_sums_cover(tmp_path: Path) -> None:
    signed(tmp_path)
    run = CliRunner().invoke(verify_command, [str(tmp_path)])
    assert (run.exit_code, "notes.txt" in run.output) == (1, False)
    (tmp_path / "added.txt").write_bytes(b"three")
    run = CliRunner().invoke(verify_command, [str(tmp_path)])
    assert run.exit_code in (3, 4)
    assert "added.txt" in run.output
    change(tmp_path)
    run = CliRunner().invoke(verify_command, [str(tmp_path)])
    assert "SHA256SUMS: invalid: of the files listed: 1 changed (notes.txt)" in run.output
