"""The service as it runs: settings in, an API with workers, or workers alone, until it is told to end."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from sqlalchemy import select

from sfumato.app.scan.scanner import Scanner
from sfumato.app.scan.setup import ScanJob
from sfumato.app.service.housekeeping import Housekeeping
from sfumato.app.service.http.application import application
from sfumato.app.service.http.bodies import App
from sfumato.app.service.http.guard import Buckets, Service
from sfumato.app.service.logs import begin_log, end_log
from sfumato.app.service.settings import ServiceSettings
from sfumato.app.service.store.access import Access, NewKey
from sfumato.app.service.store.database import Database, versions
from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.store.queue import Queue
from sfumato.app.service.webhooks import Webhooks
from sfumato.app.service.worker import Workers
from sfumato.atomic import make_folder
from sfumato.errors import SfumatoError, UsageError
from sfumato.execution.executor import Begin, Limits

_ROOM = 256 * 2**20  # bytes that have to be free for it to be ready
_CONNECTIONS = 200
_log = logging.getLogger("sfumato.service")


@dataclass(frozen=True)
class Judges:
    """Who judges. scanner: whose words the record of a failure has; begin: of each process; limits: of one file."""

    scanner: Scanner
    begin: Begin[ScanJob, dict[str, Any]]
    count: int
    limits: Limits
    told: Callable[[dict[str, Any]], None] = lambda record: None


class Running:
    """`with Running(settings, judges) as running: running.serve(host, port, told)`. judges: None for an API alone.

    Raises what `Database` raises, and OutputError for a folder that cannot be made.
    """

    def __init__(self, settings: ServiceSettings, judges: Judges | None = None) -> None:
        self.settings, self.judges = settings, judges
        self._stack = ExitStack()

    def __enter__(self) -> Running:
        with ExitStack() as stack:
            handler = begin_log()
            stack.callback(end_log, handler)
            make_folder(self.settings.uploads, "Choose another --folder.")
            self.database = stack.enter_context(Database(self.settings.database_url))
            self.access = Access(self.database)
            self.jobs = Jobs(self.database, self.settings.uploads)
            webhooks = Webhooks(self.database)
            stack.enter_context(Housekeeping(self.jobs, webhooks, self.settings.retention_days))
            self.workers = None if self.judges is None else stack.enter_context(self._workers(self.judges))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def first_key(self) -> NewKey | None:
        """An admin's key, the first time."""
        return self.access.first_key()

    def application(self) -> App:
        buckets = Buckets(self.settings.requests_a_minute)
        return application(Service(self.settings, self.database, self.access, self.jobs, self._problem, buckets))

    def serve(self, host: str, port: int, told: Callable[[str], None] = lambda address: None) -> None:
        """Answers until it is told to end. `told` gets the address. Raises UsageError where that is taken."""
        with _listening(host, port) as listener:
            found = listener.getsockname()
            shown = f"[{found[0]}]" if ":" in found[0] else found[0]
            told(f"http://{shown}:{found[1]}")
            config = uvicorn.Config(
                self.application(), log_config=None, access_log=False, server_header=False, lifespan="off",
                limit_concurrency=_CONNECTIONS, timeout_keep_alive=10,
                timeout_graceful_shutdown=max(1, round(self.settings.grace)),
            )  # fmt: skip
            uvicorn.Server(config).run(sockets=[listener])

    def work(self) -> None:
        """Judges until it is told to end, by a signal that is raised as an exception."""
        while self.workers is not None and self.workers.alive:
            self.workers.wait(5.0)

    def _workers(self, judges: Judges) -> Workers:
        queue = Queue(self.database, self.settings.lease, self.settings.attempts)
        return Workers(
            queue, self.jobs, judges.scanner, judges.begin, judges.count, judges.limits, self.settings.idle,
            self.settings.grace, judges.told,
        )  # fmt: skip

    def _problem(self) -> str | None:
        """Why it is not ready."""
        try:
            with self.database.reading() as connection:
                connection.execute(select(versions)).first()
            if shutil.disk_usage(self.settings.uploads).free < _ROOM:
                return "The disk is nearly full."
        except (SfumatoError, OSError) as error:
            _log.error("not ready", extra={"problem": str(error)})
            return "The database or the folder does not answer."
        if self.workers is not None and not self.workers.alive:
            return "A worker has ended."
        return None


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"Cannot listen at {host}, port {port}: {error}", "Choose another --host or --port."
        ) from error
    with listener:
        yield listener
