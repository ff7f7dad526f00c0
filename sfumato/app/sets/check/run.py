"""The check of a set: a folder in, a `Report` out. Every file is read and decoded once, by as many workers as wanted; a
journal keeps what was seen, so that a stopped check goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from detector.datasets.sample import content_digest
from sfumato.app.sets.check.copies import check_copies
from sfumato.app.sets.check.files import check_digests, check_files, check_sums, places
from sfumato.app.sets.check.looking.look import VERSION, Look, LookJob, begin_looking
from sfumato.app.sets.check.material import Material, read_material
from sfumato.app.sets.check.report import Report
from sfumato.app.sets.check.rights import check_rights
from sfumato.app.sets.check.seals import check_labels, check_seals
from sfumato.app.sets.check.shortcuts import check_shortcuts
from sfumato.app.sets.check.splits import check_splits
from sfumato.app.sets.check.twins import check_twins
from sfumato.app.sets.check.whole import check_details, check_facts, check_list, check_manifest
from sfumato.errors import MediaError
from sfumato.execution.executor import run
from sfumato.execution.journal import Journal, options_digest
from sfumato.version import __version__

Advance = Callable[[float], None]


def check_set(
    path: Path,
    trust: Sequence[bytes] = (),
    workers: int = 1,
    journal: Path | None = None,
    begin: Callable[[int], Advance] = lambda total: lambda amount: None,
) -> Report:
    """path: the folder of a set, or any list of clips. trust: PEM files of roots that signers must lead to; none: any
    signer. journal: keeps what was seen of each file; None: nothing is kept. begin: told how many files there are, it
    gives what is told 1 for each that was looked at.

    Raises MediaError where the list cannot be read as text, UsageError where it holds nothing, OutputError for a
    journal that is none.
    """
    material = read_material(path)
    found = places(material)
    looks = look_at_all(material, found, trust, workers, journal, begin(len(found)))
    digests = [look.sha256 for look in looks]
    checks = [
        check_list(material, looks),
        check_files(material, found),
        check_digests(material, digests),
        check_sums(material, {row.path: digest for row, digest in zip(material.rows, digests, strict=True) if digest}),
        check_facts(material),
        check_manifest(material, trust),
        check_details(material, looks),
        check_rights(material),
        check_seals(material, looks, trusted=bool(trust)),
        check_labels(material, looks),
        check_splits(material),
        check_twins(material, looks),
        check_copies(material, looks),
        *check_shortcuts(material, looks),
    ]
    return Report(path, len(material.rows), checks)


def look_at_all(
    material: Material, found: Sequence[Path | None], trust: Sequence[bytes], workers: int, journal: Path | None,
    advance: Advance,
) -> list[Look]:  # fmt: skip
    """A look at each row's file, in their order; an empty one where there is none."""
    looks = [Look()] * len(found)
    digest = options_digest([VERSION, __version__])
    with closing(Journal(journal, digest, [pem.decode("latin-1") for pem in trust])) as kept:

        def jobs() -> Iterator[LookJob]:
            for number, place in enumerate(found):
                content = "" if place is None else _content(place)
                if place is None or not content:
                    advance(1)
                    continue
                with suppress(TypeError, KeyError):
                    if (record := kept.find(_key(place, content))) is not None:
                        looks[number] = Look.from_record(record)
                        advance(1)
                        continue
                yield LookJob(number, place, content)

        with closing(run(jobs(), partial(begin_looking, tuple(trust)), workers)) as results:
            for done in results:
                job = done.task
                if done.value is None:
                    reason = f"{done.failure}: {done.message}"
                    looks[job.row] = Look(job.sha256, reason=reason, outcome="unreadable")
                else:
                    looks[job.row] = Look.from_record(done.value)
                    kept.add(_key(job.path, job.sha256), done.value)
                advance(1)
    return looks


def _key(path: Path, content: str) -> str:
    """A folder without a frame has the digest of an empty file."""
    return f"{content} {'/' if path.is_dir() else path.suffix.lower()}"


def _content(path: Path) -> str:
    """sha256 of a file or a folder of frames; "" where it cannot be read."""
    try:
        return content_digest(path)
    except (MediaError, OSError):
        return ""
