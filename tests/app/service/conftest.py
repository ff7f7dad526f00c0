"""What the tests of the service share: a database of either kind. Without the extra they are
not collected (pip install -e '.[serve,dev]')."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.postgres_fixtures import postgres

__all__ = ["postgres"]

NEEDED = ("fastapi", "httpx", "prometheus_client", "python_multipart", "sqlalchemy", "uvicorn")
if any(find_spec(name) is None for name in NEEDED):
    collect_ignore_glob = ["*test_*.py"]


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


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a service without nets on a port of its own: `served(**settings)` gives a `Served`."""
    import uvicorn

    from sfumato.app.service.running import Judges, Running
    from sfumato.app.service.settings import ServiceSettings
    from sfumato.execution.executor import Limits
    from tests.service_fixtures import Served, begin, stand_in

    with ExitStack() as stack:

        def start(working: bool = False, **changes: Any) -> Served:
            asked = {"folder": tmp_path / "service", "idle": 0.05, "grace": 1.0, "requests_a_minute": 6000} | changes
            judges = Judges(stand_in(), begin, 1, Limits(10.0)) if working else None
            running = stack.enter_context(Running(ServiceSettings(**asked), judges))
            config = uvicorn.Config(running.application(), port=0, log_config=None, lifespan="off")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            stack.callback(thread.join, 20)
            stack.callback(setattr, server, "should_exit", True)
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            return Served(running, f"http://127.0.0.1:{port}")

        yield start
