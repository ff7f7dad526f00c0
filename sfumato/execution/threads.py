"""One thread for each library that would take them all: workers share the machine, and sums come out the same however
many.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def one_thread_from_the_start() -> None:
    """For a process that has loaded none of the libraries yet: they read these variables when they are loaded."""
    for name in _VARIABLES:
        os.environ[name] = "1"


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and OpenCV where they are loaded, and what they had before afterwards."""
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    before = (torch.get_num_threads() if torch else 1), (cv2.getNumThreads() if cv2 else 1)
    _set(1, 1)
    try:
        yield
    finally:
        if torch or cv2:
            _set(*before)


def _set(torch_threads: int, cv2_threads: int) -> None:
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(torch_threads)
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(cv2_threads)
