"""Reading files of footage side by side: tasks in, what became of each out. What kills its reader costs one file only.

Each worker holds its own nets; a file's shards are the same whoever reads it, and however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from generator.data.footage import Source
from generator.data.reading import NoUsableFaceError, PrepareConfig, Preparer
from sfumato.errors import MediaError
from sfumato.execution.executor import FAILED, run

UNREADABLE, CRASHED = "unreadable", "its reading crashed"


@dataclass(frozen=True)
class Task:
    """One file to read, and where its first shard goes."""

    number: int
    source: Source
    digest: str
    shard: Path


@dataclass(frozen=True)
class ReadResult:
    """What became of a task. `refused` says why nothing came of it, "" if something did; `reason` is the kind of
    that; `remarks`: as `Made` has them.
    """

    task: Task
    shards: int = 0
    frames: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    remarks: tuple[str, ...] = ()
    refused: str = ""
    reason: str = ""


def read(preparer: Preparer, task: Task) -> ReadResult:
    """One file. What is wrong with the file is in the outcome; errors that all files would share are raised
    (OutputError, ...).
    """
    try:
        made = preparer.prepare_file(task.source, task.digest, task.shard)
    except NoUsableFaceError as error:
        return ReadResult(task, dropped=error.dropped, refused=error.message, reason=error.reason)
    except MediaError as error:
        return ReadResult(task, refused=error.message, reason=UNREADABLE)
    return ReadResult(task, made.shards, made.frames, made.dropped, made.remarks)


def read_all(tasks: Iterator[Task], config: PrepareConfig, workers: int) -> Generator[ReadResult, None, None]:
    """Reads every task, with `workers` processes (1: in this one). Outcomes come in any order.

    Raises what `read` raises. Closing the iterator ends the processes.
    """
    for done in run(tasks, partial(_reader, config), workers):
        if done.value is not None:
            yield done.value
        else:
            reason = UNREADABLE if done.failure == FAILED else CRASHED
            yield ReadResult(done.task, refused=f"{done.task.source.path}: {done.message}", reason=reason)


def _reader(config: PrepareConfig) -> Callable[[Task], ReadResult]:
    return partial(read, Preparer(config))
