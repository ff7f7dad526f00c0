"""The queue: jobs that wait, each in the hand of one worker at a time.

A worker takes a job with a lease, and keeps saying that it lives. A lease that ends unrenewed is another's to take; the
result of a job is kept only while its lease is held, so that none is done twice. Each taking counts as an attempt: a
file that costs too many workers is handed out once more only to be told as an error.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from sfumato.app.scan.record import duration
from sfumato.app.service.store.database import Database, deliveries, jobs, keys, totals
from sfumato.text import json_line

QUEUED, RUNNING, DONE = "queued", "running", "done"
WAITING = "waiting"


@dataclass(frozen=True)
class Claim:
    """A job in hand. lease: proves that; exhausted: it has cost as many workers as one may."""

    job_id: str
    name: str
    lease: str
    exhausted: bool


class Queue:
    """`lease`: seconds that a silent worker keeps a job; `attempts`: so many workers may one job cost."""

    def __init__(self, database: Database, lease: float, attempts: int) -> None:
        self.database, self.lease, self.attempts = database, lease, attempts

    def claim(self) -> Claim | None:
        """The job that waits longest, or one whose worker is silent; None where there is none. Raises OutputError."""
        with self.database.writing() as connection:
            now = self.database.now(connection)
            free = or_(jobs.c.state == QUEUED, and_(jobs.c.state == RUNNING, jobs.c.lease_ends < now))
            oldest = select(jobs.c.id, jobs.c.name, jobs.c.attempts).where(free).order_by(jobs.c.created, jobs.c.id)
            row = connection.execute(oldest.limit(1).with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            lease = secrets.token_hex(16)
            connection.execute(
                update(jobs).where(jobs.c.id == row.id).values(
                    state=RUNNING, started=now, attempts=jobs.c.attempts + 1, lease=lease, lease_ends=now + self.lease,
                )
            )  # fmt: skip
            return Claim(row.id, row.name, lease, row.attempts >= self.attempts)

    def renew(self, leases: Iterable[str]) -> None:
        """The workers that hold these are alive. Raises OutputError."""
        with self.database.writing() as connection:
            ends = self.database.now(connection) + self.lease
            connection.execute(update(jobs).where(jobs.c.lease.in_(list(leases))).values(lease_ends=ends))

    def give_back(self, claim: Claim) -> bool:
        """The job waits again, and the attempt counts for nothing; False if it was another's already."""
        return self._release(claim, attempts=jobs.c.attempts - 1)

    def retry(self, claim: Claim) -> bool:
        """The job waits again after it cost a worker; False if it was another's already, or may cost no more."""
        return self._release(claim, jobs.c.attempts < self.attempts)

    def finish(self, claim: Claim, record: Mapping[str, Any], tree: Any = None) -> bool:
        """Keeps the record, and what a webhook will say of it; False if the job is no longer in this hand."""
        with self.database.writing() as connection:
            now = self.database.now(connection)
            held = select(jobs.c.started, jobs.c.key_id).where(jobs.c.id == claim.job_id, jobs.c.lease == claim.lease)
            row = connection.execute(held.with_for_update()).first()
            if row is None:
                return False
            connection.execute(
                update(jobs).where(jobs.c.id == claim.job_id).values(
                    state=DONE, finished=now, lease=None, lease_ends=None, verdict=record["verdict"],
                    review=record["review"], status=record["status"], score=record["score"],
                    length=duration(record), record=json_line(record),
                    tree=None if tree is None else json_line(tree),
                )
            )  # fmt: skip
            more = {"jobs": totals.c.jobs + 1, "seconds": totals.c.seconds + (now - row.started)}
            first = {"verdict": record["verdict"], "jobs": 1, "seconds": now - row.started}
            self.database.upsert(connection, totals, first, more)
            _announce(connection, claim.job_id, row.key_id, record, now)
            return True

    def _release(self, claim: Claim, *conditions: Any, **changes: Any) -> bool:
        with self.database.writing() as connection:
            mine = update(jobs).where(jobs.c.id == claim.job_id, jobs.c.lease == claim.lease, *conditions)
            freed = mine.values(state=QUEUED, started=None, lease=None, lease_ends=None, **changes)
            return connection.execute(freed).rowcount == 1


@dataclass(frozen=True)
class Depth:
    """jobs: how many by state; oldest: seconds that the first one waits, 0 where none does; finished: {verdict: (how
    many ever, seconds of them)}; webhooks: how many by state.
    """

    jobs: Mapping[str, int]
    oldest: float
    finished: Mapping[str, tuple[int, float]]
    webhooks: Mapping[str, int]


def depth(database: Database) -> Depth:
    """Raises OutputError."""
    with database.reading() as connection:
        by_state = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        found = {state: int(count) for state, count in connection.execute(by_state)}
        first = connection.execute(select(func.min(jobs.c.created)).where(jobs.c.state == QUEUED)).scalar()
        waited = 0.0 if first is None else max(0.0, database.now(connection) - first)
        ever = {row.verdict: (row.jobs, row.seconds) for row in connection.execute(select(totals))}
        sent = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        told = {state: int(count) for state, count in connection.execute(sent)}
    return Depth({state: found.get(state, 0) for state in (QUEUED, RUNNING, DONE)}, waited, ever, told)


def _announce(connection: Connection, job_id: str, key_id: str, record: Mapping[str, Any], now: float) -> None:
    """Puts the webhook's text beside the record, in the same transaction: neither is without the other."""
    asked = connection.execute(select(keys.c.webhook).where(keys.c.id == key_id, keys.c.revoked.is_(None))).scalar()
    if asked is None:
        return
    body = json.dumps({"event": "job.done", "job": job_id, "verdict": record["verdict"], "review": record["review"],
                       "status": record["status"], "score": record["score"]})  # fmt: skip
    values = {"id": secrets.token_hex(16), "job_id": job_id, "key_id": key_id, "body": body}
    connection.execute(insert(deliveries).values(**values, state=WAITING, attempts=0, due=now))
