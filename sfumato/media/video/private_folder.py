"""A private temporary folder for what must not stay: nothing in, a folder of mode 0700 out, gone afterwards.

Python removes it on every exception. After a kill it stays, unlocked; the next one to be made removes it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sfumato.errors import OutputError

_PREFIX = "sfumato-unsealed-"
_GRACE = 60.0  # seconds a folder may exist before its owner has locked it


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yields a new folder that only this user can enter. Raises OutputError when temporary files cannot be made."""
    remove_abandoned()
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    except OSError as error:
        raise OutputError(
            f"Cannot make a temporary folder: {error.strerror}", "Make room, or set TMPDIR to another folder."
        ) from error
    try:
        with (folder / "lock").open("wb") as lock:
            _try_lock(lock)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Removes this user's folders whose owner no longer runs."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            if _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or not folder.is_dir() or time.time() - folder.stat().st_mtime < _GRACE:
            return False
        with (folder / "lock").open("rb+") as lock:
            return _try_lock(lock)
    except FileNotFoundError:
        return True  # killed before it could lock
    except OSError:
        return False  # somebody else's


def _try_lock(file: IO[bytes]) -> bool:
    """True if the lock was free; the system frees it when its process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system: nothing counts as abandoned
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
