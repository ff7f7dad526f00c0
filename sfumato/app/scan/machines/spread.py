"""A scan over many machines: the files are read where they are judged, and only there.

In and out as in `ScanRun`. On one machine each file is read for its digest before it is judged. Where the files lie
beyond a network that would be the network of one machine for all of them, so here a worker tells the digest of the
file that it judges. Only a file whose size another one has, in this run or in the folder, may be a copy, or known: a
worker reads it for its digest alone, and what the digest says is decided here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from sfumato.app.scan.run import ScanRun, Told, content_of
from sfumato.app.scan.run_folder import ScanFolder
from sfumato.app.scan.scanner import Scanner
from sfumato.app.scan.setup import ScanJob
from sfumato.execution.executor import Begin, Done, Executor, Limits, run
from sfumato.execution.journal import Record


@dataclass(frozen=True)
class SpreadJob:
    """A file to read. content: as in `ScanJob`; None where nobody has read it. judge: whether to judge it."""

    path: Path
    content: str | None
    judge: bool


@dataclass(frozen=True)
class Found:
    """What a worker found. record: None where it was not to judge."""

    content: str
    record: Record | None


class SpreadRun(ScanRun):
    """As `ScanRun`; the executor is that of the many machines."""

    def __init__(
        self,
        folder: ScanFolder,
        scanner: Scanner,
        files: Sequence[Path],
        told: Told | None = None,
        executor: str | Executor = "processes",
    ) -> None:
        super().__init__(folder, scanner, files, told, executor)
        self._paths = files
        self._ready: deque[SpreadJob] = deque()  # read, and to be judged

    def _work(self, begin: Begin[ScanJob, Record], workers: int, limits: Limits) -> None:
        jobs, spread = self._spread_jobs(), partial(begin_spread, begin)
        while True:
            with closing(run(jobs, spread, workers, limits, self._executor)) as results:
                for done in results:
                    self._take_found(done)
            if not self._ready:
                return
            jobs = self._read_jobs()  # of the files that were read last

    def _spread_jobs(self) -> Iterator[SpreadJob]:
        """First what has to be read before it can be decided, then the rest, which is judged at once."""
        sizes = [_size(path) for path in self._paths]
        known = (record["file"]["size"] for record in self.folder.records())
        counts: Counter[int | None] = Counter(size for size in chain(sizes, known) if size is not None)
        for judge in (False, True):
            for path, size in zip(self._paths, sizes, strict=True):
                if (counts[size] < 2) == judge:  # None, for what is not there: 0
                    yield from self._read_jobs()
                    yield SpreadJob(path, None, judge)
        yield from self._read_jobs()

    def _read_jobs(self) -> Iterator[SpreadJob]:
        while self._ready:
            yield self._ready.popleft()

    def _take_found(self, done: Done[SpreadJob, Found]) -> None:
        job, found = done.task, done.value
        if found is not None and found.record is None:
            if self._to_judge(job.path, found.content):
                self._ready.append(SpreadJob(job.path, found.content, judge=True))
            return
        content = found.content if found is not None else job.content
        if content is None:  # lost with its worker
            content = content_of(job.path) if job.judge else ""
        record = None if found is None else found.record
        self._take(Done(ScanJob(job.path, content), record, done.failure, done.message, done.seconds))


def begin_spread(begin: Begin[ScanJob, Record]) -> Callable[[SpreadJob], Found]:
    """For a worker: as `begin`, which makes a record of a file."""
    judge = begin()

    def work(job: SpreadJob) -> Found:
        content = content_of(job.path) if job.content is None else job.content
        return Found(content, judge(ScanJob(job.path, content)) if job.judge else None)

    return work


def _size(path: Path) -> int | None:
    """Bytes; None for what is not there."""
    with suppress(OSError, ValueError):
        return path.stat().st_size
    return None
