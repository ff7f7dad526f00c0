"""The manifest repository: manifests are entered when they are made, and found again by watermark, fingerprint or
identifier.

In: an `Entry` (manifest store, watermark, fingerprint, digest and time). Out: `Match`es, as the C2PA Soft Binding
Resolution API 2.4 gives them, and the manifest store. SQLite by default, one file of this user; PostgreSQL by URL, for
an organisation. A repository holds what anybody may know who has the original file, and nothing else: no picture, no
path.

Watermarks are looked up by an index. Fingerprints are compared one by one: 0.5 ms each for half a minute of video, fine
for thousands; a larger collection wants an index of its own behind the same interface (see
provenance.durable.resolver).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

from provenance.durable.fingerprint import ALG as FINGERPRINT_ALG
from provenance.durable.fingerprint import LARGEST as LARGEST_FINGERPRINT
from provenance.durable.fingerprint import THRESHOLD, Fingerprint, distance
from provenance.durable.postgres_schema import prepare_postgres
from provenance.durable.recovered import LARGEST, read_store
from provenance.durable.sqlite_file import address_of, cannot_open, prepare_sqlite
from sfumato.errors import MissingPartError, OutputError, UsageError, install_extra

SCHEMA_VERSION = 1
VARIABLE = "SFUMATO_REPOSITORY"
_SERVERS = ("postgresql://", "postgres://")
_WAIT = 10.0  # seconds for another process that writes
_TABLES = """
create table if not exists sfumato_schema (version integer not null);
create table if not exists manifests (
  id text primary key, store {bytes} not null, alg text not null, value text not null, fingerprint {bytes} not null,
  digest text not null, title text not null, entered text not null
);
create index if not exists manifests_by_binding on manifests (alg, value);
"""


@dataclass(frozen=True)
class Match:
    """One manifest that may belong to a file. `similarity`: 0 to 100, as the API has it; 100 for a watermark."""

    manifest_id: str
    similarity: int = 100


@dataclass(frozen=True)
class Entry:
    """One manifest. `value`: the watermark's payload in base64; `fingerprint`: None if what is stored cannot be read;
    `digest`: sha256 of the sealed file, hex; `entered`: ISO 8601, UTC.
    """

    manifest_id: str
    store: bytes
    alg: str
    value: str
    fingerprint: Fingerprint | None
    digest: str
    title: str
    entered: str

    @classmethod
    def of(cls, store: bytes, alg: str, value: str, fingerprint: Fingerprint, sealed: Path, title: str) -> Entry:
        """From a file that was just sealed. Raises UsageError for a store that cannot be read, OSError for the file."""
        with sealed.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(
            active_manifest(store),
            store,
            alg,
            value,
            fingerprint,
            digest,
            title,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )


class Resolver(Protocol):
    """What finds manifests: a repository here, or somebody else's behind HTTP. Paths of the C2PA Soft Binding
    Resolution API.
    """

    def by_binding(self, alg: str, value: str) -> list[Match]:
        """`/matches/byBinding`."""
        ...

    def by_content(self, path: Path, fingerprint: Fingerprint) -> list[Match]:
        """`/matches/byContent`: nearest first."""
        ...

    def manifest(self, manifest_id: str) -> bytes | None:
        """`/manifests/{id}`: the manifest store."""
        ...

    def supported_algorithms(self) -> dict[str, list[str]]:
        """`/services/supportedAlgorithms`: names below `watermarks` and `fingerprints`."""
        ...


class Repository:
    """Use with `open_repository`. Every method raises OutputError when the database does not answer."""

    def __init__(self, connection: Any, place: str, mark: str, failures: type[Exception]) -> None:
        self._connection, self.place, self._mark, self._failures = connection, place, mark, failures

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the connection; may be called twice."""
        self._connection.close()

    def add(self, entry: Entry) -> None:
        """Entering the same manifest twice changes nothing."""
        looks = entry.fingerprint.to_bytes() if entry.fingerprint is not None else b""
        values = (
            entry.manifest_id, entry.store, entry.alg, entry.value, looks, entry.digest, entry.title, entry.entered,
        )  # fmt: skip
        with self._transaction() as cursor:
            cursor.execute(
                self._sql("insert into manifests values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing"), values
            )

    def by_binding(self, alg: str, value: str) -> list[Match]:
        """Manifests with this watermark: one, if payloads are drawn as ours are."""
        rows = self._rows(
            "select id from manifests where alg = ? and value = ? order by entered limit 100", (alg, value)
        )
        return [Match(row[0]) for row in rows if isinstance(row[0], str)]

    def by_content(self, path: Path, fingerprint: Fingerprint) -> list[Match]:
        """Manifests of videos that look alike, nearest first. `path` is not read: `fingerprint` says it all."""
        near = ((distance(stored, fingerprint), manifest_id) for manifest_id, stored in self.fingerprints())
        found = sorted(pair for pair in near if pair[0] <= THRESHOLD)
        return [Match(manifest_id, similarity(apart)) for apart, manifest_id in found]

    def manifest(self, manifest_id: str) -> bytes | None:
        """The manifest store, None for an unknown identifier."""
        rows = self._rows("select store from manifests where id = ? and length(store) <= ?", (manifest_id, LARGEST))
        return _bytes(rows[0][0]) if rows else None

    def entry(self, manifest_id: str) -> Entry | None:
        """Everything that is known; None for an unknown identifier, and for what is larger than anything of ours."""
        columns = "id, store, alg, value, fingerprint, digest, title, entered"
        small = "length(store) <= ? and length(fingerprint) <= ?"
        statement = f"select {columns} from manifests where id = ? and {small}"  # noqa: S608 (names of ours)
        rows = self._rows(statement, (manifest_id, LARGEST, LARGEST_FINGERPRINT))
        if not rows:
            return None
        identifier, store, alg, value, fingerprint, *rest = rows[0]
        try:
            readable = Fingerprint.from_bytes(_bytes(fingerprint))
        except ValueError:  # of another kind, or damaged
            readable = None
        return Entry(identifier, _bytes(store), alg, value, readable, *rest)

    def supported_algorithms(self) -> dict[str, list[str]]:
        """The watermarks that have been entered, and our fingerprint."""
        return {
            "watermarks": [row[0] for row in self._rows("select distinct alg from manifests", ())],
            "fingerprints": [FINGERPRINT_ALG],
        }

    def __len__(self) -> int:
        return int(self._rows("select count(*) from manifests", ())[0][0])

    def prepare(self, *, read_only: bool = False) -> None:
        """Gives a new database its version, unless it is only read. Raises UsageError for one of another version."""
        with self._transaction() as cursor:
            cursor.execute("select distinct version from sfumato_schema order by version desc limit 1")
            versions = cursor.fetchall()
            if not versions and not read_only:
                cursor.execute(self._sql("insert into sfumato_schema values (?)"), (SCHEMA_VERSION,))
            elif versions and versions != [(SCHEMA_VERSION,)]:
                raise UsageError(
                    f"{self.place} is a repository of version {versions[0][0]}", f"This sfumato knows {SCHEMA_VERSION}."
                )

    def fingerprints(self) -> Iterator[tuple[str, Fingerprint]]:
        """Identifier and fingerprint of every manifest that has a readable one."""
        for manifest_id, stored in self._rows(
            "select id, fingerprint from manifests where length(fingerprint) <= ?", (LARGEST_FINGERPRINT,)
        ):
            try:
                yield manifest_id, Fingerprint.from_bytes(_bytes(stored))
            except ValueError:  # of another kind, or damaged: it cannot match
                continue

    def _rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._transaction() as cursor:
            cursor.execute(self._sql(statement), values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._mark)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        try:
            cursor = self._connection.cursor()
            try:
                yield cursor
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()
        except self._failures as error:
            raise OutputError(
                f"The repository {self.place} fails: {error}", f"Check it, or name another with {VARIABLE}."
            ) from error


