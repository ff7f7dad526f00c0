"""What several test processes would each make for themselves: `made_once(path, make)`. The first one makes it, the
others wait for it and read it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from sfumato.atomic import write_bytes


def folder_of_all(factory: pytest.TempPathFactory, config: pytest.Config) -> Path:
    """A folder that all processes of this run of the tests see, and no other run does."""
    own = factory.getbasetemp()
    return own.parent if hasattr(config, "workerinput") else own  # a worker of xdist has a folder in that of its run


def made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, asked of it by one process alone, and kept at `path`."""
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        with suppress(ImportError):  # without locks two processes may make the same
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            write_bytes(path, make())
        return path.read_bytes()
