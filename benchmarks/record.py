"""Results that can be repeated: rows of a measurement in, JSON lines with how they came about out.

A line of `benchmarks/results/<name>.jsonl` says with which command, version, machine and protocol it was measured, and
what its intervals mean. Numbers without those are not written down.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.rows.row import About, Row
from sfumato.atomic import write_text
from sfumato.errors import OutputError
from sfumato.version import __version__


def machine() -> str:
    """System, processor and cores, in words. No host or user name."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def describe(command: str, protocol: str, interval: str) -> About:
    """How the lines of a measurement that ends now came about."""
    date = time.strftime("%Y-%m-%d", time.gmtime())
    return About(
        command=command, version=__version__, date=date, machine=machine(), protocol=protocol, interval=interval
    )


def append_results(path: Path, rows: Iterable[Row], about: About, judged_by: Row | None = None) -> int:
    """Adds `rows`, each with `about` and what else all of them share, to the JSON lines at `path`, atomically; returns
    how many. Raises OutputError.
    """
    shared = judged_by.line() if judged_by is not None else {}
    lines = [json.dumps({**about.line(), **row.line(), **shared}) for row in rows]
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"Cannot add to {path}: it is not readable text", "Choose another file.") from error
    if before and not before.endswith("\n"):
        before += "\n"
    write_text(path, before + "".join(f"{line}\n" for line in lines))
    return len(lines)
