"""Reading files in several processes: tasks in, results out as they come; a file that kills its reader costs that file
only.

Each process holds its own nets and one thread. Files are handed out one by one, so that a tree of a million is never
listed. A process that is told to end removes what it was writing; one whose parent is gone ends by itself.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from generator.data.footage import Source
from generator.data.reading import NoUsableFaceError, PrepareConfig, Preparer
from sfumato.errors import MediaError, SfumatoError

UNREADABLE, CRASHED = "unreadable", "its reading crashed"
_PATIENCE = 10.0  # seconds for a process to tidy up


@dataclass(frozen=True)
class Task:
    """One file to read, and where its first shard goes."""

    number: int
    source: Source
    digest: str
    shard: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a task. `refused` says why nothing came of it, "" if something did; `reason` is the kind of
    that.
    """

    task: Task
    shards: int = 0
    frames: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    cut_off: bool = False
    refused: str = ""
    reason: str = ""


def read(preparer: Preparer, task: Task) -> Outcome:
    """One file; whatever is wrong with it is in the outcome. Only errors that all files would share are raised
    (OutputError, ...).
    """
    try:
        made = preparer.prepare_file(task.source, task.digest, task.shard)
    except NoUsableFaceError as error:
        return Outcome(task, dropped=error.dropped, refused=error.message, reason=error.reason)
    except MediaError as error:
        return Outcome(task, refused=error.message, reason=UNREADABLE)
    except SfumatoError:
        raise
    except Exception as error:  # what a foreign library makes of a foreign file must not end the run
        return Outcome(task, refused=f"{task.source.path}: {type(error).__name__}: {error}", reason=UNREADABLE)
    return Outcome(task, made.shards, made.frames, made.dropped, made.cut_off)


def read_all(tasks: Iterator[Task], config: PrepareConfig, workers: int) -> Generator[Outcome, None, None]:
    """Reads every task, in `workers` processes (1: in this one). Outcomes come in any order; each file's is the same in
    any case.

    Raises what `read` raises. Closing the iterator ends the processes.
    """
    if workers == 1:
        with _one_thread():
            preparer = Preparer(config)
            for task in tasks:
                yield read(preparer, task)
        return
    crew = [_Worker(config) for _ in range(workers)]
    try:
        working = [worker for worker in crew if worker.give(next(tasks, None))]
        while working:
            ready = wait([worker.pipe for worker in working])
            for worker in [worker for worker in working if worker.pipe in ready]:
                yield worker.take()
                if not worker.give(next(tasks, None)):
                    working.remove(worker)
    finally:
        for worker in crew:
            worker.tell_to_end()
        for worker in crew:
            worker.end()


class _Worker:
    """A process and the pipe to it; started when there is something to do, and again if it dies."""

    def __init__(self, config: PrepareConfig) -> None:
        self.config = config
        self.process: SpawnProcess | None = None
        self.pipe: Connection
        self.task: Task | None = None

    def give(self, task: Task | None) -> bool:
        """Hands a task over; False without one."""
        self.task = task
        if task is None:
            return False
        if self.process is None:
            self._start()
        with suppress(OSError):  # it died between two tasks: `take` will say so
            self.pipe.send(task)
        return True

    def take(self) -> Outcome:
        """The outcome of the task that was given, once the pipe is ready."""
        assert self.task is not None  # noqa: S101
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            task, code = self.task, self._bury()
            return Outcome(
                task, refused=f"{task.source.path}: the process that read it ended with {code}", reason=CRASHED
            )
        if isinstance(answer, Outcome):
            return answer
        kind, message, advice = answer
        raise kind(message, advice)

    def tell_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()  # SIGTERM: it removes what it was writing

    def end(self) -> None:
        if self.process is not None:
            self.process.join(_PATIENCE)
            self._bury()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=_work, args=(far, self.config), daemon=True)
        self.process.start()
        far.close()  # ours: the process has its own, and its death now ends the pipe

    def _bury(self) -> int | None:
        assert self.process is not None  # noqa: S101
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self.pipe.close()
        self.process = None
        return code


def _work(pipe: Connection, config: PrepareConfig) -> None:
    """A process's life: one Preparer, one task after another until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as an exception, so that half-written files are removed
    with suppress(EOFError, OSError), _one_thread():
        try:
            preparer = Preparer(config)
            while True:
                pipe.send(read(preparer, pipe.recv()))
        except SfumatoError as error:
            pipe.send((type(error), error.message, error.advice))


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch and OpenCV: several processes share the machine, and the same sums come out however many
    they are.
    """
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
