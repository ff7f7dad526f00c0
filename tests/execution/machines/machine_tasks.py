"""Tasks that end what stands around them, as a machine that dies would. In: what to end, and a file that says whether
that was done before.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.execution.pool_tasks import do


def do_or_end(task: str) -> str:
    """`do`, and: end WORKER|PROCESS once|always FILE."""
    kind, _, rest = task.partition(" ")
    if kind != "end":
        return do(task)
    whom, how_often, file = rest.split(" ")
    before = Path(file).exists()
    Path(file).touch()
    if before and how_often == "once":
        return "done again"
    os.kill(os.getppid() if whom == "worker" else os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return "never"


def begin() -> Callable[[str], str]:
    return do_or_end
