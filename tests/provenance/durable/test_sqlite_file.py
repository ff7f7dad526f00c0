"""The file of a repository: made where there is none, read where it is ours, left alone where it is not."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from provenance.durable.repository import open_repository
from provenance.durable.sqlite_file import APPLICATION_ID
from sfumato.errors import OutputError, SfumatoError, UsageError

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n)"
COLUMNS = "'a' as alg, 'b' as value, zeroblob(9) as fingerprint, '' as digest, '' as title, '' as entered"
OURS = "create table sfumato_schema (version integer not null); insert into sfumato_schema values (1);"
MANIFESTS = """create table manifests (
  id text primary key, store blob not null, alg text not null, value text not null, fingerprint blob not null,
  digest text not null, title text not null, entered text not null
); create index manifests_by_binding on manifests (alg, value);"""
STRANGE = {
    "another program's tables": "create table moz_places (id integer primary key, url text);",
    "another program's mark": "pragma application_id = 252006675; create table t (x);",
    "another program's mark, empty": "pragma application_id = 252006675;",
    "another program's version, empty": "pragma user_version = 7;",
    "another program's tables of these names": "create table manifests (x); create table sfumato_schema (version);",
    "a view without an end": f"{OURS} create table d (alg, value); create index manifests_by_binding on d (alg, value);"
    f"create view manifests as {ENDLESS} select 'i' || i as id, zeroblob(9) as store, {COLUMNS} from n;",
    "a trigger": f"{OURS} {MANIFESTS} create trigger t after insert on manifests begin delete from manifests; end;",
    "a table more": f"{OURS} {MANIFESTS} create table mine (x);",
    "a view of the version": f"{MANIFESTS} create view sfumato_schema as select 1 as version;",
    "a column more": OURS + MANIFESTS.replace("entered text", "more as (zeroblob(999999)), entered text"),
    "an index more": f"{OURS} {MANIFESTS} create index i on manifests (hex(store));",
}


def database(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        connection.execute("vacuum")
    return path


@pytest.mark.parametrize("must_exist", [True, False], ids=["read", "written"])
@pytest.mark.parametrize("script", STRANGE.values(), ids=STRANGE)
def test_what_is_not_ours_is_refused_and_left_as_it_is(tmp_path, script, must_exist) -> None:
    path = database(tmp_path / "other.sqlite3", script)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"other\.sqlite3"):
        open_repository(path, must_exist=must_exist)
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_repository_of_the_first_version_is_read_and_written(tmp_path) -> None:
    path = database(tmp_path / "old.sqlite3", OURS + MANIFESTS)
    for must_exist in (True, False):
        with open_repository(path, must_exist=must_exist) as repository:
            assert len(repository) == 0


def test_a_new_one_says_whose_it_is(tmp_path) -> None:
    open_repository(tmp_path / "new.sqlite3").__exit__()
    with closing(sqlite3.connect(tmp_path / "new.sqlite3")) as connection:
        assert connection.execute("pragma application_id").fetchone() == (APPLICATION_ID,)
        connection.execute("analyze")
    with open_repository(tmp_path / "new.sqlite3", must_exist=True) as repository:
        assert len(repository) == 0


def test_who_only_reads_makes_nothing_of_an_empty_file(tmp_path) -> None:
    (tmp_path / "empty.sqlite3").write_bytes(b"")
    with pytest.raises(UsageError, match="no repository"):
        open_repository(tmp_path / "empty.sqlite3", must_exist=True)
    assert (tmp_path / "empty.sqlite3").read_bytes() == b""


def test_names_are_names_and_not_addresses(tmp_path) -> None:
    for name in ("a?mode=memory.sqlite3", "b#c.sqlite3", "50%25.sqlite3"):
        open_repository(tmp_path / name).__exit__()
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_repository(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="not a file"):
        open_repository(tmp_path / "pipe", must_exist=True)


@pytest.mark.parametrize("value", ["123456789012", "'text'", "1.5"])
def test_values_of_other_types_are_nothing(tmp_path, value) -> None:
    path = database(
        tmp_path / "odd.sqlite3",
        f"{OURS}{MANIFESTS} insert into manifests values ('i', {value}, 'a', 'b', {value}, '', '', '');",
    )
    with open_repository(path, must_exist=True) as repository:
        entry = repository.entry("i")
        assert entry is not None and (entry.store, entry.fingerprint) == (b"", None)
        assert repository.manifest("i") in (b"", None)
        assert [*repository.fingerprints()] == []


def test_who_only_reads_cannot_write(tmp_path) -> None:
    open_repository(tmp_path / "r.sqlite3").__exit__()
    with open_repository(tmp_path / "r.sqlite3", must_exist=True) as repository, pytest.raises(SfumatoError):
        repository._rows("delete from sfumato_schema", ())


def test_what_is_larger_than_any_fingerprint_is_passed_over(tmp_path) -> None:
    script = f"{OURS}{MANIFESTS} insert into manifests values ('i', x'00', 'a', 'b', zeroblob(999999), '', '', '');"
    with open_repository(database(tmp_path / "large.sqlite3", script), must_exist=True) as repository:
        assert repository.entry("i") is None
        assert [*repository.fingerprints()] == []
