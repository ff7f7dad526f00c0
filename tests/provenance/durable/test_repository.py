"""The repository: what was entered is found again, in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from provenance.durable.fingerprint import ALG, FingerprintBuilder
from provenance.durable.repository import Entry, default_place, open_repository, place_without_secrets, similarity
from sfumato.errors import OutputError, UsageError
from tests.watermark_fixtures import scene


def fingerprint(seed: int):
    builder = FingerprintBuilder()
    for index, image in enumerate(scene(seed, frames=13)):
        builder.add(image, index / 12)
    return builder.done()


def entry(number: int, value: str | None = None) -> Entry:
    mark = value or f"value-{number}"
    when = "2026-01-01T00:00:00Z"
    store, title = b"store\0" * number, f"title {number}"
    return Entry(f"urn:c2pa:{number}", store, "org.example.mark", mark, fingerprint(number), "d" * 64, title, when)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "new" / "repository.sqlite3")
        return
    url = request.getfixturevalue("postgres")
    yield url
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("drop table manifests, sfumato_schema")


def test_what_was_entered_is_found_by_watermark_identifier_and_content(place, tmp_path) -> None:
    with open_repository(place) as repository:
        for number in (1, 2, 3):
            repository.add(entry(number))
    with open_repository(place, must_exist=True) as repository:
        assert len(repository) == 3
        assert [match.manifest_id for match in repository.by_binding("org.example.mark", "value-2")] == ["urn:c2pa:2"]
        assert repository.by_binding("org.example.other", "value-2") == []
        assert repository.manifest("urn:c2pa:3") == b"store\0" * 3
        assert repository.manifest("urn:c2pa:4") is None
        assert repository.entry("urn:c2pa:4") is None
        found = repository.entry("urn:c2pa:1")
        assert found is not None
        assert (found.title, found.value, found.digest) == ("title 1", "value-1", "d" * 64)
        (nearest,) = repository.by_content(tmp_path, fingerprint(2))
        assert (nearest.manifest_id, nearest.similarity) == ("urn:c2pa:2", 100)
        assert repository.by_content(tmp_path, fingerprint(9)) == []
        assert repository.supported_algorithms() == {"watermarks": ["org.example.mark"], "fingerprints": [ALG]}


def test_entering_twice_changes_nothing(place) -> None:
    with open_repository(place) as repository:
        repository.add(entry(1))
        repository.add(entry(1, value="another"))
        assert len(repository) == 1
        assert repository.by_binding("org.example.mark", "another") == []


def test_strings_of_strangers_are_values_not_commands(place) -> None:
    with open_repository(place) as repository:
        repository.add(entry(1))
        assert repository.by_binding("org.example.mark", "' or '1'='1") == []
        assert repository.manifest("x'; drop table manifests; --") is None
        assert len(repository) == 1


def test_another_version_is_refused(place) -> None:
    with open_repository(place) as repository, repository._transaction() as cursor:
        cursor.execute("update sfumato_schema set version = 99")
    with pytest.raises(UsageError, match="version 99"):
        open_repository(place)


def test_the_default_is_the_users_own_unless_named(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("SFUMATO_REPOSITORY", raising=False)
    assert default_place().endswith("repository.sqlite3")
    monkeypatch.setenv("SFUMATO_REPOSITORY", str(tmp_path / "x.sqlite3"))
    assert default_place() == str(tmp_path / "x.sqlite3")


def test_a_repository_that_must_exist_is_not_made(tmp_path) -> None:
    with pytest.raises(UsageError, match="no repository"):
        open_repository(tmp_path / "none.sqlite3", must_exist=True)
    assert not (tmp_path / "none.sqlite3").exists()


def test_what_is_no_database_is_named_and_left_alone(tmp_path) -> None:
    (tmp_path / "a.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(OutputError, match=r"a\.sqlite3"):
        open_repository(tmp_path / "a.sqlite3")
    assert (tmp_path / "a.sqlite3").read_bytes() == b"not a database at all" * 100


def test_a_locked_database_is_an_error_of_ours(tmp_path, monkeypatch) -> None:
    with open_repository(tmp_path / "a.sqlite3") as repository:
        repository._connection.execute("pragma busy_timeout = 50")
        other = sqlite3.connect(tmp_path / "a.sqlite3")
        other.execute("begin exclusive")
        with pytest.raises(OutputError, match="fails"):
            repository.add(entry(1))
        other.rollback()
        other.close()
        repository.add(entry(1))


def test_damaged_fingerprints_match_nothing(tmp_path) -> None:
    with open_repository(tmp_path / "a.sqlite3") as repository:
        repository.add(entry(1))
        with repository._transaction() as cursor:
            cursor.execute("update manifests set fingerprint = ?", (b"damaged",))
        assert repository.by_content(tmp_path, fingerprint(1)) == []


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("postgresql://ann:p@ss@db.example/seals?password=secret", "db.example/seals"),
        ("postgres://db.example/seals", "db.example/seals"),
        ("seals.sqlite3", "seals.sqlite3"),
    ],
)
def test_a_place_is_kept_without_its_secrets(place: str, shown: str) -> None:
    assert place_without_secrets(place) == shown


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(OutputError, match=r"127\.0\.0\.1") as caught:
        open_repository("postgresql://user:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


def test_similarity_is_100_for_the_same_and_50_at_the_threshold() -> None:
    assert (similarity(0.0), similarity(0.22), similarity(1.0)) == (100, 50, 0)
