"""The executor of a Ray cluster: one supervisor a worker, wherever the cluster has a CPU free.

Tasks go out one by one, as workers become free, and are named in the results as they were given: only their pickles
travel. A file that ends its process, or takes too much, fails as in the pool of one machine. A worker that somebody
else ended (its machine died, `kill -9`) says nothing about its task, which is done once more elsewhere; the second
time it counts as crashed.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TextIO

import ray
from ray.exceptions import RayError, RayTaskError

from sfumato.errors import SfumatoError, UsageError
from sfumato.execution.executor import CRASHED, Begin, Done, Limits, Task, Value
from sfumato.execution.machines.supervisor import Supervisor
from sfumato.execution.pool import KILLED
from sfumato.execution.stopping import STOPPING
from sfumato.version import __version__

_ADDRESS = re.compile(r"([A-Za-z0-9._-]+):([0-9]{1,5})")
_ANSWER = 10.0  # seconds for the head to answer: Ray itself would ask for minutes
_GLANCE = 5.0  # seconds between two looks at whether anybody works
_NOBODY = 300.0  # seconds without one worker: a cluster that makes machines on demand takes minutes
_LOST_STARTS = 3  # workers that died before they had begun, for each that is wanted
_TRIES = 2  # of a task whose worker somebody else ended


def run_on_ray(
    tasks: Iterable[Task], begin: Begin[Task, Value], workers: int, limits: Limits, address: str = ""
) -> Generator[Done[Task, Value], None, None]:
    """See `Executor`. workers: 0 for as many as the cluster has CPUs now; those for which none is free begin when one
    is. address: HOST:PORT of the cluster's head; this machine has to be one of the cluster.

    Raises UsageError for an address that is none, where no cluster answers, no machine has a CPU free, or workers
    cannot begin.
    """
    with _connected(address):
        crew = _Crew[Task, Value](begin, limits, workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
        try:
            yield from crew.run(iter(tasks))
        finally:
            crew.end()


@dataclass
class _InHand(Generic[Task]):
    """A task, and how many workers were lost with it."""

    task: Task
    lost: int = 0
    since: float = 0.0


@dataclass
class _Post(Generic[Task]):
    """A worker that something is waited for from: that it is there, or what came of what it has in hand."""

    worker: Any
    hand: _InHand[Task] | None = None


class _Crew(Generic[Task, Value]):
    def __init__(self, begin: Begin[Task, Value], limits: Limits, workers: int) -> None:
        self._arguments = (pickle.dumps(begin), limits, os.getcwd())  # noqa: PTH109 (a plain str)
        self._workers = workers
        self._kind: Any = ray.remote(Supervisor)
        self._kind = self._kind.options(num_cpus=1, scheduling_strategy="SPREAD")
        self._posts: dict[Any, _Post[Task]] = {}  # by the reference that is waited for
        self._queue: deque[_InHand[Task]] = deque()  # taken, and in nobody's hand; never more than there are workers
        self._exhausted, self._lost_starts, self._somebody = False, 0, time.monotonic()

    def run(self, tasks: Iterator[Task]) -> Generator[Done[Task, Value], None, None]:
        self._queue.extend(_InHand(task) for task in islice(tasks, self._workers))
        self._exhausted = not self._queue
        for _ in range(len(self._queue)):
            self._hire()
        while self._queue or not self._exhausted or any(post.hand is not None for post in self._posts.values()):
            ready, _ = ray.wait(list(self._posts), timeout=_GLANCE)
            self._require_somebody()
            for reference in ready:
                post = self._posts.pop(reference)
                done = self._take(reference, post)
                if done is not None:
                    yield done
                if post.worker is not None:
                    self._give(post.worker, tasks)
                elif (hand := self._next(tasks)) is not None:
                    self._queue.appendleft(hand)
                    self._hire()

    def end(self) -> None:
        """Ends every worker; the process below each tidies up when it finds itself alone."""
        for post in self._posts.values():
            _end(post.worker)
        self._posts.clear()

    def _hire(self) -> None:
        worker = self._kind.remote(*self._arguments)
        self._posts[worker.about.remote()] = _Post(worker)

    def _give(self, worker: Any, tasks: Iterator[Task]) -> None:
        """The next task to a worker that has none; without one it is let go."""
        hand = self._next(tasks)
        if hand is None:
            _end(worker)
            return
        hand.since = time.monotonic()
        self._posts[worker.do.remote(pickle.dumps(hand.task))] = _Post(worker, hand)

    def _next(self, tasks: Iterator[Task]) -> _InHand[Task] | None:
        if self._queue:
            return self._queue.popleft()
        for task in tasks:
            return _InHand(task)
        self._exhausted = True
        return None

    def _take(self, reference: Any, post: _Post[Task]) -> Done[Task, Value] | None:
        """What came of the task in hand; None where it only begins, or has to be done again. Of a worker that is gone
        `post.worker` is None afterwards.
        """
        try:
            answer = ray.get(reference)
        except RayError as error:
            if post.hand is None and (isinstance(error, RayTaskError) or getattr(error, "actor_init_failed", False)):
                raise _cannot_start(error) from error
            if isinstance(error, RayTaskError):  # a fault of the supervisor
                raise
            _end(post.worker)
            post.worker = None
            if post.hand is not None:
                return self._lost(post.hand, "somebody ended its worker, or the machine")
            self._lost_starts += 1
            if self._lost_starts > _LOST_STARTS * self._workers:
                raise _cannot_start(error) from error
            return None
        if isinstance(answer, SfumatoError):
            raise answer
        if post.hand is None:
            self._begun(*answer)
            return None
        if answer.failure == CRASHED and answer.message == KILLED:
            return self._lost(post.hand, answer.message)
        value = None if answer.value is None else pickle.loads(answer.value)  # noqa: S301 (from our own process)
        return Done(post.hand.task, value, answer.failure, answer.message, answer.seconds)

    def _lost(self, hand: _InHand[Task], why: str) -> Done[Task, Value] | None:
        hand.lost += 1
        if hand.lost < _TRIES:
            self._queue.appendleft(hand)
            return None
        seconds = time.monotonic() - hand.since
        return Done(hand.task, failure=CRASHED, message=f"{hand.lost} times, the last time {why}", seconds=seconds)

    def _begun(self, host: str, version: str) -> None:
        self._lost_starts = 0
        if version != __version__:
            raise UsageError(
                f"{host} has version {version} of sfumato, this machine {__version__}",
                "Install the same on every machine of the cluster.",
            )

    def _require_somebody(self) -> None:
        now = time.monotonic()
        if any(post.hand is not None for post in self._posts.values()):
            self._somebody = now
        elif now - self._somebody > _NOBODY:
            raise UsageError(
                f"No machine of the cluster had a CPU free for {_NOBODY:.0f} s", "Look what runs there: ray status."
            )


def _end(worker: Any) -> None:
    with suppress(RayError, ValueError):
        ray.kill(worker)


def _cannot_start(error: RayError) -> UsageError:
    last = next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
    return UsageError(
        f"A worker of the cluster cannot start: {last}", "Install the same sfumato on every machine of the cluster."
    )


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connected to the cluster; where this program is already, it stays so afterwards."""
    named = _ADDRESS.fullmatch(address)
    if named is None:
        raise UsageError(f"{address!r} is no address of a Ray cluster", "Name its head as HOST:PORT.")
    if ray.is_initialized():
        here = ray.get_runtime_context().gcs_address
        if here != address:
            raise UsageError(f"This program is connected to the Ray cluster at {here}", "Name that one.")
        yield
        return
    with _signals_kept():
        try:
            socket.create_connection((named[1], int(named[2])), _ANSWER).close()
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (RayError, RuntimeError, ValueError, OverflowError, OSError) as error:
            ray.shutdown()
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise UsageError(
                f"The Ray cluster at {address} cannot be joined: {first}",
                "Call the command on a machine of the cluster, with its token (RAY_AUTH_MODE=token) if it has one.",
            ) from error
    try:
        output: Any = _WithoutRay(sys.stdout)
        with redirect_stdout(output):
            yield
    finally:
        with _signals_kept():
            ray.shutdown()


class _WithoutRay:
    """Standard output for all but Ray's own threads, which tell there of workers that died: it goes to stderr."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, text: str) -> int:
        return self._sink().write(text)

    def flush(self) -> None:
        self._sink().flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def _sink(self) -> TextIO:
        return sys.stderr if threading.current_thread().name.startswith("ray_") else self._output


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself when it connects."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
