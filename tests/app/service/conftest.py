"""What the tests of the service share: a database of either kind. They are skipped without the extra."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres_fixtures import postgres

__all__ = ["postgres"]

pytest.importorskip("fastapi", reason="needs FastAPI (pip install -e '.[serve]')")
pytest.importorskip("sqlalchemy", reason="needs SQLAlchemy (pip install -e '.[serve]')")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: an SQLite file, and a schema of a PostgreSQL server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'service.sqlite3'}"
        return
    import psycopg

    server = request.getfixturevalue("postgres")
    name = f"service_{secrets.token_hex(4)}"
    with psycopg.connect(server) as connection:
        connection.execute(f"create schema {name}")
    yield f"{server}?options=-csearch_path%3D{name}"
    with psycopg.connect(server) as connection:
        connection.execute(f"drop schema {name} cascade")


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder
