"""The SQLite file of a repository: made where there is none, refused where it is something else.

In: a path, a connection, and the tables that a repository has. Out: a database that holds exactly those, empty where it
is new. What a database calls a table may be a view that never ends, or carry triggers that run when something is
entered; and a database of another program is not ours to extend. So nothing is read from a table, and nothing written,
before the whole schema was found to be the one that a repository is made with.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from sfumato.errors import OutputError, UsageError

APPLICATION_ID = 0x73666D74  # "sfmt"; repositories of the first version have none
_STATISTICS = "sqlite_stat"  # what ANALYZE leaves
_ADVICE = "Name another file with --repository or SFUMATO_REPOSITORY; this one was left as it is."
_MOST = 100  # entries of a schema that are looked at


def address_of(path: Path, *, must_exist: bool) -> str:
    """What to connect to, as a URI, so that a name is a name. Raises UsageError where there is no repository but must
    be, OutputError for what is no file.
    """
    if must_exist and not path.exists():
        raise UsageError(
            f"There is no repository at {path}", "It is made with the first video, or name another with --repository."
        )
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is not a file, so it is no repository", _ADVICE)
    try:
        if not must_exist:
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_open(path, error) from error
    mode = "rw" if must_exist else "rwc"  # not "ro": what a killed writer left has to be rolled back
    return f"{path.absolute().as_uri()}?mode={mode}"


def prepare_sqlite(connection: sqlite3.Connection, path: Path, tables: str, *, must_exist: bool) -> None:
    """Makes the tables where there is none yet, unless the repository must exist: then nothing is ever written.

    `tables`: SQL statements with semicolons. Raises UsageError where the file is something else, OutputError when it
    does not answer.
    """
    try:
        _restrict(connection, must_exist)
        if _is_new(connection, path) and not must_exist:
            _make(connection, path, tables)
        _require_ours(connection, path, tables)
    except sqlite3.Error as error:
        raise cannot_open(path, error) from error


def _restrict(connection: sqlite3.Connection, read_only: bool) -> None:
    """What a hostile schema could do, were it ever compiled."""
    connection.execute("pragma trusted_schema = off")
    connection.execute("pragma cell_size_check = on")
    if read_only:
        connection.execute("pragma query_only = on")


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Nothing in it, and nobody's. Raises UsageError for the mark of another program."""
    marks = [connection.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if marks[0] not in (0, APPLICATION_ID) or marks[1] != 0:
        raise UsageError(f"{path} is the database of another program", _ADVICE)
    (entries,) = connection.execute("select count(*) from sqlite_master").fetchone()
    return int(entries) == 0


def _make(connection: sqlite3.Connection, path: Path, tables: str) -> None:
    connection.execute("begin immediate")  # another process may be about to do the same
    try:
        if _is_new(connection, path):
            for statement in filter(str.strip, tables.split(";")):
                connection.execute(statement)
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
        connection.commit()
    except BaseException:
        with suppress(sqlite3.Error):
            connection.rollback()
        raise


def _require_ours(connection: sqlite3.Connection, path: Path, tables: str) -> None:
    meant = frozenset(_plain(statement) for statement in tables.split(";") if statement.strip())
    found = _schema(connection)
    if set(found) != meant:
        strange = sorted(name for statement, name in found.items() if statement not in meant)
        raise UsageError(
            f"{path} is no repository of sfumato ({', '.join(strange[:3]) or 'tables are missing'})", _ADVICE
        )


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    """The statement behind everything in it, and its name. Indices of SQLite's own have no statement."""
    query = "select name, sql from sqlite_master where sql is not null limit ?"
    return {
        _plain(str(sql)): str(name)
        for name, sql in connection.execute(query, (_MOST,))
        if not str(name).startswith(_STATISTICS)
    }


def _plain(statement: str) -> str:
    """Spaces and capitals count for nothing."""
    return "".join(statement.lower().replace("if not exists", "").split())


def cannot_open(path: Path, error: Exception) -> OutputError:
    """What to say of a file that cannot be opened."""
    return OutputError(f"Cannot open the repository {path}: {error}", "Check the file, or name another.")
