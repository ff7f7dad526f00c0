"""The schema of a repository in PostgreSQL: made where there is nothing, left alone where it is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provenance.durable.repository import open_repository
from sfumato.errors import SfumatoError, UsageError

STRANGE = {
    "another program's table": "create table moz_places (id integer primary key, url text)",
    "another program's view": "create view places as select 1 as id",
    "another program's tables of these names": "create table manifests (x text); create table sfumato_schema (v text)",
    "a view without an end": "alter table manifests rename to others; create view manifests as with recursive n(i) as "
    "(select 1 union all select i + 1 from n) select n.i, r.* from n cross join others r",
    "a view of the version": "drop table sfumato_schema; create view sfumato_schema as select 1 as version",
    "a materialised view": "create materialized view mine as select id from manifests",
    "a rule": "create rule r as on insert to manifests do also delete from manifests",
    "a trigger": "create trigger t before update on manifests for each row "
    "execute function suppress_redundant_updates_trigger()",
    "rows of another table": "create schema if not exists elsewhere; drop table if exists elsewhere.more;"
    "create table elsewhere.more () inherits (manifests)",
    "a policy": "alter table manifests enable row level security",
    "a check": "alter table manifests add check (length(id) > 0)",
    "a column more": "alter table manifests add more text",
    "a column that is computed": "alter table manifests alter title set default 'none'",
    "a type of another kind": "alter table manifests alter title type varchar(9)",
    "an index more": "create index i on manifests (length(store))",
    "an index of other columns": "drop index manifests_by_binding;create index manifests_by_binding on manifests (alg)",
    "an index less": "drop index manifests_by_binding",
}
OF_ANOTHER = [name for name in STRANGE if name.startswith("another")]


@pytest.fixture
def schema(postgres: str) -> Iterator[str]:
    """The address of a schema of its own, empty."""
    import psycopg

    with psycopg.connect(postgres) as connection:
        connection.execute("create schema strange")
    yield f"{postgres}?options=-csearch_path%3Dstrange"
    with psycopg.connect(postgres) as connection:
        connection.execute("drop schema strange cascade")


def run(place: str, script: str) -> None:
    import psycopg

    with psycopg.connect(place) as connection:
        connection.execute(script)


def held(place: str) -> list[Any]:
    import psycopg

    with psycopg.connect(place) as connection:
        names = "select relname, relkind from pg_class where relnamespace = 'strange'::regnamespace order by 1"
        return connection.execute(names).fetchall()


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_not_ours_is_refused_and_left_as_it_is(schema: str, name: str) -> None:
    if name not in OF_ANOTHER:
        open_repository(schema).__exit__()
    run(schema, STRANGE[name])
    before = held(schema)
    for must_exist in (True, False):
        with pytest.raises(UsageError, match="is no repository of sfumato"):
            open_repository(schema, must_exist=must_exist)
    assert held(schema) == before


def test_who_only_reads_makes_nothing(schema: str) -> None:
    with pytest.raises(UsageError, match="tables are missing"):
        open_repository(schema, must_exist=True)
    assert held(schema) == []


def test_who_only_reads_cannot_write(schema: str) -> None:
    open_repository(schema).__exit__()
    with open_repository(schema, must_exist=True) as repository, pytest.raises(SfumatoError, match="read-only"):
        repository._rows("delete from sfumato_schema returning version", ())


def test_what_other_schemas_hold_does_not_count(schema: str) -> None:
    run(schema, "create schema if not exists elsewhere; create table if not exists elsewhere.places (id integer)")
    with open_repository(schema) as repository:
        assert len(repository) == 0
