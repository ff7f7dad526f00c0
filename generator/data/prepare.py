"""Footage to training data: crops, landmarks, identity and quality of every clip and picture, cached as Parquet.

In: folders of videos and pictures (see `generator.data.footage`). Out: a folder with a shard for each shot
(`shards/<digest>.parquet`), `dataset.json` (crop version, landmark backend, settings) and `files.sqlite3`, a journal of
each file that was read and what became of it. A file that stands there unchanged is not read again, so an interrupted
run continues. Landmark coordinates are cached, never their drawings.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from generator.data.footage import People, Source, choose, find_sources, nothing_found
from generator.data.reading import PrepareConfig, shard_path
from generator.data.workers import ReadResult, Task, read_all
from sfumato.atomic import make_folder, write_text
from sfumato.errors import MediaError, OutputError
from sfumato.execution.find_files import Finder
from sfumato.execution.journal import Journal
from sfumato.media.clips import file_digest
from sfumato.media.faces import CROP_VERSION

SCHEMA = 3
JOURNAL = "files.sqlite3"
TWICE = "the same file as another"


@dataclass
class Prepared:
    """What came of a run. Counts of files: made, kept from before, refused (each with its reason); of frames: kept, and
    dropped from files that were made or refused in this run.
    """

    made: int = 0
    kept: int = 0
    frames: int = 0
    shards: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)  # of refused files
    dropped: Counter[str] = field(default_factory=Counter)  # frames
    remarks: list[str] = field(default_factory=list)  # on files made in this run: cut off, a clock that jumps
    held_out: int = 0  # files, made or kept, that the layout keeps for testing
    named: set[str] = field(default_factory=set)  # people whom the layout names, of files made or kept


def prepare(
    footage: list[Path], out: Path, config: PrepareConfig | None = None,
    advance: Callable[[float], None] = lambda amount: None, *,
    workers: int = 1, people: People = "layout", limit: int = 0, per_person: int = 0, finder: Finder | None = None,
) -> Prepared:  # fmt: skip
    """Reads `footage` (files, and folders that are searched) into shards below `out`, in `workers` processes; the
    shards are the same for any number of them. Files that cannot be used are listed, not fatal. `people`, `limit`,
    `per_person`, `finder`: see `generator.data.footage`.

    Raises UsageError for nothing to read, OutputError when `out` holds data prepared another way or cannot be written.
    """
    config = config or PrepareConfig()
    sources = choose(find_sources(footage, people, finder), limit, per_person)
    first = next(sources, None)
    if first is None:
        raise nothing_found(footage)
    _open_dataset(out, {"schema": SCHEMA, "crop": CROP_VERSION, **asdict(config)})
    with _journal(out) as journal:
        run = _Run(out, journal)
        with closing(read_all(run.tasks(chain([first], sources)), config, workers)) as outcomes:
            for outcome in outcomes:
                run.finish(outcome)
                advance(1 + run.passed())
    advance(run.passed())
    run.result.refused = [(path, why) for _, path, why in sorted(run.refused, key=lambda item: item[0])]
    return run.result


class _Run:
    """The bookkeeping of one call: what is done already, what came of the rest, and the journal of both."""

    def __init__(self, out: Path, journal: Journal) -> None:
        self.out, self.journal, self.result = out, journal, Prepared()
        self.refused: list[tuple[int, Path, str]] = []
        self.by_digest = dict(journal.entries())  # a file that was moved or renamed is known by its content
        self.by_path = {record["path"]: record for record in self.by_digest.values()}
        self.count = 0
        self._seen: set[str] = set()
        self._passed = 0

    def passed(self) -> int:
        """Files since the last call for which nothing had to be read."""
        passed, self._passed = self._passed, 0
        return passed

    def tasks(self, sources: Iterable[Source]) -> Iterator[Task]:
        """What has to be read. Of identical files the first counts."""
        for source in sources:
            number, self.count = self.count, self.count + 1
            try:
                status = source.path.stat()
                before = self.by_path.get(str(source.path))
                unchanged = before is not None and (before["bytes"], before["changed"]) == (
                    status.st_size,
                    status.st_mtime_ns,
                )
                digest = str(before["sha256"]) if before is not None and unchanged else file_digest(source.path)
                before = before if unchanged else self.by_digest.get(digest)
            except OSError as error:
                self._refuse(number, source.path, f"Cannot read {source.path}: {error.strerror}", "unreadable")
                continue
            except MediaError as error:
                self._refuse(number, source.path, error.message, "unreadable")
                continue
            if digest in self._seen:
                self._refuse(number, source.path, f"{source.path} is {TWICE}", TWICE)
                continue
            self._seen.add(digest)
            task = Task(number, source, digest, self.out / "shards" / f"{digest[:32]}.parquet")
            if before is not None and self._still_there(before, task):
                self._keep(number, source, before)
            else:
                yield task

    def finish(self, outcome: ReadResult) -> None:
        """Counts what came of a file and writes it down."""
        task, result = outcome.task, self.result
        result.dropped += outcome.dropped
        result.remarks += outcome.remarks
        if outcome.refused:
            self.refused.append((task.number, task.source.path, outcome.refused))
            result.reasons[outcome.reason] += 1
        else:
            result.made += 1
            result.shards += outcome.shards
            result.frames += outcome.frames
            self._count(task.source)
        with suppress(OSError):  # gone since: it will be read again if it comes back
            status = task.source.path.stat()
            self.journal.add(
                task.digest,
                {
                    "path": str(task.source.path), "bytes": status.st_size, "changed": status.st_mtime_ns,
                    "sha256": task.digest, "shards": outcome.shards, "frames": outcome.frames,
                    "dropped": outcome.dropped, "remarks": outcome.remarks, "refused": outcome.refused,
                    "reason": outcome.reason, "person": task.source.person, "held_out": task.source.held_out,
                },
            )  # fmt: skip

    def _still_there(self, before: dict[str, Any], task: Task) -> bool:
        facts = before["person"], before["held_out"]
        return facts == (task.source.person, task.source.held_out) and all(
            shard_path(task.shard, shot).exists() for shot in range(before["shards"])
        )

    def _keep(self, number: int, source: Source, before: dict[str, Any]) -> None:
        self._passed += 1
        if before["refused"]:
            self.refused.append((number, source.path, before["refused"]))
            self.result.reasons[before["reason"]] += 1
        else:
            self.result.kept += 1
            self._count(source)

    def _refuse(self, number: int, path: Path, why: str, reason: str) -> None:
        self._passed += 1
        self.refused.append((number, path, why))
        self.result.reasons[reason] += 1

    def _count(self, source: Source) -> None:
        self.result.held_out += source.held_out
        self.result.named |= {source.person} - {""}


def read_journal(out: Path) -> list[dict[str, Any]]:
    """What became of each file that was read into the folder `out`, by content; none if there is no journal."""
    if not (out / JOURNAL).exists():
        return []
    with _journal(out) as journal:
        return [record for _, record in journal.entries()]


def _journal(out: Path) -> Journal:
    """The folder's own: its settings are those of dataset.json, which never change."""
    return Journal(out / JOURNAL, "prepare")


def _open_dataset(out: Path, description: dict[str, Any]) -> None:
    marker = out / "dataset.json"
    make_folder(out / "shards")
    if marker.exists():
        try:
            found = json.loads(marker.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{marker} is damaged", "Delete the folder, or choose another.") from error
        if found != description:
            raise OutputError(f"{out} was prepared with other settings", "Use the same settings, or another folder.")
        return
    write_text(marker, json.dumps(description, indent=2) + "\n")
