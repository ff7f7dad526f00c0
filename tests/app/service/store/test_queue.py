"""The queue: the oldest first, each in one hand, and only that hand may finish it."""

from __future__ import annotations

import time
from pathlib import Path

from sfumato.app.service.store.database import Database
from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.store.queue import Queue, depth
from tests.review_fixtures import calm, flagged
from tests.service_fixtures import add_upload


def test_jobs_are_handed_out_once_and_in_their_order(address: str, uploads: Path) -> None:
    with Database(address) as database:
        ids = [add_upload(Jobs(database, uploads), b"1") for _ in range(3)]
        queue = Queue(database, 10, 2)
        claims = [queue.claim() for _ in range(4)]
        assert [claim and claim.job_id for claim in claims] == [*ids, None]
        assert depth(database).jobs == {"queued": 0, "running": 3, "done": 0}


def test_who_lost_the_lease_keeps_nothing(address: str, uploads: Path) -> None:
    with Database(address) as database:
        store, queue = Jobs(database, uploads), Queue(database, 0.2, 3)
        job_id = add_upload(store, b"1")
        first = queue.claim()
        time.sleep(0.3)
        second = queue.claim()
        assert first is not None
        assert second is not None
        assert first.lease != second.lease
        assert not queue.finish(first, flagged("a.mp4"))
        assert not queue.give_back(first)
        assert not queue.retry(first)
        assert queue.finish(second, calm("a.mp4"))
        assert not queue.finish(second, flagged("a.mp4"))
        found = store.find("team", job_id)
        assert found is not None
        assert (found.verdict, found.attempts) == ("no-evidence", 2)
        assert {verdict: count for verdict, (count, _) in depth(database).finished.items()} == {"no-evidence": 1}


def test_a_lease_that_is_renewed_holds(address: str, uploads: Path) -> None:
    with Database(address) as database:
        queue = Queue(database, 0.6, 3)
        add_upload(Jobs(database, uploads), b"1")
        claim = queue.claim()
        assert claim is not None
        for _ in range(4):
            time.sleep(0.2)
            queue.renew([claim.lease])
        assert queue.claim() is None
        assert queue.finish(claim, calm("a.mp4"))


def test_a_job_that_was_deleted_meanwhile_is_not_finished(address: str, uploads: Path) -> None:
    with Database(address) as database:
        store, queue = Jobs(database, uploads), Queue(database, 10, 3)
        job_id = add_upload(store, b"1")
        claim = queue.claim()
        assert store.remove("team", job_id)
        assert claim is not None
        assert not queue.finish(claim, calm("a.mp4"))
        assert store.find("team", job_id) is None


def test_an_attempt_that_was_given_back_counts_for_nothing(address: str, uploads: Path) -> None:
    with Database(address) as database:
        queue = Queue(database, 10, 1)
        add_upload(Jobs(database, uploads), b"1")
        for _ in range(3):
            claim = queue.claim()
            assert claim is not None
            assert not claim.exhausted
            assert queue.give_back(claim)
        claim = queue.claim()
        assert claim is not None
        assert not queue.retry(claim)  # it has cost the one worker that it may
