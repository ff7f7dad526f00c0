"""A service without nets for the tests: what an upload holds says what becomes of the process that judges it."""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.app.scan.scanner import Scanner
from sfumato.app.scan.setup import ScanJob
from sfumato.app.service.store.database import Database
from sfumato.app.service.store.jobs import Jobs, new_id
from sfumato.app.service.store.queue import Queue
from sfumato.app.service.worker import Workers
from sfumato.execution.executor import Limits
from tests.review_fixtures import calm, flagged


class Bundle:
    """As much of a detector as the record of a failure names."""

    record = {"name": "toy", "version": "0"}
    digest = "b" * 64

    class scorer:
        name = "onnxruntime"

    @property
    def video_thresholds(self) -> Any:
        from detector.inference.thresholds import Thresholds

        return Thresholds({0.1: 0.0, 0.01: 0.405}, 99, "toy")


class Detector:
    bundle = Bundle()


class StandIn(Scanner):
    """As much of a scanner as the record of a failure needs."""

    def __init__(self) -> None:
        self.detector, self.fpr = Detector(), 0.01  # type: ignore[assignment]

    def _facts(self) -> Any:
        return None


def stand_in() -> Scanner:
    return StandIn()


def judge(job: ScanJob) -> dict[str, Any]:
    """A record by the content: "die", "hang" and "raise" do so; what begins with "calm" is for nobody."""
    data = job.path.read_bytes()
    if data == b"die":
        os.abort()
    if data == b"hang":
        time.sleep(60)
    if data == b"once" and not (mark := job.path.with_name("seen")).exists():  # held in hand, the first time
        mark.touch()
        time.sleep(60)
    if data == b"raise":
        raise ValueError("a library's words")
    digest = hashlib.sha256(data).hexdigest()
    record = (calm if data.startswith(b"calm") else flagged)(job.path.name, digest)
    return {"record": record | {"notes": [f"process {os.getpid()}"]}, "tree": None}


def begin() -> Callable[[ScanJob], dict[str, Any]]:
    return judge


def add_upload(jobs: Jobs, data: bytes, owner: str = "team", name: str = "a.mp4", key_id: str = "k") -> str:
    """A job that waits, with its file."""
    job_id = new_id()
    path = jobs.file(job_id, name)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    jobs.add(job_id, owner, key_id, name, len(data), hashlib.sha256(data).hexdigest())
    return job_id


def workers(database: Database, uploads: Path, count: int = 1, lease: float = 5.0, **options: Any) -> Workers:
    """Workers without nets, that look into the queue all the time."""
    limits = options.pop("limits", Limits(2.0))
    queue = Queue(database, lease, options.pop("attempts", 2))
    return Workers(queue, Jobs(database, uploads), stand_in(), begin, count, limits, idle=0.02, **options)


@dataclass
class Served:
    """A service that answers at `address`."""

    running: Any
    address: str

    def client(self, owner: str = "team", role: str = "submit", name: str = "Ada", webhook: str | None = None) -> Any:
        """An httpx client with a new key."""
        import httpx

        made = self.running.access.add_key(owner, name, role, webhook)
        client = httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {made.secret}"}, timeout=30)
        client.made = made  # type: ignore[attr-defined]
        return client

    def judge_all(self) -> None:
        """What workers would do, here."""
        queue = Queue(self.running.database, 60.0, 1)
        while (claim := queue.claim()) is not None:
            told = judge(ScanJob(self.running.jobs.file(claim.job_id, claim.name), ""))
            assert queue.finish(claim, told["record"])


def finished(client: Any, job_id: str) -> dict[str, Any]:
    """The job, once it is done."""
    end = time.monotonic() + 60
    while (job := client.get(f"/v1/jobs/{job_id}").json())["state"] != "done":
        assert time.monotonic() < end, job
        time.sleep(0.05)
    return dict(job)


def main() -> None:
    """A worker's process of its own, until it is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("uploads", type=Path)
    parser.add_argument("lease", type=float)
    asked = parser.parse_args()
    with ExitStack() as stack:
        database = stack.enter_context(Database(asked.database))
        stack.enter_context(workers(database, asked.uploads, 1, asked.lease, limits=Limits(60.0)))
        print("working", flush=True)
        time.sleep(600)


if __name__ == "__main__":
    main()
