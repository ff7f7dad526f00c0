"""A scan with its heat maps: what was scanned in, its record with the sheet that was written for it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sfumato.app.review.heat_sheet import sheet_name, write_heat_sheet
from sfumato.app.scan.record import ScanRecord
from sfumato.app.scan.scanner import Scanned
from sfumato.app.scan.setup import ScanJob, ScanSetup
from sfumato.execution.journal import Record
from sfumato.text import printable


def with_sheet(scanned: Scanned, folder: Path) -> ScanRecord:
    """The record with the heat maps that were written into `folder`; as it is without a score. Raises OutputError."""
    record, explanation = scanned.record, scanned.prediction.explanation
    if explanation is None or record.explanation is None:
        return record
    path = Path(record.file.path)
    sheet = folder / sheet_name(path, record.file.sha256)
    write_heat_sheet(sheet, explanation, printable(path.name), record.explanation.words, record.generated)
    return record.with_sheet(sheet)


def begin_explained(setup: ScanSetup, folder: Path) -> Callable[[ScanJob], Record]:
    """As `setup.begin`, with heat maps into `folder`."""
    scanner = setup.scanner()

    def work(job: ScanJob) -> Record:
        return with_sheet(scanner.scan_source(job.path, setup.fetching, True, setup.landing), folder).as_json()

    return work
