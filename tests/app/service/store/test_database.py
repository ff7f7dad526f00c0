"""The database: made where there is none, refused where it is something else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sfumato.app.service.store.database import Database, versions
from sfumato.errors import OutputError, UsageError


def test_it_is_made_once_and_opened_again(address: str) -> None:
    for _ in range(2):
        with Database(address) as database, database.reading() as connection:
            assert connection.execute(select(versions)).all() == [(1,)]


def test_another_version_is_refused(address: str) -> None:
    with Database(address) as database, database.writing() as connection:
        connection.execute(update(versions).values(version=9))
    with pytest.raises(UsageError, match="is a database of version 9"):
        Database(address)


def test_another_programs_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("create table places (id integer)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is no database of the service"):
        Database(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("places",)]
    assert len(before) == len(path.read_bytes())


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "postgresql+asyncpg://x/y", ""])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="database"):
        Database(url)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(OutputError) as told:
        Database("postgresql://me:secret@127.0.0.1:9/x?connect_timeout=2")
    assert "secret" not in str(told.value)
