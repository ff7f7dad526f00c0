"""A polite request to end, taken as Ctrl-C is: SIGTERM and SIGHUP become an exception, so that what was half made is
removed.

In: nothing. Out: for as long as a command runs, `Stopped` in its main thread where one of them comes. A signal that
somebody chose to ignore (nohup) stays ignored.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPPING = tuple(
    number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)  # Windows has no SIGHUP


class Stopped(KeyboardInterrupt):
    """`number`: of the signal. As Ctrl-C it is no Exception, so that nobody takes it for a fault of a file."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Puts everything back at the end. Does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()
    before: dict[int, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a child by fork: it has nothing of ours to remove, and ends as it would have
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # a second one must not stop the tidying up
        raise Stopped(number)

    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def signal_of(error: BaseException | None) -> int | None:
    """The number of the signal that is behind an error, however often it was wrapped."""
    while error is not None:
        if isinstance(error, Stopped):
            return error.number
        error = error.__cause__ or error.__context__
    return None
