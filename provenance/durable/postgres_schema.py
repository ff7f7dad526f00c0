"""The schema of a repository in PostgreSQL: made where there is none, refused where it is something else.

In: a connection, and the tables that a repository has. Out: a schema (the first of the connection's search path) that
holds exactly those. As with an SQLite file, nothing is read from a table, and nothing written, before all of it was
found to be as a repository is made: a table may be a view that never ends, or carry triggers and rules; and a schema of
another program is not ours to extend. What extensions of the server keep there does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.durable.sqlite_file import APPLICATION_ID
from sfumato.errors import OutputError, UsageError

if TYPE_CHECKING:
    from psycopg import Connection

_ADVICE = "Name a database, or a schema (?options=-csearch_path%3DNAME), of its own; this one was left as it is."
_MEANT = {
    "sfumato_schema": "version integer not null",
    "manifests": "id text not null, store bytea not null, alg text not null, value text not null, "
    "fingerprint bytea not null, digest text not null, title text not null, entered text not null",
    "manifests_pkey": "btree (id)",
    "manifests_by_binding": "btree (alg, value)",
}
# Name and make of everything in the schema: of tables the columns, of indices what they hold, of views and all else the
# letter of their kind. "and more": rules, triggers, policies, checks, and tables whose rows are read with their own.
_HELD = """
select c.relname::text, case
  when c.relkind = 'r' then (
    select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attnotnull then ' not null' else '' end || case when a.atthasdef then ' default' else '' end,
      ', ' order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) || case when c.relrowsecurity
    or exists (select from pg_trigger t where t.tgrelid = c.oid)
    or exists (select from pg_rewrite r where r.ev_class = c.oid)
    or exists (select from pg_inherits i where c.oid in (i.inhparent, i.inhrelid))
    or exists (select from pg_constraint k where k.conrelid = c.oid and k.contype not in ('p', 'n'))
  then ' and more' else '' end
  when c.relkind = 'i' then split_part(pg_get_indexdef(c.oid), ' USING ', 2)
  else c.relkind::text end
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = current_schema() and not exists (
  select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
) limit 100
"""


def prepare_postgres(connection: Connection[Any], place: str, tables: str, *, must_exist: bool) -> None:
    """Makes the tables where there is nothing yet, unless the repository must exist: then nothing is ever written.

    `tables`: SQL statements with semicolons. Raises UsageError where the schema holds something else, OutputError when
    the server does not answer.
    """
    import psycopg

    try:
        connection.read_only = must_exist
        with connection.transaction():
            if not must_exist:  # another process may be about to do the same
                connection.execute("select pg_advisory_xact_lock(%s)", (APPLICATION_ID,))
            if not must_exist and not _held(connection):
                for statement in filter(str.strip, tables.split(";")):
                    connection.execute(statement)
            _require_ours(_held(connection), place)
    except psycopg.Error as error:
        advice = "Check the server, or name another."
        raise OutputError(f"Cannot open the repository {place}: {error}", advice) from error


def _held(connection: Connection[Any]) -> dict[str, str]:
    return {str(name): str(make) for name, make in connection.execute(_HELD).fetchall()}


def _require_ours(found: dict[str, str], place: str) -> None:
    if found != _MEANT:
        strange = sorted(name for name, make in found.items() if _MEANT.get(name) != make)
        raise UsageError(
            f"{place} is no repository of sfumato ({', '.join(strange[:3]) or 'tables are missing'})", _ADVICE
        )
