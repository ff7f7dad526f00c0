"""Outputs that are whole or absent: a temporary file beside the destination, fsync, os.replace.

A crash leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sfumato.errors import OutputError


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Yields a temporary path in the destination's folder, same suffix; on success it becomes the destination.

    Raises OutputError if the folder does not exist, is read-only, or the disk is full. On any error the
    temporary file is removed and an existing destination stays as it was.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{destination.stem[:40]}-", suffix=destination.suffix, dir=destination.parent)
    except OSError as error:
        raise _output_error(destination, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _publish(temporary, destination)
    except OSError as error:
        if error.filename not in (None, name) and not error.filename == str(destination):
            raise  # somebody else's file: not ours to explain
        raise _output_error(destination, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(destination: Path, data: bytes) -> None:
    """Writes `data` to `destination` atomically. Raises OutputError."""
    with atomic_path(destination) as temporary:
        temporary.write_bytes(data)


def write_text(destination: Path, text: str) -> None:
    """Writes `text` (UTF-8) to `destination` atomically. Raises OutputError."""
    write_bytes(destination, text.encode("utf-8"))


def _publish(temporary: Path, destination: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)  # mkstemp makes 0600; an output gets the permissions any new file would
    os.replace(temporary, destination)


def _output_error(destination: Path, error: OSError) -> OutputError:
    return OutputError(
        f"Cannot write {destination}: {error.strerror or error}",
        "Choose a folder that exists, that you may write to, and that has room.",
    )
