"""Outputs are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfumato.atomic import atomic_path, make_folder, require_free, write_bytes, write_text
from sfumato.errors import OutputError


def test_writes_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "grüße")
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "grüße"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


def test_the_temporary_file_keeps_the_suffix_and_the_folder(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "film.mp4") as temporary:
        assert temporary.suffix == ".mp4"
        assert temporary.parent == tmp_path
        assert not (tmp_path / "film.mp4").exists()


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    write_bytes(target, b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="kills a child process by signal")
def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    write_bytes(target, b"old")
    code = f"""
        import os, signal
        from pathlib import Path
        from sfumato.atomic import atomic_path
        with atomic_path(Path({str(target)!r})) as temporary:
            temporary.write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"


@pytest.mark.skipif(os.name != "posix", reason="umask")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_bytes(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("at", ["write", "fsync"])
def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "a.bin"
    write_bytes(target, b"old")
    monkeypatch.setattr(*((Path, "write_bytes") if at == "write" else (os, "fsync")), full)
    with pytest.raises(OutputError, match=r"No space left on device.*has room"):
        write_bytes(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that this process may not write to, even as root (who becomes nobody for the time of the test)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    root = os.name == "posix" and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    folder.rmdir()


@pytest.mark.skipif(os.name != "posix", reason="permissions of folders")
def test_a_read_only_folder_is_said(read_only: Path) -> None:
    with pytest.raises(OutputError, match=r"Permission denied.*may write to"):
        write_bytes(read_only / "a.bin", b"new")


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder that exists"):
        write_bytes(tmp_path / "absent" / "a.bin", b"")


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(OutputError, match=r"Cannot write .*taken\.mp4"):
        write_bytes(tmp_path / "taken.mp4", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.mp4"]


def test_a_name_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        write_bytes(tmp_path / ("x" * 300 + ".mp4"), b"")
    assert not list(tmp_path.iterdir())


def test_the_errors_of_other_files_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.bin"):
        (tmp_path / "source that is not there").read_bytes()
    assert not list(tmp_path.iterdir())


def test_a_folder_is_made_with_those_above_it_and_kept_where_it_is_there(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "kept").touch()
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "kept").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Cannot make the folder .*file/below.*Look elsewhere"):
        make_folder(tmp_path / "file" / "below", "Look elsewhere.")


def test_what_is_there_is_kept_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(OutputError, match="--overwrite"):
        require_free(tmp_path / "there", overwrite=False)
    require_free(tmp_path / "there", overwrite=True)
    require_free(tmp_path / "new", overwrite=False)
