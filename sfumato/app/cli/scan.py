"""`sfumato scan`: it parses, calls the scanner, prints one record a file, as JSON or as a block for people; with -o it
fills a run folder instead.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from detector.config import FRAMES_RULE, SCAN_FPR
from detector.inference import backend_names
from sfumato import options
from sfumato.errors import UsageError
from sfumato.limits import MEGABYTE

_SECONDS, _MEMORY = 3600.0, 1500  # for one file; MB of the process that judges it

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfumato.app.scan.audited import AuditedScan
    from sfumato.app.scan.scanner import Scanner
    from sfumato.app.scan.setup import ScanSetup
    from sfumato.execution.executor import Limits


@click.command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@options.as_json("One JSON object a line.")
@options.trust("PEM of signers to believe.", metavar=None)
@options.allowed_list()
@options.repository("Where the manifest that a watermark names is looked up: an SQLite file or postgresql://...")
@options.frames("Frames to look at, evenly spaced.", FRAMES_RULE)
@click.option(
    "--fpr", default=f"{SCAN_FPR:g}", show_default=True, type=click.Choice(["0.1", "0.01", "0.001"]),
    help="Where a score flags; refused when too few real clips carry it.",
)  # fmt: skip
@options.model()
@click.option(
    "--backend",
    metavar="NAME",
    help=f"{backend_names.listed()}; what the detector was exported for unless given.",
)
@click.option(
    "--explain",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a heat map of each scored file here.",
)
@click.option(
    "--audit", type=options.NEW_FILE, metavar="LOG", help="Append each verdict to this log, signed (docs/audit.md)."
)
@options.output("Run folder: a second call goes on with it.", folder=options.SCAN_RUN, required=False)
@options.workers("Processes side by side, with -o; of a Ray cluster all CPUs unless given.", None, most=10_000)
@click.option("--fresh", is_flag=True, help="Remove what the run folder holds, and judge again.")
@click.option("--timeout", type=click.FloatRange(1), help="Seconds for one file, with -o.  [default: 3600]")
@click.option("--memory", type=click.IntRange(256), help="MB of one process, with -o.  [default: 1500]")
@click.option("--executor", type=click.Choice(["processes", "ray"]), help="Who works, with -o.  [default: processes]")
@click.option("--address", metavar="HOST:PORT", help="Head of the Ray cluster (docs/many-machines.md).")
def scan(
    paths: tuple[Path, ...], as_json: bool, trust: tuple[Path, ...], allowed_list: tuple[Path, ...],
    repository: str | None, frames: int | None, fpr: str, model: Path | None, backend: str | None, folder: Path | None,
    audit: Path | None, out: Path | None, workers: int | None, fresh: bool, timeout: float | None, memory: int | None,
    executor: str | None, address: str | None,
) -> int:  # fmt: skip
    """Judge videos and pictures: credentials first, then watermark and detector.

    The verdict is never "real": a low score only means that the detector found no trace it knows. With -o the records
    go into a folder (docs/folders.md), and what is printed is how many there are of each verdict.
    Exit code: 0 all scanned, 2 wrong request, 3 at least one file unreadable.
    """
    from provenance.durable.repository import place_without_secrets
    from provenance.pki.allowed_list import load_allowed_list
    from provenance.pki.certificates import read_anchors
    from sfumato.app.scan.audited import AuditedScan
    from sfumato.app.scan.setup import ScanSetup
    from sfumato.atomic import make_folder
    from sfumato.execution.executor import Limits
    from sfumato.execution.find_files import Finder, find_media
    from sfumato.text import printable

    if out is None:
        _require_no_run({"--workers": workers, "--fresh": fresh or None, "--timeout": timeout, "--memory": memory})
        _require_no_run({"--executor": executor, "--address": address})
    if (executor == "ray") != (address is not None):
        raise UsageError("--executor ray and --address go together", "Give both, or neither.")
    finder = Finder()
    files = find_media(paths, finder)
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    allowed = [load_allowed_list(path) for path in allowed_list]
    digests = frozenset[str]().union(*(each.fingerprints for each in allowed))
    roots = tuple(read_anchors(file) for file in trust)
    setup = ScanSetup(roots, digests, frames, float(fpr), model, backend, repository, folder)
    scanner = setup.scanner()
    if folder is not None:
        scanner.detector.bundle.scorer.require_maps()
        make_folder(folder, "Choose another folder with --explain.")
    with ExitStack() as stack:
        audited = None
        if audit is not None:
            lists = {"signers": trust, "allowed": allowed_list}
            place = None if repository is None else place_without_secrets(repository)
            asked = {"backend": backend, "explain": folder is not None, "repository": place}
            audited = stack.enter_context(AuditedScan(audit, scanner, lists, asked))
        if out is None:
            return _print_records(files, scanner, folder, audited, as_json)
        limits = Limits(timeout or _SECONDS, (memory or _MEMORY) * MEGABYTE)
        how = (workers, limits, fresh, address)
        return _fill(out, files, setup, scanner, audited, how, finder.passed_over, as_json)


def _require_no_run(given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name} is for a run folder", "Name one with -o.")


def _print_records(
    files: list[Path], scanner: Scanner, folder: Path | None, audited: AuditedScan | None, as_json: bool
) -> int:
    """One file after the other, here, each told as it is done."""
    from sfumato.app.review.explained import with_sheet
    from sfumato.app.scan.text import as_text
    from sfumato.progress import progress
    from sfumato.text import json_line

    scanner.expect(files)
    unreadable = 0
    with progress("Scanning", len(files)) as advance:
        for file in files:
            scanned = scanner.scan_file(file, explained=folder is not None)
            record = scanned.record if folder is None else with_sheet(scanned, folder)
            unreadable += record.status == "error"
            if audited is not None:
                audited.add(record)
            click.echo(json_line(record.as_json()) if as_json else as_text(record))
            advance(1)
    return 3 if unreadable else 0


def _fill(
    out: Path, files: list[Path], setup: ScanSetup, scanner: Scanner, audited: AuditedScan | None,
    how: tuple[int | None, Limits, bool, str | None], passed_over: Mapping[str, int], as_json: bool,
) -> int:  # fmt: skip
    """Fills or goes on with the run folder. how: workers, limits of one file, whether to begin anew, Ray's address."""
    from sfumato.app.review.explained import begin_explained
    from sfumato.app.scan.run import ScanRun
    from sfumato.app.scan.run_folder import ScanFolder
    from sfumato.app.scan.setup import begin
    from sfumato.app.scan.spread import SpreadRun
    from sfumato.execution.executor import REGISTRY, Executor
    from sfumato.progress import progress
    from sfumato.text import json_line, printable

    workers, limits, fresh, address = how
    executor: str | Executor = "processes"
    if address is not None:
        executor = partial(REGISTRY.load("ray"), address=address)
        setup = setup.for_other_machines(scanner)
    work = partial(begin, setup) if setup.explain is None else partial(begin_explained, setup, setup.explain)
    with ScanFolder(out, setup.asked(scanner), fresh) as folder:
        folder.note("found", files=len(files), passed_over=dict(passed_over))
        kind, told = (ScanRun if address is None else SpreadRun), (audited.add_plain if audited is not None else None)
        run = kind(folder, scanner, files, told, executor)
        with progress("Scanning", len(files), lambda: f"{run.summary.pace:.1f} video-hours an hour") as advance:
            summary = run.scan(work, workers or (1 if address is None else 0), limits, advance)
    if as_json:
        click.echo(json_line(summary.as_json() | {"run": str(out), "passed_over": dict(passed_over)}))
        return 3 if summary.unreadable else 0
    for verdict, count in summary.verdicts.most_common():
        click.echo(f"{count:6} {verdict}")
    click.echo(
        f"{summary.files} files: {summary.judged} judged, {summary.copies} copies, {summary.kept} known already; "
        f"{summary.unreadable} unreadable, {summary.failed} of them ended their process or took too much"
    )
    click.echo(f"Next: sfumato report {printable(out)}")
    return 3 if summary.unreadable else 0
