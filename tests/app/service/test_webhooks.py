"""Webhooks: a finished job is told once, signed; what is not taken is repeated, then given up."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from sfumato.app.service.store.access import Access
from sfumato.app.service.store.database import Database, deliveries, keys
from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.store.queue import Queue, depth
from sfumato.app.service.webhooks import Webhooks
from tests.review_fixtures import flagged
from tests.service_fixtures import add_upload


class Receiver:
    """A server that answers with `answers` in turn, the last for ever."""

    def __init__(self) -> None:
        self.answers, self.got = [200], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                answers = receiver.answers
                self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()


def finish(database: Database, uploads: Path, address: str) -> Any:
    """A job of a key with this webhook is done."""
    made = Access(database).add_key("team", "Ada", "submit", address)
    job_id = add_upload(Jobs(database, uploads), b"1", key_id=made.key.id)
    queue = Queue(database, 10, 2)
    claim = queue.claim()
    assert claim is not None
    assert queue.finish(claim, flagged("a.mp4", "a" * 64))
    return made, job_id


def test_a_finished_job_is_told_once_and_signed(address: str, uploads: Path, receiver: Receiver) -> None:
    with Database(address) as database:
        made, job_id = finish(database, uploads, receiver.address)
        hooks = Webhooks(database)
        assert hooks.send_due() == 1
        assert hooks.send_due() == 0
        assert depth(database).webhooks == {"delivered": 1}
    [(headers, body)] = receiver.got
    told = json.loads(body)
    assert (told["job"], told["verdict"], told["event"]) == (job_id, "suspicious", "job.done")
    stamp = headers["Sfumato-Timestamp"]
    signed = f"{stamp}.{headers['Sfumato-Id']}.".encode() + body
    assert (
        headers["Sfumato-Signature"]
        == "v1=" + hmac.new(made.webhook_secret.encode(), signed, hashlib.sha256).hexdigest()
    )
    assert abs(int(stamp) - time.time()) < 60


def test_what_is_not_taken_is_repeated_later_and_then_given_up(address: str, uploads: Path, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 404]
    with Database(address) as database:
        finish(database, uploads, receiver.address)
        hooks = Webhooks(database, first=100.0, attempts=3)
        waits = []
        for _ in range(3):
            assert hooks.send_due() == 1
            assert hooks.send_due() == 0  # not before its time
            with database.writing() as connection:
                waits.append(connection.execute(select(deliveries.c.due)).scalar_one() - database.now(connection))
                connection.execute(update(deliveries).values(due=0.0))
        assert hooks.send_due() == 0
        with database.reading() as connection:
            row = connection.execute(select(deliveries)).one()
    assert (row.state, row.attempts, row.problem) == ("failed", 3, "it answered 404")
    assert 90 < waits[0] < 110
    assert 390 < waits[1] < 410
    assert len(receiver.got) == 3  # a redirect is not followed
    assert len({headers["Sfumato-Id"] for headers, _ in receiver.got}) == 1


def test_nobody_listening_is_no_fault_and_leaves_no_address(address: str, uploads: Path) -> None:
    with Database(address) as database:
        finish(database, uploads, "http://127.0.0.1:9/?token=secret")
        assert Webhooks(database, attempts=1).send_due() == 1
        with database.reading() as connection:
            row = connection.execute(select(deliveries)).one()
    assert (row.state, row.problem) == ("failed", "URLError")


def test_the_usual_attempts_take_fifteen_hours() -> None:
    webhooks = Webhooks.__init__.__defaults__
    assert webhooks is not None
    first, attempts = webhooks
    assert sum(first * 4.0**gap for gap in range(attempts - 1)) / 3600 == pytest.approx(15.2, abs=0.1)


def test_what_waits_for_a_revoked_key_is_not_sent(address: str, uploads: Path, receiver: Receiver) -> None:
    with Database(address) as database:
        made, _ = finish(database, uploads, receiver.address)
        assert Access(database).revoke(made.key.id)
        assert Webhooks(database, attempts=1).send_due() == 1
        with database.reading() as connection:
            row = connection.execute(select(deliveries)).one()
            assert connection.execute(select(keys.c.webhook_secret)).scalar_one() is None
    assert (row.state, row.problem) == ("failed", "the key has no webhook any more")
    assert receiver.got == []


def test_a_key_without_an_address_is_told_nothing(address: str, uploads: Path) -> None:
    with Database(address) as database:
        made = Access(database).add_key("team", "Ada", "submit")
        add_upload(Jobs(database, uploads), b"1", key_id=made.key.id)
        queue = Queue(database, 10, 2)
        claim = queue.claim()
        assert claim is not None
        assert queue.finish(claim, flagged("a.mp4"))
        assert depth(database).webhooks == {}
