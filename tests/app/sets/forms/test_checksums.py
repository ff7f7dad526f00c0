"""SHA256SUMS: sha256sum itself agrees, whatever files are called; hidden files and itself stay out."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from sfumato.app.sets.forms.checksums import FILE, write_sums
from sfumato.progress import progress

NAMES = ("a.txt", "deep/er/b c.txt", "li\nne.txt", "back\\slash.txt", "deep/SHA256SUMS")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(str(number))
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/c.txt").write_text("c")
    (tmp_path / ".d.txt").write_text("d")
    return tmp_path


def test_every_file_once(folder: Path) -> None:
    write_sums(folder, progress)
    write_sums(folder, progress)
    lines = (folder / FILE).read_text().splitlines()
    assert len(lines) == len(NAMES)
    assert f"{hashlib.sha256(b'0').hexdigest()}  a.txt" in lines
    assert f"\\{hashlib.sha256(b'3').hexdigest()}  back\\\\slash.txt" in lines


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs coreutils")
def test_sha256sum_agrees(folder: Path) -> None:
    write_sums(folder, progress)
    checked = subprocess.run(["sha256sum", "--strict", "-c", FILE], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0 and checked.stdout.count("OK") == len(NAMES), checked.stderr
