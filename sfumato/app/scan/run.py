"""A scan over many files by several processes, into a folder that it can go on from.

In: files, in any number; what each worker begins with. Out: a record of each in the folder, and a `RunSummary`. What
the folder knows is not judged again. Of files with the same content, suffix and sidecar one is judged, the others get
its record with a note. A file that kills its worker, or takes too much, gets a record that says so.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.inference.prediction import Reason
from provenance.library.store import SIDECAR_SUFFIX
from sfumato.app.scan.inputs import Address, Source, place_of
from sfumato.app.scan.record import FileFacts, ScanFacts, ScanRecord, duration
from sfumato.app.scan.run_folder import ScanFolder
from sfumato.app.scan.scanner import Scanner
from sfumato.app.scan.setup import ScanJob
from sfumato.errors import MediaError
from sfumato.execution.executor import CRASHED, FAILED, OUT_OF_MEMORY, OUT_OF_TIME, Begin, Done, Executor, Limits, run
from sfumato.execution.journal import Record
from sfumato.media.clips import file_digest
from sfumato.text import json_line

FETCHED = "fetched"  # in place of the content of an address, which nobody knows before it is fetched
CODES = {CRASHED: "worker_died", OUT_OF_TIME: "timeout", OUT_OF_MEMORY: "out_of_memory", FAILED: "failed"}
_NOTED = 60.0  # seconds between two lines of the log about how far it is
Advance = Callable[[float], None]
Told = Callable[[Record], None]


@dataclass
class RunSummary:
    """files: all that were named; judged, copies, kept: how each came to its record, now or in an earlier call; failed:
    of those judged, how many cost a worker or took too much; unreadable: records with status "error"; verdicts: how
    often each; seconds: of this call; video_seconds: of footage that was judged in it, as the files declare.
    """

    files: int
    judged: int = 0
    copies: int = 0
    kept: int = 0
    failed: int = 0
    unreadable: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    video_seconds: float = 0.0

    @property
    def pace(self) -> float:
        """Hours of footage an hour."""
        return self.video_seconds / self.seconds if self.seconds > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "files": self.files, "judged": self.judged, "copies": self.copies, "kept": self.kept,
            "failed": self.failed, "unreadable": self.unreadable, "verdicts": dict(sorted(self.verdicts.items())),
            "seconds": round(self.seconds, 1), "video_hours_an_hour": round(self.pace, 2),
        }  # fmt: skip


class ScanRun:
    """One call: `ScanRun(folder, scanner, files).scan(begin, workers, limits)`."""

    def __init__(
        self,
        folder: ScanFolder,
        scanner: Scanner,
        files: Sequence[Source],
        told: Told | None = None,
        executor: str | Executor = "processes",
    ) -> None:
        """told: gets each record that was not known before, as it reads back from its line, ahead of its being kept."""
        self.folder, self.scanner, self.files, self._executor = folder, scanner, files, executor
        self.summary = RunSummary(len(files))
        self._told = told or (lambda record: None)
        self._waiting: dict[str, list[Path]] = {}  # copies of what a worker has in hand, by content
        self._started = self._noted = time.monotonic()
        self._advance: Advance = lambda amount: None

    def scan(
        self, begin: Begin[ScanJob, Record], workers: int, limits: Limits, advance: Advance = lambda amount: None
    ) -> RunSummary:
        """Every file. `advance` gets 1 a file. Raises what `begin` and a task raise for all (see `executor.run`), and
        OutputError where the folder cannot be written.
        """
        self._advance = advance
        self._started = self._noted = time.monotonic()
        self.folder.note("started", files=len(self.files), workers=workers)
        self._work(begin, workers, limits)
        self.summary.seconds = time.monotonic() - self._started
        self.folder.note("finished", **self.summary.as_json())
        return self.summary

    def _work(self, begin: Begin[ScanJob, Record], workers: int, limits: Limits) -> None:
        with closing(run(self._jobs(), begin, workers, limits, self._executor)) as results:
            for done in results:
                self._take(done)

    def _jobs(self) -> Iterator[ScanJob]:
        """What is left to judge; what needs no judging is dealt with on the way."""
        for path in self.files:
            if isinstance(path, Address):
                yield from self._fetched(path)
                continue
            content = content_of(path)
            if self._to_judge(path, content):
                yield ScanJob(path, content)

    def _to_judge(self, path: Path, content: str) -> bool:
        """Whether this file is the one to judge of its content; if not, it is dealt with, or waits for that one."""
        if not content:
            return True
        if (known := self.folder.find(path, content)) is not None:
            self.summary.kept += 1
            self._count(known)
        elif (judged := self.folder.judged(content)) is not None:
            self._copy(path, content, judged)
        elif content in self._waiting:
            self._waiting[content].append(path)
        else:
            self._waiting[content] = []
            return True
        return False

    def _fetched(self, address: Address) -> Iterator[ScanJob]:
        """An address is asked once in the life of a folder, until it gives a file that can be read."""
        if (known := self.folder.find(address.place, FETCHED)) is not None:
            self.summary.kept += 1
            self._count(known)
        else:
            yield ScanJob(address, "")

    def _take(self, done: Done[ScanJob, Record]) -> None:
        job, record = done.task, done.value
        if record is None:
            record = failure_record(job.path, done, self.scanner).as_json()
            self.summary.failed += 1
            self.folder.note("failed", file=record["file"]["path"], code=CODES[done.failure], message=done.message)
        self.summary.judged += 1
        if record["status"] != "error":
            self.summary.video_seconds += duration(record) or 0.0
        self._told(json.loads(json_line(record)))
        content = FETCHED if isinstance(job.path, Address) and record["status"] != "error" else job.content
        self.folder.keep(place_of(job.path), content, record, copy=isinstance(job.path, Address))
        self._count(record)
        for path in self._waiting.pop(job.content, []):
            self._copy(path, job.content, record)

    def _copy(self, path: Path, content: str, judged: Record) -> None:
        if (known := self.folder.find(path, content)) is not None:  # the same file, by another way
            self.summary.kept += 1
            self._count(known)
            return
        record = copy_record(path, judged)
        self.summary.copies += 1
        self._told(json.loads(json_line(record)))
        self.folder.keep(path, content, record, copy=True)
        self._count(record)

    def _count(self, record: Record) -> None:
        self.summary.verdicts[record["verdict"]] += 1
        self.summary.unreadable += record["status"] == "error"
        now = time.monotonic()
        self.summary.seconds = now - self._started
        if now - self._noted > _NOTED:
            self._noted = now
            self.folder.note("going on", **self.summary.as_json())
        self._advance(1)


def content_of(path: Path) -> str:
    """Names all that a record of the file follows from, besides what was asked: the content, the suffix, which decides
    how it is read, and the sidecar that lies beside it. "" if it cannot be read.
    """
    try:
        sidecar = path.with_suffix(SIDECAR_SUFFIX)
        beside = file_digest(sidecar) if sidecar != path and sidecar.is_file() else ""
        return f"{file_digest(path)} {path.suffix.lower()} {beside}".encode("utf-8", "replace").decode()
    except (MediaError, OSError, ValueError):
        return ""


def copy_record(path: Path, judged: Record) -> Record:
    """The record of a file with the content of one that was judged: the same, without the time that took."""
    note = f"Judged once, with the same content at {judged['file']['path']}."
    watermark, stages = judged["watermark"], judged.get("stages")  # a run of an earlier version told of no stages
    return judged | {
        "file": judged["file"] | {"path": FileFacts.named(path)},
        "notes": [*judged["notes"], note],
        "scan": judged["scan"] and judged["scan"] | {"time": ScanFacts.now()},
        "timing": dict.fromkeys(judged["timing"], 0.0),
        "watermark": watermark if watermark is None else watermark | {"seconds": 0.0},
        "stages": stages if stages is None else stages | {"seconds": dict.fromkeys(stages["seconds"], 0.0)},
    }


def failure_record(source: Source, done: Done[ScanJob, Record], scanner: Scanner) -> ScanRecord:
    """The record of a file that could not be judged. done: with a failure, and what happened."""
    reason = Reason(CODES[done.failure], f"Judging the file failed: {done.message}.")
    facts = FileFacts(source.place, None, None) if isinstance(source, Address) else FileFacts.of(source)
    return scanner.unjudged(facts, reason, done.message, done.seconds).record
