"""Jobs as their owner sees them: made, listed, decided on, deleted; and what each leaves on the disk.

Every question names the owner, so that nobody's job is found by another's key. A job's file lies in a folder of its
own under the name that it came with, made harmless.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Select, and_, delete, func, insert, or_, select, update

from sfumato.app.review.decisions import LABELS, SCHEMA
from sfumato.app.service.store.database import Database, decisions, jobs, usage
from sfumato.app.service.store.queue import DONE, QUEUED
from sfumato.errors import UsageError

LONGEST_NAME = 180  # bytes; file systems hold 255
LONGEST_REASON = 2000
_CURSOR = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?_[0-9a-f]{32}")
_SUMMARY = (
    jobs.c.id, jobs.c.name, jobs.c.size, jobs.c.sha256, jobs.c.uploaded, jobs.c.state, jobs.c.created, jobs.c.started,
    jobs.c.finished, jobs.c.attempts, jobs.c.verdict, jobs.c.review, jobs.c.status, jobs.c.score,
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What is told of a job. created, started, finished: seconds since 1970; uploaded: whether its file is still there;
    verdict, review, status, score: of its record, None before there is one.
    """

    id: str
    name: str
    size: int
    sha256: str
    uploaded: bool
    state: str
    created: float
    started: float | None
    finished: float | None
    attempts: int
    verdict: str | None
    review: bool | None
    status: str | None
    score: float | None


@dataclass(frozen=True)
class Asked:
    """Which jobs of a list: None for any."""

    state: str | None = None
    verdict: str | None = None
    review: bool | None = None


