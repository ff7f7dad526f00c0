"""What is done already: one SQLite file that a stopped run goes on from, whatever it was doing.

An entry is what came of one content (a file's SHA-256) under one model and one set of options: a record of plain JSON.
A changed file, another model, other options are other entries. Each entry is kept before `add` returns: kill -9 loses
what was in hand, nothing else. A file that is not a journal of this program, or holds anything but one, is refused
untouched.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from sfumato.errors import OutputError
from sfumato.regular_file import open_regular

Record = dict[str, Any]
APPLICATION = 0x53464A4E  # "SFJN", SQLite's application_id
VERSION = 1  # SQLite's user_version
_TABLE = (
    "CREATE TABLE entries (content TEXT NOT NULL, model TEXT NOT NULL, options TEXT NOT NULL, record TEXT NOT NULL, "
    "PRIMARY KEY (content, model, options)) WITHOUT ROWID"
)
_PATIENCE = 30.0  # seconds for another process that is writing
_ADVICE = "Name a new file for the journal, or remove this one: what it held is then done again."


def options_digest(options: Any) -> str:
    """SHA-256 of plain JSON values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()


class Journal:
    """`with Journal(path, model, options) as journal`. model: the digest of what does the work; options: plain JSON
    values that change what comes out. `path` None: what is added is kept for as long as the journal is open.

    Raises OutputError if the file cannot be opened, is damaged, or is not a journal of this program.
    """

    def __init__(self, path: Path | None, model: str, options: Any = None) -> None:
        self.path, self.model, self.options = path, model, options_digest(options)
        if path is not None:
            _require_journal(path)
        try:
            self._connection = sqlite3.connect(path or ":memory:", timeout=_PATIENCE, isolation_level=None)
            self._open()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def find(self, content: str) -> Record | None:
        """The record of `content` under this model and these options; None without one."""
        question = "SELECT record FROM entries WHERE content = ? AND model = ? AND options = ?"
        try:
            row = self._connection.execute(question, (content, self.model, self.options)).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return None if row is None else _read(row[0])

    def add(self, content: str, record: Record) -> None:
        """Keeps `record`, in place of an earlier one. Raises OutputError if it cannot be written."""
        values = (content, self.model, self.options, json.dumps(record))
        try:
            self._connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", values)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def entries(self) -> Iterator[tuple[str, Record]]:
        """(content, record) of all entries under this model and these options, by content."""
        question = "SELECT content, record FROM entries WHERE model = ? AND options = ? ORDER BY content"
        try:
            for content, text in self._connection.execute(question, (self.model, self.options)):
                if (record := _read(text)) is not None:
                    yield content, record
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _open(self) -> None:
        ask = self._connection.execute
        ask("PRAGMA trusted_schema = OFF")
        ask("BEGIN IMMEDIATE")  # two programs that make the same file: one makes it, the other waits
        try:
            schema = [row[0] for row in ask("SELECT sql FROM sqlite_master")]
            made = (ask("PRAGMA application_id").fetchone()[0], ask("PRAGMA user_version").fetchone()[0])
            if not schema and made == (0, 0):
                ask(_TABLE)
                ask(f"PRAGMA application_id = {APPLICATION}")
                ask(f"PRAGMA user_version = {VERSION}")
            elif schema != [_TABLE] or made != (APPLICATION, VERSION):
                raise _foreign(self.path)
        except BaseException:
            ask("ROLLBACK")
            self.close()
            raise
        ask("COMMIT")
        if self.path is not None:  # not earlier: the file would not say whose it is until the log is folded in
            ask("PRAGMA journal_mode = WAL")
            ask("PRAGMA synchronous = NORMAL")

    def _unusable(self, error: sqlite3.Error) -> OutputError:
        return OutputError(f"The journal {self.path} cannot be used: {error}", _ADVICE)


def _require_journal(path: Path) -> None:
    """Looks before SQLite does, which would take an empty or short file of any kind for its own."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_regular(path) as file:
            head = file.read(100)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"The journal {path} cannot be used: {error.strerror}", _ADVICE) from error
    if head and (head[:16] != b"SQLite format 3\0" or int.from_bytes(head[68:72], "big") != APPLICATION):
        raise _foreign(path)


def _foreign(path: Path | None) -> OutputError:
    return OutputError(f"{path} is not a journal of this version of sfumato", _ADVICE)


def _read(text: Any) -> Record | None:
    """None for what this program did not write: that content is done again."""
    with suppress(ValueError, TypeError):
        record = json.loads(text)
        if isinstance(record, dict):
            return record
    return None
