"""Outputs that are whole or absent: a temporary file beside the destination, fsync, os.replace.

A crash leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
import secrets
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
    temporary = destination.parent / f".{destination.stem[:40]}-{secrets.token_hex(6)}{destination.suffix[:40]}"
    try:
        temporary.touch(exist_ok=False)  # with the permissions any new file would get, which tempfile does not give
    except OSError as error:
        raise output_error(destination, error) from error
    try:
        with published(temporary, destination):
            yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def published(temporary: Path, destination: Path) -> Iterator[None]:
    """What is written to `temporary` meanwhile becomes the destination, if nothing is raised. Raises OutputError."""
    try:
        yield
        _publish(temporary, destination)
    except OSError as error:
        if error.filename is not None and str(error.filename) not in (str(temporary), str(destination)):
            raise  # somebody else's file: not ours to explain
        raise output_error(destination, error) from error


def require_free(destination: Path, overwrite: bool) -> None:
    """Raises OutputError where `destination` exists and is not to be overwritten."""
    if destination.exists() and not overwrite:
        raise OutputError(f"{destination} exists already", "Choose another name, or --overwrite.")


def require_writable(destination: Path) -> None:
    """Raises OutputError where no file can be made in the folder of `destination`: before the work, not after it."""
    try:
        with tempfile.TemporaryFile(dir=destination.parent):
            pass
    except OSError as error:
        raise OutputError(
            f"Cannot write {destination}: {error.strerror}", "Choose a folder that exists and that you may write to."
        ) from error


def make_folder(folder: Path, advice: str = "Choose a folder you may write to.") -> None:
    """Makes `folder` and those above it; one that is there stays as it is. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {folder}: {error.strerror}", advice) from error


def write_bytes(destination: Path, data: bytes) -> None:
    """Writes `data` to `destination` atomically. Raises OutputError."""
    with atomic_path(destination) as temporary:
        temporary.write_bytes(data)


def write_text(destination: Path, text: str) -> None:
    """Writes `text` (UTF-8) to `destination` atomically. Raises OutputError."""
    write_bytes(destination, text.encode("utf-8"))


def _publish(temporary: Path, destination: Path) -> None:
    """Makes the finished file `temporary`, on the same file system, the destination in one step. Raises OSError."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(destination)


def output_error(destination: Path, error: OSError) -> OutputError:
    """What to say of a destination that cannot be written."""
    return OutputError(
        f"Cannot write {destination}: {error.strerror or error}",
        "Choose a folder that exists, that you may write to, and that has room.",
    )
