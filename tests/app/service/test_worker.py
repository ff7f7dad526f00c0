"""Workers: every job gets one record, whatever it does to the process that judges it, and whoever is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from sfumato.app.service.store.database import Database, jobs
from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.store.queue import depth
from sfumato.execution.executor import Limits
from tests.service_fixtures import add_upload, workers

ROOT = Path(__file__).resolve().parents[3]


def until(holds: Callable[[], Any], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def all_done(database: Database) -> Callable[[], bool]:
    return lambda: depth(database).jobs["queued"] + depth(database).jobs["running"] == 0


def test_every_job_gets_a_record_whatever_it_does(address: str, uploads: Path) -> None:
    with Database(address) as database:
        store = Jobs(database, uploads)
        ids = {text: add_upload(store, text.encode()) for text in ("1", "die", "raise", "hang", "calm")}
        with workers(database, uploads, 2, limits=Limits(1.0)):
            until(all_done(database))
        told = {text: store.told("team", job_id) for text, job_id in ids.items()}
    codes = {
        text: found[1]["reasons"][0]["code"] for text, found in told.items() if found and found[0].status == "error"
    }
    assert codes == {"die": "worker_died", "raise": "failed", "hang": "timeout"}
    assert {found[0].attempts for text, found in told.items() if found and text != "die"} == {1}
    assert told["die"] is not None
    assert told["die"][0].attempts == 2  # one more worker was risked for it
    assert {found[1]["file"]["path"] for found in told.values() if found} == {"a.mp4"}
    assert [found[1]["verdict"] for text, found in told.items() if found and text == "calm"] == ["no-evidence"]


def test_a_worker_that_ends_gives_back_what_it_cannot_finish(address: str, uploads: Path) -> None:
    with Database(address) as database:
        store = Jobs(database, uploads)
        job_id = add_upload(store, b"hang")
        with workers(database, uploads, limits=Limits(60.0), grace=0.1):
            until(lambda: depth(database).jobs["running"] == 1)
        found = store.find("team", job_id)
    for process in multiprocessing.active_children():  # of the hanging job: it ends with the service's own process
        process.kill()
        process.join()
    assert found is not None
    assert (found.state, found.attempts) == ("queued", 0)


def test_a_job_that_cost_too_many_workers_becomes_an_error(address: str, uploads: Path) -> None:
    """The whole machine died with it, so that nobody could say so."""
    with Database(address) as database:
        store = Jobs(database, uploads)
        job_id = add_upload(store, b"1")
        with database.writing() as connection:
            connection.execute(update(jobs).values(state="running", attempts=2, lease="gone", lease_ends=0.0))
        with workers(database, uploads):
            until(all_done(database))
        told = store.told("team", job_id)
    assert told is not None
    assert told[1]["status"] == "error"
    assert "it ended 2 workers" in told[1]["reasons"][0]["detail"]


def test_of_several_workers_one_is_killed_and_no_job_is_lost_or_done_twice(address: str, uploads: Path) -> None:
    """The first has a job in hand when it is killed; two others share the rest, and take that one over."""
    count = 200
    with Database(address) as database:
        store = Jobs(database, uploads)
        held = add_upload(store, b"once")
        ids = [held, *(add_upload(store, f"calm {number}".encode()) for number in range(count - 1))]
        command = [sys.executable, "-m", "tests.service_fixtures", address, str(uploads), "2"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        crew = []
        try:
            for _ in range(3):
                crew.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
                until((uploads / held / "seen").exists)
            until(lambda: depth(database).jobs["done"] >= 20)
            crew[0].send_signal(signal.SIGKILL)
            until(all_done(database))
        finally:
            for process in crew:
                process.kill()
                process.wait()
        with database.reading() as connection:
            rows = {row.id: row for row in connection.execute(select(jobs))}
        ever = sum(finished for finished, _ in depth(database).finished.values())
    assert rows.keys() == set(ids)
    assert Counter((row.state, row.status) for row in rows.values()) == {("done", "ok"): count}
    assert ever == count  # counted with each record that was kept
    assert rows[held].attempts == 2
    assert {row.attempts for row in rows.values() if row.id != held} == {1}
