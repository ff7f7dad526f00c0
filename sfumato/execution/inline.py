"""The executor without processes: one task after the other, here. It can hold nobody to a limit, and says so."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable

from sfumato.errors import SfumatoError, UsageError
from sfumato.execution.executor import FAILED, Begin, Done, Limits, Task, Value
from sfumato.execution.threads import one_thread


def run_inline(
    tasks: Iterable[Task], begin: Begin[Task, Value], workers: int, limits: Limits
) -> Generator[Done[Task, Value], None, None]:
    """See `Executor`. Raises UsageError if it is asked for limits or several workers."""
    if limits != Limits() or workers != 1:
        raise UsageError(
            "Without processes there is one worker and no limit to what a task may take", "Take processes."
        )
    with one_thread():
        work = begin()
        for task in tasks:
            started = time.monotonic()
            try:
                done = Done[Task, Value](task, work(task))
            except SfumatoError:
                raise
            except Exception as error:  # what a foreign library makes of a foreign file must not end the run
                done = Done(task, failure=FAILED, message=f"{type(error).__name__}: {error}")
            yield Done(task, done.value, done.failure, done.message, time.monotonic() - started)
