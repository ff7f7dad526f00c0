"""What is done from time to time."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import update

from sfumato.app.service.housekeeping import Housekeeping
from sfumato.app.service.store.database import Database, jobs
from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.webhooks import Webhooks
from tests.service_fixtures import add_upload


def test_a_fault_stops_nothing(uploads: Path, tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'service.sqlite3'}") as database:
        keeper, calls = Housekeeping(Jobs(database, uploads), Webhooks(database)), list[int]()

        def chore() -> int:
            calls.append(1)
            if len(calls) == 1:
                raise OSError("the disk is away")
            keeper._stop.set()
            return 0

        keeper._repeat(chore, 0.0)
    assert len(calls) == 2


def test_uploads_go_after_their_days(tmp_path: Path, uploads: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'service.sqlite3'}") as database:
        store = Jobs(database, uploads)
        old, new, waiting = (add_upload(store, b"1") for _ in range(3))
        with database.writing() as connection:
            done = update(jobs).values(state="done", finished=time.time() - 3 * 86_400)
            connection.execute(done.where(jobs.c.id == old))
            connection.execute(done.where(jobs.c.id == new).values(finished=time.time()))
        with Housekeeping(store, Webhooks(database), 2.0):
            end = time.monotonic() + 20
            while (uploads / old).exists():
                assert time.monotonic() < end
                time.sleep(0.02)
        found = store.find("team", old)
        assert found is not None
        assert not found.uploaded
    assert sorted(path.name for path in uploads.iterdir()) == sorted([new, waiting])
