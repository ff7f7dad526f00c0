"""Private temporary folders for what must not stay: nothing in, a folder of mode 0700 out, gone afterwards.

One lies where the system keeps temporary files, for frames that are not sealed yet; another beside an output, hidden,
for the file that is about to become it: a rename needs the same file system, and until then it is nobody else's.
Python removes them on every exception. After a kill they stay, unlocked; the next one to be made in the same place
removes them, and what former versions left beside outputs under hidden names.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sfumato.atomic import output_error, published
from sfumato.errors import OutputError

_PREFIX, _LOCK = "sfumato-unsealed-", "lock"
_GRACE = 60.0  # seconds a folder may exist before its owner has locked it
_FORMER_GRACE = 3600.0  # seconds a file under a former hidden name may be written to; nothing locks those
_FORMER = re.compile(r"\.(?P<stem>.{1,40})-[0-9a-f]{12}")
# the seal's, made of the first 40 characters of the writer's
_FORMER_TWICE = re.compile(r"\.\.(.{1,26}-[0-9a-f]{12}|.{39})-[0-9a-f]{12}")


@contextmanager
def private_folder(beside: Path | None = None) -> Iterator[Path]:
    """Yields a new folder that only this user can enter: hidden in the folder of the output `beside`, else among the
    temporary files. Raises OutputError when it cannot be made.
    """
    remove_abandoned(beside)
    prefix = f"{'.' if beside else ''}{_PREFIX}{os.getpid()}-"
    try:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside.parent if beside else None))
    except OSError as error:
        if beside is not None:
            raise output_error(beside, error) from error
        raise OutputError(
            f"Cannot make a temporary folder: {error.strerror}", "Make room, or set TMPDIR to another folder."
        ) from error
    try:
        with (folder / _LOCK).open("wb") as lock:
            _lock(lock)
            yield folder
    finally:
        _remove(folder)


@contextmanager
def private_path(destination: Path) -> Iterator[Path]:
    """As `sfumato.atomic.atomic_path`, for what nobody else may see before it is whole: yields a path of the same name
    in a private folder beside `destination`; on success it becomes the destination. Raises OutputError.
    """
    with private_folder(destination) as folder:
        temporary = folder / destination.name
        with published(temporary, destination):
            temporary.touch()  # with the permissions any new file would get
            yield temporary


def remove_abandoned(beside: Path | None = None) -> None:
    """Removes this user's folders whose owner no longer runs: those beside the output `beside`, else those among the
    temporary files.
    """
    place, prefix = (beside.parent, f".{_PREFIX}") if beside else (Path(tempfile.gettempdir()), _PREFIX)
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            path = place / entry.name
            if entry.name.startswith(prefix):
                if _is_abandoned(path):
                    _remove(path)
            elif beside is not None and _is_former(path, beside):
                path.unlink(missing_ok=True)


def _is_abandoned(folder: Path) -> bool:
    """The lock says so, which works across machines and containers too. It is taken a moment after the folder is made;
    until then the number of the process counts.
    """
    try:
        if folder.is_symlink() or not folder.is_dir():
            return False
        fresh = time.time() - folder.stat().st_mtime < _GRACE
    except OSError:
        return False  # its owner has just removed it
    try:
        with (folder / _LOCK).open("rb+") as lock:
            return _try_lock(lock) and (not fresh or _owner_is_gone(folder))
    except FileNotFoundError:
        return not fresh  # killed before it could lock, or after all else was removed: nothing is in it
    except OSError:
        return False  # somebody else's


def _owner_is_gone(folder: Path) -> bool:
    named = re.fullmatch(rf"\.?{_PREFIX}(\d+)-.*", folder.name)
    if named is None:
        return False
    try:
        os.kill(int(named[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def _is_former(path: Path, output: Path) -> bool:
    """A bare hidden file that a former version left beside an output: one with the name of this output that is older
    than an hour, or one with a name twice hidden, which nobody else gives, once no process has it open.
    """
    if not path.name.startswith(".") or not path.name.endswith(output.suffix):
        return False
    name = path.name[: len(path.name) - len(output.suffix)]
    single, twice = _FORMER.fullmatch(name), _FORMER_TWICE.fullmatch(name)
    if not twice and (single is None or single["stem"] != output.stem[:40]):
        return False
    with suppress(OSError):
        status = path.lstat()
        old = time.time() - status.st_mtime > _FORMER_GRACE
        ours = stat.S_ISREG(status.st_mode) and _is_mine(status)
        return ours and (old or twice is not None) and not _is_open(path, unknown=not old)
    return False


def _is_mine(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _is_open(path: Path, unknown: bool) -> bool:
    """Whether a process of this user has the file open; `unknown` where the system does not say."""
    if not Path("/proc/self/fd").is_dir():
        return unknown
    real = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) == real:
                        return True
    return False


def _remove(folder: Path) -> None:
    try:
        _empty(folder)
    except BaseException:  # stopped in the middle of it: then all the same, all of it
        _empty(folder)
        raise


def _empty(folder: Path) -> None:
    """Removes the folder, its lock last: killed on the way, it still tells the next run that nobody has it."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _lock(file: IO[bytes]) -> None:
    """Waits for somebody who is just trying whether it is free. The system frees it when its process ends, however it
    ends.
    """
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _try_lock(file: IO[bytes]) -> bool:
    """True if the lock was free."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system: nothing counts as abandoned
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