def default_place() -> str:
    """The variable SFUMATO_REPOSITORY, else a file in the user's data folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    from platformdirs import user_data_dir

    return str(Path(user_data_dir("sfumato")) / "repository.sqlite3")


def default_exists() -> bool:
    """Whether there is a repository at `default_place()`, or a database server that may have one."""
    place = default_place()
    return place.startswith(_SERVERS) or Path(place).expanduser().exists()


def open_repository(place: str | Path | None = None, *, must_exist: bool = False) -> Repository:
    """`place`: the path of an SQLite file, or postgresql://...; None: `default_place()`. Close it with `with`.
    must_exist: it is only read.

    Raises OutputError when it cannot be opened or made, UsageError when it does not exist but must, is of another
    version, or is something else than a repository.
    """
    text = str(place) if place is not None else default_place()
    if text.startswith(_SERVERS):
        repository = _postgres(text, must_exist)
    else:
        path = Path(text).expanduser()
        repository = _sqlite(path, must_exist)
    try:
        repository.prepare(read_only=must_exist)
    except BaseException:
        repository.__exit__()
        raise
    return repository


def similarity(apart: float) -> int:
    """A distance of fingerprints as the API's score: 100 for the same, 50 at the threshold."""
    return max(0, round(100 - 50 * apart / THRESHOLD))


def active_manifest(store: bytes) -> str:
    """The label of the active manifest: the last one in the store (section 11.1.4.2 of C2PA). Raises UsageError if
    there is none.
    """
    label = read_store(store).label
    if label is None:
        raise UsageError("The manifest store cannot be read", "Enter the store of a sealed file.")
    return label


def _sqlite(path: Path, must_exist: bool) -> Repository:
    address = address_of(path, must_exist=must_exist)
    try:
        connection = sqlite3.connect(address, timeout=_WAIT, uri=True)
    except sqlite3.Error as error:
        raise cannot_open(path, error) from error
    try:
        prepare_sqlite(connection, path, _TABLES.format(bytes="blob"), must_exist=must_exist)
    except BaseException:
        connection.close()
        raise
    return Repository(connection, str(path), "?", sqlite3.Error)


def _bytes(value: Any) -> bytes:
    """What SQLite hands out as a blob may be of any type."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def _postgres(url: str, must_exist: bool) -> Repository:
    shown = url.partition("@")[2] or url.partition("//")[2]  # without the password
    try:
        import psycopg
    except ImportError as error:
        raise MissingPartError("A PostgreSQL repository needs psycopg", install_extra("postgres")) from error
    try:
        connection = psycopg.connect(url, connect_timeout=10)
    except psycopg.Error as error:
        first = str(error).strip().splitlines()[:1]
        raise OutputError(
            f"Cannot open the repository {shown}: {' '.join(first)}", "Check the address and the server."
        ) from error
    try:
        prepare_postgres(connection, shown, _TABLES.format(bytes="bytea"), must_exist=must_exist)
    except BaseException:
        connection.close()
        raise
    return Repository(connection, shown, "%s", psycopg.Error)
