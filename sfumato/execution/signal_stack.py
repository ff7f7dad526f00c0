"""The stack on which a thread handles signals, kept through code that leaves another one behind.

OpenVINO gives the compiling thread an alternate signal stack and frees it with the model. Python handles signals on
that stack: the next Ctrl-C would end the program with a segmentation fault. In: nothing. Out: the stack that was there
before.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DISABLED = 2  # SS_DISABLE of sigaltstack(2): the thread has no such stack


class _Stack(ctypes.Structure):
    """stack_t of Linux."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def signal_stack_kept() -> Iterator[None]:
    """Puts this thread's alternate signal stack back at the end. Does nothing where there is no Linux."""
    if not sys.platform.startswith("linux"):
        yield
        return
    library, before = ctypes.CDLL(None), _Stack()
    known = library.sigaltstack(None, ctypes.byref(before)) == 0
    try:
        yield
    finally:
        if known:
            before.flags &= _DISABLED
            library.sigaltstack(ctypes.byref(before), None)


def signal_stack() -> tuple[int | None, int]:
    """Where this thread's alternate signal stack lies (None: it has none), and its size in bytes; (None, 0) where there
    is no Linux.
    """
    now = _Stack()
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).sigaltstack(None, ctypes.byref(now))
    return now.address, int(now.size)
