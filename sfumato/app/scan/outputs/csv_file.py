"""CSV: records in, one row a file out, for spreadsheets too.

A spreadsheet runs a cell that begins like a formula, whoever wrote it: a file may be named =HYPERLINK(...). Such a text
gets an apostrophe in front, and so does one that begins with an apostrophe: taking one away gives the text back. What
could steer a terminal or break a line is escaped. Texts are always quoted, numbers never.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sfumato.app.scan.outputs.table import COLUMNS, Record, row
from sfumato.atomic import atomic_path
from sfumato.text import printable

_FORMULA = ("=", "+", "-", "@", "'", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full-width forms run too


def write_csv(path: Path, records: Iterable[Record]) -> None:
    """UTF-8, with a header, lines ended by CR LF as RFC 4180 has it. Raises OutputError."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow([column.name for column in COLUMNS])
        for record in records:
            writer.writerow([_cell(value) for value in row(record).values()])


def guarded(text: str) -> str:
    """As a cell that no spreadsheet runs."""
    shown = printable(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return guarded(value) if isinstance(value, str) else "" if value is None else value
