"""The report on a run: records in, one self-contained page out, or a folder for a large run.

One page holds all records and all heat maps; videos and pictures are opened where they lie. A folder holds a page with
the list, and pages with the records a part at a time, in the order in which they are looked at, so that thousands of
files open nearly as fast as ten. The page that names the parts is written last: a report is whole, or still the former
one.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sfumato.app.review.entries import Surroundings, absence, entry_of, last_part, located, sheet_of
from sfumato.app.review.page_parts import data_page, render, tone_of, verdict_rows
from sfumato.app.review.records import Line, read_at, read_records, records_file
from sfumato.app.scan.record import duration
from sfumato.app.scan.verdict import VERDICTS
from sfumato.atomic import make_folder, write_text
from sfumato.errors import OutputError
from sfumato.regular_file import open_regular
from sfumato.text import printable

ONE_PAGE = 100  # records, and no more, are put into one page unless it is asked for
EMBEDDED = 32 * 2**20  # bytes of heat maps, likewise
PART = 20  # records of one page of a folder: about 200 kB
INDEX = "index.html"
_OURS, _HEAD = (
    b'<meta name="generator" content="sfumato ',
    4096,
)  # what a page of ours says of itself, in its first bytes
_DATA = re.compile(r"data-[0-9a-f]{8}")
Advance = Callable[[float], None]


@dataclass(frozen=True)
class RunReport:
    """page: what to open; files: records in it; to_review: those for a person to look at; missing: files that are not
    where their records say.
    """

    page: Path
    files: int
    to_review: int
    missing: int


@dataclass
class _Run:
    """What is known of all records after the first look: their lines and what the list shows of each, in the order in
    which they are looked at.
    """

    places: list[tuple[Line, dict[str, Any]]]
    models: list[Any]
    calibrated: dict[str, Any] | None = None
    sheets: int = 0  # bytes
    missing: int = 0


def write_run_report(source: Path, out: Path | None = None, advance: Advance = lambda amount: None) -> RunReport:
    """`source`: a run folder or a file of records. `out`: a page (`.html`) or a folder; None: `report.html` or
    `report/` beside the records, by their number. A report that is there is replaced. `advance` gets 1 a record.

    Raises MediaError for records that cannot be read, OutputError for a place that holds something else.
    """
    records = records_file(source)
    run = _first_look(records)
    one, many = records.parent / "report.html", records.parent / "report"
    if out is None:
        small = len(run.places) <= ONE_PAGE and run.sheets <= EMBEDDED and not _is_ours(many / INDEX)
        out = one if small else many
    single = _is_page(out)
    page = out if single else out / INDEX
    require_report(out)
    data: dict[str, Any] = {
        "layout": "list", "verdicts": {name: tone_of(name) for name in VERDICTS},
        "models": [model.get("sha256") for model in run.models],
        "rows": [row for _, row in run.places],
    }  # fmt: skip
    if single:
        around = Surroundings(page, records.parent)
        data["entries"] = _entries(records, run.places, 0, around, advance)
    else:
        data |= {"part": PART, "folder": _write_parts(records, run, page, advance)}
    review = sum(row["review"] for _, row in run.places)
    write_text(page, _page(data, run, source.resolve().name, review, framed=not single))
    if not single:
        _clear(out, data["folder"])
        if out == many and _is_ours(one):
            one.unlink()  # of this run when it was small
    return RunReport(page, len(run.places), review, run.missing)


def _write_parts(records: Path, run: _Run, page: Path, advance: Advance) -> str:
    """Writes the records a part a page into a new folder beside `page`, whose name is returned; none is left behind
    where that fails.
    """
    folder = page.parent / f"data-{secrets.token_hex(4)}"
    make_folder(folder)
    around = Surroundings(page, records.parent, folder)
    try:
        for first in range(0, len(run.places), PART):
            entries = _entries(records, run.places[first : first + PART], first, around, advance)
            write_text(folder / f"{first // PART}.html", data_page(entries))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder.name


def _first_look(records: Path) -> _Run:
    """Reads every record once and keeps what the list needs; those for a person first, the highest score first."""
    run = _Run([], [])
    for place, line in enumerate(read_records(records)):
        record, named = line.record, line.record["file"]["path"]
        if record["model"] and record["model"] not in run.models:
            run.models.append(record["model"])
        row = {
            "path": named, "sha256": record["file"].get("sha256"), "verdict": printable(record["verdict"], 80),
            "score": record["score"], "review": record["review"], "length": duration(record), "place": place,
            "model": run.models.index(record["model"]) if record["model"] else None,
        }  # fmt: skip
        if printable(named) != named:
            row["name"] = printable(last_part(named), 300)
        sheet = sheet_of(record, records.parent)
        run.sheets += sheet.stat().st_size if sheet is not None else 0
        run.missing += located(named, records.parent) is None and absence(named, records.parent) == "missing"
        if run.calibrated is None or run.calibrated["kind"] == "picture":  # a video's, where there is one
            run.calibrated = _calibrated(record) or run.calibrated
        run.places.append((replace(line, record={}), row))
    run.places.sort(key=lambda item: _rank(item[1]))
    for number, (_, row) in enumerate(run.places):
        row["at"] = number
    return run


def _rank(row: dict[str, Any]) -> tuple[bool, float, int]:
    """The lowest is looked at first."""
    return not row["review"], 1.0 if row["score"] is None else -row["score"], row["place"]


def _calibrated(record: dict[str, Any]) -> dict[str, Any] | None:
    rate, n_real, kind = record["threshold"].get("fpr"), record["threshold"].get("n_real"), record["media"].get("kind")
    if not isinstance(rate, int | float) or not isinstance(n_real, int):
        return None
    return {"kind": "picture" if kind == "picture" else "video", "n_real": n_real, "fpr": rate}


def _entries(
    records: Path, places: Sequence[tuple[Line, dict[str, Any]]], first: int, around: Surroundings, advance: Advance
) -> list[dict[str, Any]]:
    entries = []
    for number, (line, _) in enumerate(places, first):
        entries.append(entry_of(read_at(records, line), number, around))
        advance(1)
    return entries


def _page(data: dict[str, Any], run: _Run, name: str, review: int, framed: bool) -> str:
    count = len(run.places)
    about = f"{count:,} file{'' if count == 1 else 's'}, {review:,} for a person to look at"
    return render(
        data, framed, heading={"title": name, "about": about}, layout="list", clips=count, development=False,
        seconds=0.0,
        calibrated=run.calibrated, detector=run.models[0] if len(run.models) == 1 else None,
        verdicts=verdict_rows({row["verdict"] for _, row in run.places}),
    )  # fmt: skip


def _is_page(out: Path) -> bool:
    return out.suffix.lower() in (".html", ".htm")


def require_report(out: Path) -> None:
    """Raises OutputError where something else lies at `out` than a report, a page or a folder."""
    page = out if _is_page(out) else out / INDEX
    if not out.exists() or (out.is_dir() and page != out and not any(out.iterdir())):
        return
    if not _is_ours(page):
        raise OutputError(f"{out} is there, and is no report", "Choose another --output: NAME.html, or a new folder.")


def _is_ours(page: Path) -> bool:
    try:
        with open_regular(page) as file:
            return _OURS in file.read(_HEAD)
    except OSError:
        return False


def _clear(folder: Path, current: str) -> None:
    """Takes the parts of former reports away."""
    for old in folder.iterdir():
        if _DATA.fullmatch(old.name) and old.name != current and not old.is_symlink():
            shutil.rmtree(old, ignore_errors=True)
