"""Workers: jobs of the queue in, records out, by processes that are held to limits of time and memory.

Each worker is a thread with one process, which judges as `sfumato scan` does (sfumato.execution). One thread more says
that the jobs in hand are alive. When the service ends, what is in hand is finished within a grace, or given back.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from sfumato.app.scan.run import failure_record
from sfumato.app.scan.scanner import Scanner
from sfumato.app.scan.setup import ScanJob
from sfumato.app.service.store.jobs import Jobs
from sfumato.app.service.store.queue import Claim, Queue
from sfumato.errors import SfumatoError
from sfumato.execution.executor import CRASHED, Begin, Done, Limits, run
from sfumato.text import json_line

Told = Callable[[dict[str, Any]], None]
_BEATS = 4  # in the time of a lease: three may be lost
_log = logging.getLogger("sfumato.service")


@dataclass
class _Hand:
    """What one worker holds."""

    claim: Claim | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Workers:
    """`with Workers(queue, jobs, scanner, begin, count, limits): ...`. scanner: whose words a record of a failure has;
    begin: loads the nets in each process, see `judging`; told: gets each record, as it reads back from its line, ahead
    of its being kept.
    """

    def __init__(
        self, queue: Queue, jobs: Jobs, scanner: Scanner, begin: Begin[ScanJob, dict[str, Any]], count: int,
        limits: Limits, idle: float = 0.5, grace: float = 30.0, told: Told = lambda record: None,
    ) -> None:  # fmt: skip
        self.queue, self.jobs, self.scanner, self.begin, self.limits = queue, jobs, scanner, begin, limits
        self.idle, self.grace, self._told = idle, grace, told
        self._stop, self._ended = threading.Event(), threading.Event()
        self._hands = [_Hand() for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._work, args=(hand,), name=f"worker {number}", daemon=True)
            for number, hand in enumerate(self._hands)
        ]
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Workers:
        for thread in (self._heart, *self._threads):
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Takes no more jobs; gives back what is not finished within the grace. Its processes end with this one."""
        self._stop.set()
        end = time.monotonic() + self.grace
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        for hand in self._hands:
            self._let_go(hand)
        self._ended.set()

    @property
    def alive(self) -> bool:
        """Whether all of them go on."""
        return all(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float) -> None:
        """Lets them work for so long."""
        self._stop.wait(seconds)

    def _work(self, hand: _Hand) -> None:
        while not self._stop.is_set():
            try:
                with closing(run(self._tasks(hand), self.begin, 1, self.limits, "processes")) as results:
                    for done in results:
                        self._take(hand, done)
            except Exception as error:  # of the database or a disk, mostly: it may pass, and no job may stay in hand
                known = isinstance(error, SfumatoError)
                _log.error("worker failed", extra={"problem": str(error)}, exc_info=None if known else error)
                self._let_go(hand)
                self._stop.wait(5.0)

    def _tasks(self, hand: _Hand) -> Iterator[ScanJob]:
        """Jobs as they come; ends when no more are to be taken."""
        while not self._stop.is_set():
            claim = self.queue.claim()
            if claim is None:
                self._stop.wait(self.idle)
                continue
            path = self.jobs.file(claim.job_id, claim.name)
            if claim.exhausted:
                message = f"it ended {self.queue.attempts} workers"
                self._fail(claim, Done(ScanJob(path, ""), failure=CRASHED, message=message))
                continue
            hand.claim = claim
            yield ScanJob(path, "")

    def _take(self, hand: _Hand, done: Done[ScanJob, dict[str, Any]]) -> None:
        with hand.lock:
            claim, hand.claim = hand.claim, None
        if claim is None:  # given back
            return
        if done.value is not None:
            self._keep(claim, done.value["record"], done.value["tree"], done.seconds)
        elif done.failure != CRASHED or not self.queue.retry(claim):
            self._fail(claim, done)
        else:
            _log.warning("worker died", extra={"job": claim.job_id, "problem": done.message})

    def _fail(self, claim: Claim, done: Done[ScanJob, dict[str, Any]]) -> None:
        record = failure_record(done.task.path, done, self.scanner).as_json()
        record["file"]["path"] = claim.name
        self._keep(claim, record, None, done.seconds)

    def _keep(self, claim: Claim, record: dict[str, Any], tree: Any, seconds: float) -> None:
        self._told(json.loads(json_line(record)))
        kept = self.queue.finish(claim, record, tree)
        facts = {"job": claim.job_id, "verdict": record["verdict"], "status": record["status"], "seconds": seconds}
        _log.info("judged" if kept else "judged, but taken over by another worker", extra=facts)

    def _let_go(self, hand: _Hand) -> None:
        with hand.lock:
            claim, hand.claim = hand.claim, None
        if claim is not None:
            with suppress(SfumatoError):  # its lease ends by itself
                if self.queue.give_back(claim):
                    _log.info("given back", extra={"job": claim.job_id})

    def _beat(self) -> None:
        """To the end of the grace: until then the jobs are in hand."""
        while not self._ended.wait(self.queue.lease / _BEATS):
            if leases := [claim.lease for hand in self._hands if (claim := hand.claim) is not None]:
                try:
                    self.queue.renew(leases)
                except SfumatoError as error:
                    _log.error("heartbeat failed", extra={"problem": str(error)})
