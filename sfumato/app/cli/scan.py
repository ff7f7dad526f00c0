"""`sfumato scan`: it parses, calls the scanner, prints one record a file, as JSON or as a block for people."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from detector.config import FRAMES_RULE, SCAN_FPR
from detector.inference import backend_names
from sfumato import options

if TYPE_CHECKING:
    from sfumato.app.scan.record import ScanRecord
    from sfumato.app.scan.scanner import Scanned


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
def scan(
    paths: tuple[Path, ...], as_json: bool, trust: tuple[Path, ...], allowed_list: tuple[Path, ...],
    repository: str | None, frames: int | None, fpr: str, model: Path | None, backend: str | None, folder: Path | None,
    audit: Path | None,
) -> int:  # fmt: skip
    """Judge videos and pictures: credentials first, then watermark and detector.

    The verdict is never "real": a low score only means that the detector found no trace it knows.
    Exit code: 0 all scanned, 2 wrong request, 3 at least one file unreadable.
    """
    from detector.inference.video_detector import VideoDetector
    from provenance.pki.allowed_list import load_allowed_list
    from provenance.pki.certificates import read_anchors
    from sfumato.app.scan.scanner import Scanner
    from sfumato.app.scan.text import as_text
    from sfumato.atomic import make_folder
    from sfumato.execution.find_files import Finder, find_media
    from sfumato.progress import progress
    from sfumato.text import json_line, printable

    finder = Finder()
    files = find_media(paths, finder)
    if finder.told():
        click.echo(printable(finder.told()), err=True)
    detector = VideoDetector(model, backend=backend)
    allowed = [load_allowed_list(path) for path in allowed_list]
    digests = frozenset[str]().union(*(each.fingerprints for each in allowed))
    scanner = Scanner([read_anchors(file) for file in trust], frames, float(fpr), detector, digests, repository)
    scanner.expect(files)
    if folder is not None:
        detector.bundle.scorer.require_maps()
        make_folder(folder, "Choose another folder with --explain.")
    unreadable = 0
    with ExitStack() as stack:
        audited = None
        if audit is not None:
            from sfumato.app.scan.audited import AuditedScan

            lists = {"signers": trust, "allowed": allowed_list}
            asked = {"backend": backend, "explain": folder is not None, "repository": repository}
            audited = stack.enter_context(AuditedScan(audit, scanner, lists, asked))
        advance = stack.enter_context(progress("Scanning", len(files)))
        for file in files:
            scanned = scanner.scan_file(file, explained=folder is not None)
            record = scanned.record if folder is None else _with_sheet(scanned, folder)
            unreadable += record.status == "error"
            if audited is not None:
                audited.add(record)
            click.echo(json_line(record.as_json()) if as_json else as_text(record))
            advance(1)
    return 3 if unreadable else 0


def _with_sheet(scanned: Scanned, folder: Path) -> ScanRecord:
    """The record with the heat maps that were written into `folder`; as it is without a score. Raises OutputError."""
    from sfumato.app.review.heat_sheet import sheet_name, write_heat_sheet
    from sfumato.text import printable

    record, explanation = scanned.record, scanned.prediction.explanation
    if explanation is None or record.explanation is None:
        return record
    path = Path(record.file.path)
    sheet = folder / sheet_name(path, record.file.sha256)
    write_heat_sheet(sheet, explanation, printable(path.name), record.explanation.words, record.generated)
    return record.with_sheet(sheet)
