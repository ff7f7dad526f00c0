"""`sfumato scan`: it parses, calls the scanner, prints one record a file, as JSON or as a block for people; with -o it
fills a run folder instead. What else was asked for (tables, SARIF, a page) is written at the end.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from detector.config import FRAMES_RULE, SCAN_FPR
from detector.inference import backend_names
from provenance.commands.lists import announce, list_files, read_beliefs, require_one
from sfumato import options
from sfumato.errors import UsageError
from sfumato.exit_codes import ExitCode
from sfumato.limits import MEGABYTE

_SECONDS, _MEMORY = 3600.0, 1500  # for one file; MB of the process that judges it
_FETCH_MB, _FETCH_SECONDS = 512, 300.0  # of one address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sfumato.app.scan.audited import AuditedScan
    from sfumato.app.scan.inputs import Source
    from sfumato.app.scan.outputs.spool import Outputs
    from sfumato.app.scan.scanner import Scanner
    from sfumato.app.scan.setup import ScanSetup
    from sfumato.execution.executor import Executor, Limits
    from sfumato.execution.find_files import Finder


@dataclass(frozen=True)
class _Ending:
    """What is made of all records at the end, and the code to end with."""

    tables: Outputs
    page: Path | None
    by_verdict: bool

    def require(self) -> None:
        """Before the work: what could not be written at the end is refused."""
        from sfumato.app.review.run_report import require_report

        self.tables.require()
        if self.page is not None:
            require_report(self.page)

    @property
    def wanted(self) -> bool:
        return self.page is not None or self.tables.wanted

    def finish(self, source: Path, verdicts: Collection[str], unreadable: int) -> int:
        """source: a run folder, or a file of records."""
        from sfumato.app.review.records import read_records, records_file
        from sfumato.app.review.run_report import write_run_report
        from sfumato.app.scan.verdict import exit_code

        def records() -> Iterator[Mapping[str, Any]]:
            return (line.record for line in read_records(records_file(source)))

        code = ExitCode.INPUT if unreadable else exit_code(verdicts) if self.by_verdict else ExitCode.DONE
        if self.wanted:
            self.tables.write(records, code)
        if self.page is not None:
            write_run_report(source, self.page)
        return code


@click.command("scan")
@click.argument("names", nargs=-1, required=True, metavar="FILE|FOLDER|PATTERN|URL|-...", type=click.Path())
@options.as_json("One JSON object a line.")
@options.inputs()
@options.credentials(
    "PEM of signers to believe.", "The credential of the one FILE. Else NAME.c2pa beside a file without one.", None
)
@options.repository("Where the manifest that a watermark names is looked up: an SQLite file or postgresql://...")
@options.frames("Frames to look at, evenly spaced.", FRAMES_RULE)
@click.option(
    "--fpr", default=f"{SCAN_FPR:g}", show_default=True, type=click.Choice(["0.1", "0.01", "0.001"]),
    help="Where a score flags; refused when too few real clips carry it.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Look at no more than decides; each record says what did not run.")
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
@options.outputs()
@click.option(
    "--audit", type=options.NEW_FILE, metavar="LOG", help="Append each verdict to this log, signed (docs/audit.md)."
)
@click.option("--exit-code", "by_verdict", is_flag=True, help="End with the code of the worst verdict.")
@options.output("Run folder: a second call goes on with it.", folder=options.SCAN_RUN, required=False)
@options.workers("Processes side by side, with -o; of a Ray cluster all CPUs unless given.", None, most=10_000)
@click.option("--fresh", is_flag=True, help="Remove what the run folder holds, and judge again.")
@click.option("--timeout", type=click.FloatRange(1), help="Seconds for one file, with -o.  [default: 3600]")
@click.option("--memory", type=click.IntRange(256), help="MB of one process, with -o.  [default: 1500]")
@options.cluster("Who works, with -o.  [default: processes]")
def scan(
    names: tuple[str, ...], as_json: bool, taking: Mapping[str, Any], credentials: Mapping[str, Any],
    repository: str | None, frames: int | None, fpr: str, quick: bool, model: Path | None, backend: str | None,
    folder: Path | None, outputs: dict[str, Path | None], audit: Path | None, by_verdict: bool, out: Path | None,
    workers: int | None, fresh: bool, timeout: float | None, memory: int | None,
    cluster: Mapping[str, str | None],
) -> int:  # fmt: skip
    """Judge videos and pictures: credentials first, then watermark and detector.

    The verdict is never "real": a low score only means that the detector found no trace it knows. With -o the records
    go into a folder (docs/folders.md), and what is printed is how many there are of each verdict. - reads names from
    standard input. An address is fetched only with --fetch.

    \b
    Exit code: 0 all scanned, 2 wrong request, 3 at least one file unreadable. With --exit-code also, the worst first:
    1 likely-synthetic, suspicious, conflict; 5 a credential that does not hold; 6 AI is declared; 7 inconclusive,
    not-evaluable; 0 captured-declared, no-evidence.
    """
    from provenance.durable.repository import place_without_secrets
    from sfumato.app.scan.audited import AuditedScan
    from sfumato.app.scan.outputs.spool import Outputs
    from sfumato.app.scan.setup import ScanSetup
    from sfumato.atomic import make_folder
    from sfumato.execution.executor import Limits, cluster_at
    from sfumato.execution.fetch.clock import FetchLimits
    from sfumato.execution.find_files import Finder
    from sfumato.media.clips import file_digest
    from sfumato.text import printable

    if out is None:
        _require_no_run({"--workers": workers, "--fresh": fresh or None, "--timeout": timeout, "--memory": memory})
        _require_no_run({f"--{name}": value for name, value in cluster.items()})
    machines = cluster_at(**cluster)
    if machines is not None and taking["fetch"]:
        raise UsageError("A Ray cluster judges files, and fetches none", "Leave out --fetch, or --executor ray.")
    if quick and folder is not None:
        raise UsageError("--explain shows what a full look found", "Leave out --quick.")
    page = outputs.pop("html")
    ending = _Ending(Outputs(**outputs), page, by_verdict)
    ending.require()
    finder = Finder(patterns=True)
    files = _sources(names, finder, taking)
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    require_one(credentials["sidecar"], len(files), "Scan")
    beliefs = read_beliefs(credentials)
    for each in beliefs.lists:
        announce(each)
    lists = tuple((what, file_digest(file)) for what, given in list_files(credentials).items() for file in given)
    setup = ScanSetup(
        beliefs.anchors, beliefs.digests, frames, float(fpr), model, backend, repository, folder, beliefs.stamps,
        beliefs.policy, credentials["sidecar"], lists,
        FetchLimits((taking["fetch_mb"] or _FETCH_MB) * MEGABYTE, taking["fetch_seconds"] or _FETCH_SECONDS),
        quick=quick,
    )  # fmt: skip
    scanner = setup.scanner()
    if folder is not None:
        scanner.detector.bundle.scorer.require_maps()
        make_folder(folder, "Choose another folder with --explain.")
    with ExitStack() as stack:
        audited = None
        if audit is not None:
            place = None if repository is None else place_without_secrets(repository)
            asked = {"backend": backend, "explain": folder is not None, "repository": place}
            asked |= {"quick": True} if quick else {}
            audited = stack.enter_context(AuditedScan(audit, scanner, lists, asked))
        if out is None:
            return _print_records(files, setup, scanner, audited, as_json, ending)
        limits = Limits(timeout or _SECONDS, (memory or _MEMORY) * MEGABYTE)
        how = (workers, limits, fresh, machines)
        return _fill(out, files, setup, scanner, audited, how, finder.passed_over, as_json, ending)


def _sources(names: tuple[str, ...], finder: Finder, taking: Mapping[str, Any]) -> list[Source]:
    from sfumato.app.scan.inputs import STDIN, find_sources, listed

    for name in ("fetch_mb", "fetch_seconds"):
        if taking[name] is not None and not taking["fetch"]:
            raise UsageError(f"--{name.replace('_', '-')} is for addresses", "Add --fetch.")
    if taking["null"] and STDIN not in names:
        raise UsageError("--null is for names on standard input", "Add - for them.")
    stdin = sys.stdin.buffer if sys.stdin is not None else BytesIO()  # None: it was closed
    return find_sources(listed(names, stdin, taking["null"]), finder, taking["fetch"])


def _require_no_run(given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name} is for a run folder", "Name one with -o.")


def _print_records(
    files: list[Source], setup: ScanSetup, scanner: Scanner, audited: AuditedScan | None, as_json: bool, ending: _Ending
) -> int:
    """One file after the other, here, each told as it is done."""
    from sfumato.app.review.explained import with_sheet
    from sfumato.app.scan.outputs.spool import Spool
    from sfumato.app.scan.text import as_text
    from sfumato.progress import progress
    from sfumato.text import json_line

    scanner.expect([file for file in files if isinstance(file, Path)])
    unreadable, verdicts, folder = 0, set(), setup.explain
    with tempfile.TemporaryDirectory(prefix="sfumato-scan-") as kept, progress("Scanning", len(files)) as advance:
        spool = Spool(Path(kept) / "scan")
        for file in files:
            scanned = scanner.scan_source(file, setup.fetching, explained=folder is not None)
            record = scanned.record if folder is None else with_sheet(scanned, folder)
            unreadable += record.status == "error"
            verdicts.add(record.verdict.name)
            if audited is not None:
                audited.add(record)
            line = json_line(record.as_json())
            if ending.wanted:
                spool.add(line)
            click.echo(line if as_json else as_text(record))
            advance(1)
        return ending.finish(spool.path, verdicts, unreadable)


def _fill(
    out: Path, files: list[Source], setup: ScanSetup, scanner: Scanner, audited: AuditedScan | None,
    how: tuple[int | None, Limits, bool, Executor | None], passed_over: Mapping[str, int], as_json: bool,
    ending: _Ending,
) -> int:  # fmt: skip
    """Fills or goes on with the run folder. how: workers, limits of one file, whether to begin anew, other machines."""
    from sfumato.app.review.explained import begin_explained
    from sfumato.app.scan.machines.spread import SpreadRun
    from sfumato.app.scan.run import ScanRun
    from sfumato.app.scan.run_folder import ScanFolder
    from sfumato.app.scan.setup import begin
    from sfumato.progress import progress
    from sfumato.text import json_line, printable

    workers, limits, fresh, machines = how
    setup = setup if machines is None else setup.for_other_machines(scanner)
    with ExitStack() as stack:
        folder = stack.enter_context(ScanFolder(out, setup.asked(scanner), fresh))
        # Here, so that a worker which is killed leaves nothing that it fetched.
        landing = stack.enter_context(tempfile.TemporaryDirectory(prefix="sfumato-fetched-"))
        setup = replace(setup, landing=Path(landing))
        work = partial(begin, setup) if setup.explain is None else partial(begin_explained, setup, setup.explain)
        folder.note("found", files=len(files), passed_over=dict(passed_over))
        told = audited.add_plain if audited is not None else None
        if machines is None:
            run = ScanRun(folder, scanner, files, told)
        else:
            run = SpreadRun(folder, scanner, [file for file in files if isinstance(file, Path)], told, machines)
        with progress("Scanning", len(files), lambda: f"{run.summary.pace:.1f} video-hours an hour") as advance:
            summary = run.scan(work, workers or (1 if machines is None else 0), limits, advance)
    code = ending.finish(out, summary.verdicts, summary.unreadable)
    if as_json:
        click.echo(json_line(summary.as_json() | {"run": str(out), "passed_over": dict(passed_over)}))
        return code
    for verdict, count in summary.verdicts.most_common():
        click.echo(f"{count:6} {verdict}")
    cost = f", {summary.failed} of them ended their process or took too much" if summary.failed else ""
    click.echo(
        f"{summary.files} file{'' if summary.files == 1 else 's'}: {summary.judged} judged, "
        f"{summary.copies} {'copy' if summary.copies == 1 else 'copies'}, {summary.kept} known already; "
        f"{summary.unreadable} unreadable{cost}"
    )
    click.echo(f"Next: sfumato report {printable(out)}")
    return code
