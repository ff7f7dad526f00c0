"""The database of the service: a URL in, tables and transactions out. SQLite by default, PostgreSQL for several
machines; the statements are the same.

In SQLite a transaction that writes takes the file's one lock when it begins (BEGIN IMMEDIATE), so that none finds out
late that another was first; readers go on meanwhile (WAL). In PostgreSQL rows are locked one by one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sfumato.errors import MissingPartError, OutputError, UsageError, install_extra

SCHEMA_VERSION = 1
APPLICATION_ID = 0x73667376  # "sfsv", SQLite's application_id
_WAIT = 30.0  # seconds for another process that writes
_READING = "sfumato_reading"
_ADVICE = "Check the address and the server, or name another with --database."

tables = MetaData()
versions = Table("sfumato_service", tables, Column("version", Integer, nullable=False))
keys = Table(
    "service_keys",
    tables,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the secret
    Column("owner", String(100), nullable=False),
    Column("name", String(100), nullable=False),  # who decides, in a decision
    Column("role", String(10), nullable=False),
    Column("created", Float, nullable=False),
    Column("revoked", Float),
    Column("webhook", Text),
    Column("webhook_secret", String(64)),  # in the clear: it signs
)
sessions = Table(
    "service_sessions",
    tables,
    Column("digest", String(64), primary_key=True),
    Column("key_id", String(32), ForeignKey("service_keys.id", ondelete="CASCADE"), nullable=False),
    Column("ends", Float, nullable=False),
)
jobs = Table(
    "service_jobs",
    tables,
    Column("id", String(32), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("name", Text, nullable=False),  # of the file in the job's folder
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded", Boolean, nullable=False),  # whether the file is still there
    Column("state", String(10), nullable=False),  # queued, running, done
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease", String(32)),
    Column("lease_ends", Float),
    Column("verdict", String(40)),
    Column("review", Boolean),
    Column("status", String(10)),
    Column("score", Float),
    Column("length", Float),  # of the footage, seconds
    Column("record", Text),
    Column("tree", Text),
    Index("service_jobs_queue", "state", "created"),
    Index("service_jobs_list", "owner", "created", "id"),
)
decisions = Table(
    "service_decisions",
    tables,
    Column("job_id", String(32), ForeignKey("service_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("reviewer", String(100), primary_key=True),
    Column("key_id", String(32), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", Float, nullable=False),
)
deliveries = Table(
    "service_deliveries",
    tables,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(32), ForeignKey("service_jobs.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("key_id", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False),  # waiting, delivered, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("due", Float, nullable=False),
    Column("problem", Text),
    Index("service_deliveries_due", "state", "due"),
)
usage = Table(
    "service_usage",
    tables,
    Column("owner", String(100), primary_key=True),
    Column("day", String(10), primary_key=True),  # UTC
    Column("jobs", Integer, nullable=False),
)
totals = Table(
    "service_totals",
    tables,
    Column("verdict", String(40), primary_key=True),
    Column("jobs", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
)


class Database:
    """`with Database(url) as database: with database.writing() as connection: ...`.

    Raises UsageError for an address that is none, or a database of another version or program; MissingPartError without
    the driver; OutputError where it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.place = parsed.render_as_string(hide_password=True)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        try:
            if self.is_sqlite:
                self.engine = create_engine(parsed, connect_args={"timeout": _WAIT})
                _keep_to_sqlite(self.engine)
            else:
                self.engine = create_engine(parsed, pool_pre_ping=True, pool_size=10)
            self._prepare()
        except ModuleNotFoundError as error:
            raise MissingPartError("A PostgreSQL database needs psycopg", install_extra("postgres")) from error
        except SQLAlchemyError as error:
            raise self._unusable(error) from error

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it, or nothing. Raises OutputError."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._unusable(error) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that takes no lock. Raises OutputError."""
        try:
            with self.engine.connect().execution_options(**{_READING: True}) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._unusable(error) from error

    def now(self, connection: Connection) -> float:
        """Seconds since 1970, by the one clock that all workers share."""
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(text("select extract(epoch from clock_timestamp())")).scalar_one())

    def upsert(
        self, connection: Connection, table: Table, first: Mapping[str, Any], then: Mapping[str, Any],
        unless: ColumnElement[bool] | None = None,
    ) -> bool:  # fmt: skip
        """Adds a row, or changes the one with its primary key, in one statement; False where `unless` (of the row that
        is there) forbade that.
        """
        statement = (sqlite.insert if self.is_sqlite else postgresql.insert)(table).values(**first)
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=dict(then), where=None if unless is None else ~unless
        )
        return connection.execute(statement).rowcount == 1

    def _prepare(self) -> None:
        with self.engine.begin() as connection:
            if self.is_sqlite:
                made = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
                empty = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0
                if made != APPLICATION_ID and not (made == 0 and empty):
                    raise self._foreign()
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            else:  # another process may be about to do the same
                connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": APPLICATION_ID})
            tables.create_all(connection)
            found = [row[0] for row in connection.execute(select(versions.c.version).limit(2))]
            if not found:
                connection.execute(insert(versions).values(version=SCHEMA_VERSION))
            elif found != [SCHEMA_VERSION]:
                advice = f"This sfumato knows version {SCHEMA_VERSION}; name a new one with --database."
                raise UsageError(f"{self.place} is a database of version {found[0]}", advice)

    def _foreign(self) -> UsageError:
        return UsageError(f"{self.place} is no database of the service", "Name a new one; this one was left as it is.")

    def _unusable(self, error: SQLAlchemyError) -> OutputError:
        first = str(getattr(error, "orig", None) or error).strip().splitlines()[:1]
        return OutputError(f"The database {self.place} fails: {' '.join(first)}", _ADVICE)


def _parsed(url: str) -> URL:
    """The address, with the driver that we know."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
            raise UsageError(
                f"{parsed.drivername!r} is no database of the service",
                "Take sqlite:///FILE or postgresql+psycopg://...",
            )
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UsageError(
            "The address of the database is none", "Take sqlite:///FILE or postgresql+psycopg://..."
        ) from error
    return parsed


def _keep_to_sqlite(engine: Engine) -> None:
    """The driver begins no transaction by itself; ours says which lock it takes."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READING)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
