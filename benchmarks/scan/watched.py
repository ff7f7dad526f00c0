"""`sfumato scan FOLDER -o RUN` as a user runs it, looked at from outside: how far it is, and what it has taken.

In: a folder of videos. Out: a `Moment` each time records were added: CPU seconds of all its processes, memory of the
one that hands out and of the largest that judges. What starting takes lies before the first moment, so that the
difference of two is that of the videos between them. Needs Linux's /proc.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sfumato.errors import SfumatoError, UsageError

_GLANCE = 0.02  # seconds between two looks
_SCANNED = (0, 3)  # exit codes: all of them; at least one unreadable
_PROC = Path("/proc")


@dataclass(frozen=True)
class Moment:
    """files: records so far; wall, cpu: seconds since the start; memory: MB at most so far, of the process that hands
    out the files and of the largest other.
    """

    files: int
    wall: float
    cpu: float
    driver_mb: float
    worker_mb: float


def watch_scan(
    folder: Path, run: Path, options: Sequence[str] = (), advance: Callable[[float], None] = lambda amount: None
) -> list[Moment]:
    """Scans `folder` into `run`, with more `options`. `advance` gets 1 a file.

    Raises UsageError where the system has no /proc, SfumatoError where the scan fails or leaves no record.
    """
    if not (_PROC / "self" / "stat").is_file():
        raise UsageError("What a scan takes is read from /proc, which this system has not", "Measure on Linux.")
    words = [sys.executable, "-m", "sfumato", "scan", "--json", "-o", str(run), *options, str(folder)]
    moments: list[Moment] = []
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        records = _Lines(run / "records.jsonl")
        try:
            running = True
            while running:
                running = process.poll() is None
                if (count := records.count()) > (moments[-1].files if moments else 0) and running:
                    advance(count - (moments[-1].files if moments else 0))
                    moments.append(_moment(process.pid, count, time.monotonic() - started))
                time.sleep(_GLANCE)
        finally:
            process.kill()
            process.wait()
            records.close()
        if process.returncode not in _SCANNED or not moments:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()
            raise SfumatoError(f"sfumato scan ended with {process.returncode}: {said[-1] if said else 'no word'}")
    return moments


class _Lines:
    """How many lines a growing file has."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0
        self._file: BinaryIO | None = None

    def count(self) -> int:
        if self._file is None:
            with suppress(FileNotFoundError):
                self._file = self._path.open("rb")
        if self._file is not None:
            self._count += self._file.read().count(b"\n")
        return self._count

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _moment(session: int, files: int, wall: float) -> Moment:
    taken = processes_of(session)
    others = [memory for process, (_, memory) in taken.items() if process != session]
    cpu = sum(seconds for seconds, _ in taken.values())
    return Moment(files, wall, cpu, taken.get(session, (0.0, 0.0))[1], max(others, default=0.0))


def processes_of(session: int) -> Mapping[int, tuple[float, float]]:
    """{process: CPU seconds so far, those of its children that have ended included; MB held at most} of all that
    belong to a session.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) != session:
                continue
            held = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text(encoding="utf-8", errors="replace"))
            seconds = sum(map(int, fields[11:15])) / ticks
            found[int(folder.name)] = (seconds, int(held[1]) / 1024 if held else 0.0)
    return found
