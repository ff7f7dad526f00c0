"""What stands on another machine and has tasks done there, one at a time. In: `begin` and tasks, pickled. Out: what
came of each, pickled.

The work is done by a process of the pool, so limits, failures and their words are those of one machine; this process
lives on when that one dies. It never unpickles what it hands on, so nets are loaded once.
"""

from __future__ import annotations

import os
import pickle
import socket
import sys
from collections.abc import Callable, Generator, Iterator
from functools import partial

from sfumato.errors import SfumatoError, UsageError
from sfumato.execution.executor import Done, Limits
from sfumato.execution.pool import run_in_processes
from sfumato.version import __version__

Answer = Done[None, bytes] | SfumatoError  # what a task raises for all tasks is handed back, not raised


class Supervisor:
    """begin: pickled; folder: where names of files without a root are looked up, as where the run was called."""

    def __init__(self, begin: bytes, limits: Limits, folder: str) -> None:
        # A spawned process runs its parent's program again, up to the guard: not Ray's, which is large.
        vars(sys.modules["__main__"]).pop("__file__", None)
        self._begin = partial(begin_in, folder, begin)
        self._limits = limits
        self._task = b""
        self._results: Generator[Done[bytes, bytes], None, None] | None = None

    def about(self) -> tuple[str, str]:
        """The name of this machine, and the version of this program on it."""
        return socket.gethostname(), __version__

    def do(self, task: bytes) -> Answer:
        """Has one task done; the process for it is started on the first one."""
        self._task = task
        if self._results is None:
            self._results = run_in_processes(self._handed_over(), self._begin, 1, self._limits)
        try:
            done = next(self._results)
        except SfumatoError as error:
            error.message = f"On {socket.gethostname()}: {error.message}"
            return error
        return Done(None, done.value, done.failure, done.message, done.seconds)

    def _handed_over(self) -> Iterator[bytes]:
        while True:
            yield self._task


def begin_in(folder: str, begin: bytes) -> Callable[[bytes], bytes]:
    """For the process that works: goes to `folder`, begins there, and returns what does a pickled task. Raises
    UsageError where this machine has no such folder, and what `begin` raises.
    """
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(
            f"There is no folder {folder} here: {error.strerror}",
            "Call the command in a folder that all machines share.",
        ) from error
    work = pickle.loads(begin)()  # noqa: S301 (from the machine that called, as all that Ray hands on)
    return lambda task: pickle.dumps(work(pickle.loads(task)))  # noqa: S301
