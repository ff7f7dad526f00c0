"""Private folders go, whoever made them, once nobody needs them; what lives is left alone."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfumato.errors import OutputError
from sfumato.media.video.private_folder import private_folder, private_path, remove_abandoned

HEX, OTHER = "0123456789ab", "ba9876543210"


@pytest.fixture
def dead() -> int:
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def folder_of(place: Path, process: int, *, locked: bool = True, age: float = 0) -> Path:
    folder = place / f".sfumato-unsealed-{process}-abc"
    folder.mkdir(mode=0o700)
    (folder / "a.mp4").write_bytes(b"frames")
    if locked:
        (folder / "lock").touch()
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def test_a_folder_beside_an_output_is_hidden_and_private_and_goes(tmp_path: Path) -> None:
    with private_folder(tmp_path / "a.mp4") as folder:
        assert folder.parent == tmp_path and folder.name.startswith(".")
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_goes_at_once(tmp_path: Path, dead: int) -> None:
    folder_of(tmp_path, dead)
    remove_abandoned(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_the_lock_goes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it removes its own folder, it then leaves one that the next run knows to be nobody's."""
    gone: list[str] = []
    unlink = os.unlink

    def told(path: str | Path, *, dir_fd: int | None = None) -> None:
        gone.append(os.path.basename(path))
        unlink(path, dir_fd=dir_fd)

    with monkeypatch.context() as patch, private_folder() as folder:
        for name in ("a", "lock.wav", "z"):
            (folder / name).touch()
        (folder / "within").mkdir()
        (folder / "within" / "frame").touch()
        patch.setattr(os, "unlink", told)
        patch.setattr(os, "remove", told)
    assert sorted(gone[:-1]) == ["a", "frame", "lock.wav", "z"]
    assert gone[-1] == "lock"
    assert not folder.exists()


def test_what_a_living_process_holds_stays_however_old(tmp_path: Path, dead: int) -> None:
    folder = folder_of(tmp_path, dead, age=9999)  # in another container its number says nothing
    with (folder / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_abandoned(tmp_path / "a.mp4")
        assert folder.exists()
    remove_abandoned(tmp_path / "a.mp4")
    assert not folder.exists()


def test_who_has_not_locked_yet_has_a_minute(tmp_path: Path, dead: int) -> None:
    folder = folder_of(tmp_path, dead, locked=False)
    remove_abandoned(tmp_path / "a.mp4")
    assert folder.exists()
    os.utime(folder, (time.time() - 120,) * 2)
    remove_abandoned(tmp_path / "a.mp4")
    assert not folder.exists()


def test_a_number_that_is_used_again_does_not_keep_it_for_ever(tmp_path: Path) -> None:
    fresh, old = folder_of(tmp_path, os.getpid()), folder_of(tmp_path, os.getppid(), age=120)
    remove_abandoned(tmp_path / "a.mp4")
    assert (fresh.exists(), old.exists()) == (True, False)


@pytest.mark.parametrize(
    ("name", "age", "goes"),
    [
        (f"..out-{HEX}-{OTHER}.mp4", 0, True),
        (f"..other-{HEX}-{OTHER}.mp4", 0, True),
        (f"..{'x' * 39}-{OTHER}.mp4", 0, True),
        (f"..{'x' * 30}-{HEX[:8]}-{OTHER}.mp4", 0, True),
        (f".out-{HEX}.mp4", 7200, True),
        (f".out-{HEX}.mp4", 0, False),
        (f".other-{HEX}.mp4", 7200, False),
        (f"..out-{HEX}-{OTHER}.mov", 7200, False),
        ("..notes.mp4", 7200, False),
        (f"out-{HEX}.mp4", 7200, False),
    ],
)
def test_former_names(tmp_path: Path, name: str, age: float, goes: bool) -> None:
    (tmp_path / name).write_bytes(b"frames")
    os.utime(tmp_path / name, (time.time() - age,) * 2)
    remove_abandoned(tmp_path / "out.mp4")
    assert (tmp_path / name).exists() is not goes


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks the system who has a file open")
def test_a_former_name_that_is_still_written_to_stays(tmp_path: Path) -> None:
    path = tmp_path / f"..out-{HEX}-{OTHER}.mp4"
    with path.open("wb"):
        remove_abandoned(tmp_path / "out.mp4")
        assert path.exists()
    remove_abandoned(tmp_path / "out.mp4")
    assert not path.exists()


def test_a_link_is_not_followed(tmp_path: Path, dead: int) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "lock").touch()
    (tmp_path / f".sfumato-unsealed-{dead}-x").symlink_to(tmp_path / "precious")
    (tmp_path / f"..out-{HEX}-{OTHER}.mp4").symlink_to(tmp_path / "precious" / "lock")
    remove_abandoned(tmp_path / "out.mp4")
    assert (tmp_path / "precious" / "lock").exists()


def test_a_folder_that_its_owner_removes_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going = tmp_path / f".sfumato-unsealed-{os.getpid()}-x"
    going.mkdir()

    def seen_and_gone(folder: Path) -> bool:
        folder.rmdir()
        return True

    monkeypatch.setattr(Path, "is_dir", seen_and_gone)
    remove_abandoned(beside=tmp_path / "out.mp4")
    monkeypatch.undo()
    assert not going.exists()


def test_a_path_becomes_the_output_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with private_path(tmp_path / "a.mp4") as temporary:
        temporary.write_bytes(b"new")
        assert not (tmp_path / "a.mp4").exists()
    with pytest.raises(ZeroDivisionError), private_path(tmp_path / "a.mp4") as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert (tmp_path / "a.mp4").read_bytes() == b"new"
    assert (tmp_path / "a.mp4").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "plain"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"Cannot write .*a\.mp4"), private_path(tmp_path / "absent" / "a.mp4"):
        pass
