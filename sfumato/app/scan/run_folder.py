"""The folder of a scan that can be gone on with: options.json, journal.sqlite3, records.jsonl, log.jsonl.

In: what was asked. Out: what is known of a file already, by its place and content, and a place for what is found. The
journal is the truth: an entry is kept before its line is written, and records.jsonl is made of it anew where a run was
broken off. Only one process at a time has a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

from sfumato.atomic import atomic_path, output_error
from sfumato.errors import OutputError, UsageError
from sfumato.execution.journal import Journal, Record
from sfumato.limits import SETTINGS
from sfumato.regular_file import read_regular
from sfumato.run import RunFolder
from sfumato.text import json_line

OPTIONS, JOURNAL, RECORDS, LOG = "options.json", "journal.sqlite3", "records.jsonl", "log.jsonl"
COMMAND = "scan"
_LOCK = ".lock"
_FILE, _CONTENT = "file ", "content "  # what an entry of the journal is about


class ScanFolder:
    """`with ScanFolder(path, asked) as folder`. asked: plain values, by the names that a person knows them by, all that
    a record follows from. fresh: what was found before is removed first.

    Raises UsageError where a run with other values is there, or another process has the folder; OutputError where it
    cannot be written, or holds something else.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any], fresh: bool = False) -> None:
        before = _asked_before(path)
        if before is not None and not fresh:
            _require_alike(path, before, asked)
        run = RunFolder(path, resume=True)
        self.path = path
        self._lock = _locked(path)
        try:
            if fresh:
                _clear(path)
            if before is None or fresh:
                run.write_options({"command": COMMAND, "asked": dict(asked)})
            self._run = run
            self._journal = Journal(path / JOURNAL, str(asked.get("model", "")), dict(asked))
            self._stale = False
            self._rewrite()
            self._lines: IO[str] = _appended(path / RECORDS)
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._lines.close()
            if self._stale:
                self._rewrite()
        finally:
            self._journal.close()
            self._lock.close()

    def find(self, path: Path | str, content: str) -> Record | None:
        """The record of a file, or of an address without its secrets, as long as it has this content."""
        entry = self._journal.find(_FILE + _place(path))
        return entry["record"] if entry is not None and entry["content"] == content else None

    def judged(self, content: str) -> Record | None:
        """The record of the file that was judged with this content, whatever its name; None where there is none."""
        pointer = self._journal.find(_CONTENT + content)
        entry = self._journal.find(_FILE + pointer["place"]) if pointer is not None else None
        return entry["record"] if entry is not None and entry["content"] == content else None

    def keep(self, path: Path | str, content: str, record: Record, copy: bool = False) -> None:
        """Keeps what was found; `content` "" for what cannot be read, which is looked at again next time. Raises
        OutputError.
        """
        place = _place(path)
        self._stale |= self._journal.find(_FILE + place) is not None
        self._journal.add(_FILE + place, {"content": content, "record": record})
        if content and not copy:
            self._journal.add(_CONTENT + content, {"place": place})
        try:
            self._lines.write(json_line(record) + "\n")
            self._lines.flush()
        except OSError as error:
            raise output_error(self.path / RECORDS, error) from error

    def note(self, event: str, **facts: Any) -> None:
        """A line of the log. Raises OutputError."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._run.append(LOG, {"time": now, "event": event, **facts})

    def records(self) -> Iterator[Record]:
        """All records of the run, by their paths."""
        return (entry["record"] for key, entry in self._journal.entries() if key.startswith(_FILE))

    def _rewrite(self) -> None:
        """Makes records.jsonl of the journal: one line a file, whole."""
        with atomic_path(self.path / RECORDS) as temporary, temporary.open("w", encoding="ascii") as file:
            file.writelines(json_line(record) + "\n" for record in self.records())
        self._stale = False


def _place(path: Path | str) -> str:
    """Names a file wherever the program is called; names that are no UTF-8 stay apart. An address names itself: no path
    that is whole begins as it does.
    """
    if isinstance(path, str):
        return path
    whole = os.path.abspath(path)  # noqa: PTH100 (Path.resolve would follow links: each is a file of its own)
    name = whole.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return name if name == whole else f"{name} {hashlib.sha256(os.fsencode(whole)).hexdigest()}"


def _asked_before(path: Path) -> dict[str, Any] | None:
    """What the run that is there was asked; None for none. Raises OutputError for a folder of another command."""
    try:
        record = json.loads(read_regular(path / OPTIONS, SETTINGS))
        asked = record["asked"] if record["command"] == COMMAND else None
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise OutputError(f"{path} is no folder", "Choose another name with -o.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _foreign(path) from error
    if not isinstance(asked, dict):
        raise _foreign(path)
    return asked


def _foreign(path: Path) -> OutputError:
    return OutputError(f"{path / OPTIONS} is of no scan", "Choose a new folder with -o.")


def _require_alike(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if names:
        told = "; ".join(f"{name} was {_shown(before.get(name))}, is {_shown(now.get(name))}" for name in names)
        advice = "Ask as before, choose another folder, or add --fresh: what is there is then removed and judged again."
        raise UsageError(f"{path} holds a scan that was asked for otherwise: {told}", advice)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _clear(path: Path) -> None:
    """Removes what an earlier scan found; options.json goes last, so that the folder stays known as ours."""
    Journal(path / JOURNAL, "").close()  # refuses what is not ours
    try:
        for name in (RECORDS, LOG, f"{JOURNAL}-wal", f"{JOURNAL}-shm", JOURNAL, OPTIONS):
            (path / name).unlink(missing_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def _locked(path: Path) -> IO[bytes]:
    """Held until it is closed, or this process ends in any way. Raises UsageError where another process has it."""
    try:
        file = (path / _LOCK).open("ab")
    except OSError as error:
        raise output_error(path / _LOCK, error) from error
    with suppress(ImportError):  # no such locks on this system
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise UsageError(f"Another scan is writing {path}", "Wait for it, or choose another folder.") from error
    return file


def _appended(path: Path) -> IO[str]:
    try:
        return path.open("a", encoding="ascii")
    except OSError as error:
        raise output_error(path, error) from error
