"""The executor of processes: spawned, one thread each, a limit of time and memory for one task, the dead replaced.

Nothing is forked: a fork would copy locks that other threads hold. A worker that dies, or takes too much, costs the
task in its hand, which is told as failed with the reason, and is followed by another worker. A worker that is told to
end removes what it was writing; one whose parent is gone ends by itself.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic

from sfumato.errors import SfumatoError, UsageError
from sfumato.execution.executor import (
    CRASHED,
    FAILED,
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    Begin,
    Done,
    Limits,
    Task,
    Value,
)
from sfumato.execution.stopping import STOPPING
from sfumato.execution.threads import one_thread, one_thread_from_the_start

KILLED = "its process ended by SIGKILL"  # which somebody else did, or the system for want of memory
_PATIENCE = 10.0  # seconds for a process to tidy up
_GLANCE = 0.05  # seconds between two looks at a worker's memory: torch fills a gigabyte in less than twenty of them
_RAISED = 1  # exit code of a Python process that an exception ended
_GUARD = (
    'A script that starts workers is imported by each of them: put what it does under `if __name__ == "__main__":`.'
)
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def run_in_processes(
    tasks: Iterable[Task], begin: Begin[Task, Value], workers: int, limits: Limits
) -> Generator[Done[Task, Value], None, None]:
    """See `Executor`. Results come in any order. A limit of memory is held where the system tells it (Linux)."""
    waiting = iter(tasks)
    prepared = pickle.dumps(begin)
    crew: list[_Worker[Task, Value]] = [_Worker(prepared, limits) for _ in range(workers)]
    try:
        busy = [worker for worker in crew if worker.give(waiting)]
        while busy:
            ready = wait([worker.pipe for worker in busy], _seconds_to_look(busy, limits))
            for worker in [worker for worker in busy if worker.pipe in ready or worker.exceeds()]:
                done = worker.take()
                if done is None:  # it has begun, and has its task still
                    continue
                yield done
                if not worker.give(waiting):
                    busy.remove(worker)
    finally:
        for worker in crew:
            worker.tell_to_end()
        for worker in crew:
            worker.end()


class _Worker(Generic[Task, Value]):
    """A process and the pipe to it; started when there is something to do, and again after it died."""

    def __init__(self, begin: bytes, limits: Limits) -> None:
        self.begin, self.limits = begin, limits
        self.process: SpawnProcess | None = None
        self.pipe: Connection
        self._tasks: list[Task] = []  # the one in hand, or none
        self.since = 0.0
        self._verdict = ""

    def give(self, tasks: Iterator[Task]) -> bool:
        """Hands the next task over; False when there is none."""
        self._tasks = list(islice(tasks, 1))
        if not self._tasks:
            return False
        self._verdict = ""
        self.since = time.monotonic()
        if self.process is None:
            self._start()
            self.since = math.inf  # until it has begun
        with suppress(OSError):  # it died between two tasks: `take` will say so
            self.pipe.send(self._tasks[0])
        return True

    def exceeds(self) -> bool:
        """Whether the task in hand takes more than it may."""
        if self.limits.seconds is not None and time.monotonic() - self.since > self.limits.seconds:
            self._verdict = OUT_OF_TIME
        elif self.limits.memory is not None and self.process and _resident(self.process.pid) > self.limits.memory:
            self._verdict = OUT_OF_MEMORY
        return bool(self._verdict)

    def take(self) -> Done[Task, Value] | None:
        """What came of the task in hand, once the pipe is ready or a limit was passed; None while it only begins.
        Raises UsageError for a worker that an exception ended before: others would end as it did.
        """
        task, seconds = self._tasks[0], max(0.0, time.monotonic() - self.since)
        if self._verdict:
            self._bury()
            return Done(task, failure=self._verdict, message=self._limit(), seconds=seconds)
        try:
            kind, answer = self.pipe.recv()
        except (EOFError, OSError):
            begun = self.since < math.inf
            if self.process is not None and not begun:
                self.process.join(_PATIENCE)  # by itself, for its exit code tells why
            if (code := self._bury()) == _RAISED and not begun:
                raise UsageError("A worker process cannot start; its own words are above", _GUARD) from None
            return Done(task, failure=CRASHED, message=f"its process ended {_ending(code)}", seconds=seconds)
        if kind == "begun":
            self.since = time.monotonic()
            return None
        if kind == "raise":
            raise answer
        if kind == FAILED:
            return Done(task, failure=FAILED, message=answer, seconds=seconds)
        return Done(task, answer, seconds=seconds)

    def tell_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()  # SIGTERM: it removes what it was writing

    def end(self) -> None:
        if self.process is not None:
            self.process.join(_PATIENCE)
            self._bury()

    def _limit(self) -> str:
        if self._verdict == OUT_OF_TIME:
            return f"it took more than {self.limits.seconds:g} s"
        return f"it took more than {(self.limits.memory or 0) / 2**20:.0f} MB"

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        process = context.Process(target=_live, args=(far,), daemon=True)
        process.start()
        self.process = process
        far.close()  # ours: the process has its own, and its death now ends the pipe
        with suppress(OSError):
            self.pipe.send_bytes(self.begin)

    def _bury(self) -> int | None:
        assert self.process is not None  # noqa: S101
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self.pipe.close()
        self.process = None
        return code


def _seconds_to_look(busy: Sequence[_Worker[Task, Value]], limits: Limits) -> float | None:
    """How long the workers may be left alone; None for as long as they take."""
    if limits.memory is not None:
        return _GLANCE
    if limits.seconds is not None:
        first = min(worker.since for worker in busy)
        return max(0.0, first + limits.seconds - time.monotonic()) if first < math.inf else None
    return None


def _live(pipe: Connection) -> None:
    """A worker's life: one task after another until it is told to end or its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    for number in STOPPING:  # as an exception, so that half-written files are removed; nohup stays nohup
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: sys.exit(0))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    one_thread_from_the_start()  # before anything is imported that `begin` needs
    with suppress(EOFError, OSError):
        try:
            work = pickle.loads(pipe.recv_bytes())()  # noqa: S301 (from the parent, by a pipe that nobody else has)
            pipe.send(("begun", None))  # loading nets is no task's time
            with one_thread():
                while True:
                    task = pipe.recv()
                    try:
                        answer = ("value", work(task))
                    except SfumatoError:
                        raise
                    except Exception as error:  # what a foreign library makes of a foreign file costs that file
                        answer = (FAILED, f"{type(error).__name__}: {error}")
                    pipe.send(answer)
        except SfumatoError as error:
            pipe.send(("raise", error))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, however that happened; by force if it does not end by itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE)
        os._exit(1)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"by {signal.Signals(-code).name}"
    return f"with {code}"


def _resident(pid: int | None) -> int:
    """Bytes of memory that a process holds; 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 (twenty times a second)
            return int(file.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