class Jobs:
    """Jobs of one database, with their files below `uploads`."""

    def __init__(self, database: Database, uploads: Path) -> None:
        self.database, self.uploads = database, uploads

    def file(self, job_id: str, name: str) -> Path:
        """Where the upload of a job lies. Both come from the database, which holds harmless names alone."""
        return self.uploads / job_id / name

    def count_one(self, owner: str, most: int) -> bool:
        """Counts a job of today; False if the owner has had as many as a day allows."""
        today = {"owner": owner, "day": datetime.now(UTC).date().isoformat(), "jobs": 1}
        with self.database.writing() as connection:
            return self.database.upsert(connection, usage, today, {"jobs": usage.c.jobs + 1}, usage.c.jobs >= most)

    def has_room(self, owner: str, most: int) -> bool:
        """Whether the owner may have another job today."""
        today = datetime.now(UTC).date().isoformat()
        with self.database.reading() as connection:
            used = select(usage.c.jobs).where(usage.c.owner == owner, usage.c.day == today)
            return (connection.execute(used).scalar() or 0) < most

    def forget(self, job_id: str) -> None:
        """Removes the file of what became no job."""
        shutil.rmtree(self.uploads / job_id, ignore_errors=True)

    def add(self, job_id: str, owner: str, key_id: str, name: str, size: int, sha256: str) -> Job:
        """A job whose file is there already waits from now on."""
        with self.database.writing() as connection:
            values = {
                "id": job_id, "owner": owner, "key_id": key_id, "name": name, "size": size, "sha256": sha256,
                "uploaded": True, "state": QUEUED, "created": self.database.now(connection), "attempts": 0,
            }  # fmt: skip
            connection.execute(insert(jobs).values(**values))
            return _job(connection.execute(select(*_SUMMARY).where(jobs.c.id == job_id)).one())

    def find(self, owner: str, job_id: str) -> Job | None:
        row = self._one(select(*_SUMMARY), owner, job_id)
        return None if row is None else _job(row)

    def record(self, owner: str, job_id: str) -> str | None:
        """The record's line, as the worker wrote it; None before there is one."""
        row = self._one(select(jobs.c.record), owner, job_id)
        return None if row is None else row.record

    def told(self, owner: str, job_id: str) -> tuple[Job, dict[str, Any], Any] | None:
        """A finished job with its record and the tree of its credential."""
        row = self._one(select(*_SUMMARY, jobs.c.record, jobs.c.tree), owner, job_id)
        if row is None or row.record is None:
            return None
        return _job(row), json.loads(row.record), None if row.tree is None else json.loads(row.tree)

    def page(self, owner: str, asked: Asked, most: int, after: str | None = None) -> tuple[list[Job], str | None]:
        """Jobs, the newest first, and where the next page begins; `after`: as an earlier page said. Raises UsageError
        for an `after` that no page gave.
        """
        wanted = select(*_SUMMARY).where(jobs.c.owner == owner)
        for column, value in (
            (jobs.c.state, asked.state),
            (jobs.c.verdict, asked.verdict),
            (jobs.c.review, asked.review),
        ):
            wanted = wanted if value is None else wanted.where(column == value)
        if after is not None:
            created, job_id = _place(after)
            earlier = and_(jobs.c.created == created, jobs.c.id < job_id)
            wanted = wanted.where(or_(jobs.c.created < created, earlier))
        with self.database.reading() as connection:
            newest = wanted.order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(most + 1)
            found = [_job(row) for row in connection.execute(newest)]
        more = f"{found[most - 1].created!r}_{found[most - 1].id}" if len(found) > most else None
        return found[:most], more

    def judged(self, owner: str, most: int) -> list[tuple[Job, float | None]]:
        """Finished jobs with their lengths in seconds, those for a person first, the highest score first."""
        wanted = select(*_SUMMARY, jobs.c.length).where(jobs.c.owner == owner, jobs.c.state == DONE)
        first = wanted.order_by(jobs.c.review.desc(), func.coalesce(jobs.c.score, -1.0).desc(), jobs.c.created.desc())
        with self.database.reading() as connection:
            return [(_job(row), row.length) for row in connection.execute(first.limit(most))]

    def remove(self, owner: str, job_id: str) -> bool:
        """Deletes a job with its file, record, decisions and webhook; False where there is none."""
        with self.database.writing() as connection:
            gone = connection.execute(delete(jobs).where(jobs.c.owner == owner, jobs.c.id == job_id)).rowcount == 1
        if gone:
            shutil.rmtree(self.uploads / job_id, ignore_errors=True)
        return gone

    def expire(self, days: float) -> int:
        """Removes the files of jobs that were finished so long ago; records and decisions stay. How many."""
        with self.database.writing() as connection:
            before = self.database.now(connection) - days * 86_400
            old = (jobs.c.uploaded.is_(True), jobs.c.state == DONE, jobs.c.finished < before)
            found = [row.id for row in connection.execute(select(jobs.c.id).where(*old))]
            connection.execute(update(jobs).where(jobs.c.id.in_(found)).values(uploaded=False))
        for job_id in found:
            shutil.rmtree(self.uploads / job_id, ignore_errors=True)
        return len(found)

    def sweep(self, age: float = 86_400.0) -> int:
        """Removes folders, so many seconds old, that no job has an upload in: of calls that were killed. How many."""
        old = [path for path in self.uploads.iterdir() if path.is_dir() and time.time() - path.stat().st_mtime > age]
        with self.database.reading() as connection:
            there = {row.id for row in connection.execute(select(jobs.c.id).where(jobs.c.uploaded.is_(True)))}
        strays = [path for path in old if path.name not in there]
        for path in strays:
            shutil.rmtree(path, ignore_errors=True)
        return len(strays)

    def decide(self, owner: str, job_id: str, key_id: str, reviewer: str, decision: str, reason: str) -> dict[str, Any]:
        """Keeps what a reviewer says of a finished job, in place of what the same one said before; as a line of an
        export. Raises UsageError for what is no decision, KeyError where there is no such record.
        """
        if decision not in LABELS:
            raise UsageError(f"{decision!r} is no decision", f"Choose one of: {', '.join(LABELS)}.")
        found = self.told(owner, job_id)
        if found is None:
            raise KeyError(job_id)
        with self.database.writing() as connection:
            now, reason = self.database.now(connection), reason[:LONGEST_REASON]
            said = {"decision": decision, "reason": reason, "time": now, "key_id": key_id}
            self.database.upsert(connection, decisions, {"job_id": job_id, "reviewer": reviewer, **said}, said)
        return _line(found[1], reviewer, decision, reason, now)

    def take_back(self, owner: str, job_id: str, reviewer: str) -> bool:
        """Removes a reviewer's own decision; False where there is none."""
        mine = select(jobs.c.id).where(jobs.c.owner == owner, jobs.c.id == job_id)
        said = delete(decisions).where(decisions.c.job_id.in_(mine), decisions.c.reviewer == reviewer)
        with self.database.writing() as connection:
            return connection.execute(said).rowcount == 1

    def decided(self, owner: str, job_id: str | None = None) -> list[dict[str, Any]]:
        """Decisions, of one job or of all, in the order of their time: each as the review page exports it."""
        wanted = select(jobs.c.record, decisions).join(jobs, jobs.c.id == decisions.c.job_id)
        wanted = wanted.where(jobs.c.owner == owner)
        wanted = wanted if job_id is None else wanted.where(jobs.c.id == job_id)
        with self.database.reading() as connection:
            rows = connection.execute(wanted.order_by(decisions.c.time, decisions.c.job_id)).all()
        return [_line(json.loads(row.record), row.reviewer, row.decision, row.reason, row.time) for row in rows]

    def _one(self, wanted: Select[Any], owner: str, job_id: str) -> Row[Any] | None:
        with self.database.reading() as connection:
            return connection.execute(wanted.where(jobs.c.owner == owner, jobs.c.id == job_id)).first()


def new_id() -> str:
    """128 random bits: nobody guesses another's."""
    return secrets.token_hex(16)


def harmless_name(given: str) -> str:
    """A file name out of what a client calls its file: the last part alone, no character that steers anything, not
    hidden, not too long; its suffix is kept.
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter if letter.isprintable() and letter not in ':*?"<>|' else "_" for letter in last)
    plain = plain.encode("utf-8", "replace").decode().strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem else (plain, "")
    suffix = suffix if len(suffix.encode()) <= 16 else ""
    room = LONGEST_NAME - len(suffix.encode())
    return (stem.encode()[:room].decode("utf-8", "ignore") or "upload") + suffix


def _job(row: Any) -> Job:
    return Job(*(getattr(row, column.name) for column in _SUMMARY))


def _place(after: str) -> tuple[float, str]:
    if not _CURSOR.fullmatch(after):
        raise UsageError("The cursor is none that a list gave", "Begin without one.")
    created, _, job_id = after.partition("_")
    return float(created), job_id


def _line(record: dict[str, Any], reviewer: str, decision: str, reason: str, at: float) -> dict[str, Any]:
    """In the form that the review page exports, and `sfumato labels` reads."""
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    file, model = record["file"], record["model"]
    return {
        "schema": SCHEMA, "path": file["path"], "sha256": file["sha256"], "decision": decision, "reviewer": reviewer,
        "time": when, "reason": reason, "verdict": record["verdict"], "score": record["score"],
        "model": model.get("sha256"),
    }  # fmt: skip
