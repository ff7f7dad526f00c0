"""Tasks for a pool, each of which does to its process what it says. Loads nothing: each worker would load it again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from sfumato.errors import MissingFileError, OutputError


def do(task: str) -> str:
    """What `task` says: quick, and each in its own way."""
    kind, _, rest = task.partition(" ")
    if kind == "abort":
        os.abort()
    if kind == "leave":
        os._exit(7)
    if kind == "sleep":
        time.sleep(60)
    if kind == "swallow":
        held = [bytearray(2**24) for _ in range(64)]  # a gigabyte
        time.sleep(60)
        return str(len(held))
    if kind == "raise":
        raise ValueError(rest)
    if kind == "refuse":
        raise OutputError("The disk is full", "Make room.")
    if kind == "threads":
        return os.environ["OMP_NUM_THREADS"]
    return rest


def begin() -> Callable[[str], str]:
    return do


def begin_badly(message: str) -> Callable[[str], str]:
    raise MissingFileError(message)
