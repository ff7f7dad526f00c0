"""Scan records as they lie on a disk: a run folder or a file of JSON lines in, checked records with their places out.

A line is what `sfumato scan --json` writes. The file is read line by line and never held whole. The last line of a run
that is still going on may be half written; it is left out. Everything in a record is foreign.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.app.scan.record import SCHEMA_VERSION
from sfumato.app.scan.run_folder import RECORDS
from sfumato.errors import MediaError
from sfumato.limits import RECORD
from sfumato.regular_file import open_regular
from sfumato.structure.json_text import parse_json

Record = dict[str, Any]
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SECTIONS = ("media", "threshold", "frames", "provenance", "model", "timing")


@dataclass(frozen=True)
class Line:
    """One record. offset, length: of its bytes in the file."""

    offset: int
    length: int
    record: Record


def records_file(source: Path) -> Path:
    """The records of a run folder, or the file itself. Raises MediaError where there are none."""
    path = source / RECORDS if source.is_dir() else source
    if not path.exists():
        raise MediaError(
            f"{source} holds no {RECORDS}",
            "Name a folder that `sfumato scan -o` wrote, or a file of `sfumato scan --json`.",
        )
    return path


def read_records(path: Path) -> Iterator[Line]:
    """The records in their order. Raises MediaError, with the line's number, for what is none."""
    try:
        with open_regular(path) as file:
            number = offset = 0
            while data := file.readline(RECORD.most + 1):
                number, start, offset = number + 1, offset, offset + len(data)
                if not data.strip():
                    continue
                try:
                    if len(data) > RECORD.most:
                        raise ValueError("the line is too long")
                    yield Line(start, len(data), checked(parse_json(data)))
                except (ValueError, RecursionError) as error:
                    if not data.endswith(b"\n") and not file.read(1) and not data.rstrip().endswith(b"}"):
                        return  # a run that is still going on
                    advice = "It must be a line of `sfumato scan --json`, as docs/records.md describes it."
                    raise MediaError(f"{path}, line {number} is no scan record: {error}", advice) from error
    except OSError as error:
        raise MediaError(f"Cannot read {path}: {error.strerror}", "Name a run folder, or its records.jsonl.") from error


def read_at(path: Path, place: Line) -> Record:
    """The record of a line that `read_records` gave. Raises MediaError where the file changed meanwhile."""
    try:
        with open_regular(path) as file:
            file.seek(place.offset)
            return checked(json.loads(file.read(place.length)))  # read strictly before
    except (OSError, ValueError) as error:
        raise MediaError(f"{path} changed while it was read", "Wait until the scan is done.") from error


def checked(record: Any) -> Record:
    """The record with the parts that a list of files is made of; others are shown as they are. Raises ValueError."""
    _require(isinstance(record, dict), "it is no JSON object")
    version = record.get("schema_version")
    known = isinstance(version, int) and not isinstance(version, bool) and 1 <= version <= SCHEMA_VERSION
    _require(known, f"its schema_version is {version!r}; this program reads 1 to {SCHEMA_VERSION}")
    file, score = record.get("file"), record.get("score")
    _require(isinstance(file, dict) and isinstance(file.get("path"), str), "it names no file")
    digest = file.get("sha256")
    _require(digest is None or (isinstance(digest, str) and _DIGEST.fullmatch(digest)), "its sha256 is none")
    _require(isinstance(record.get("verdict"), str) and isinstance(record.get("review"), bool), "it has no verdict")
    number = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    _require(score is None or number, "its score is no number from 0 to 1")
    for name in _SECTIONS:
        _require(isinstance(record.get(name), dict), f"its {name} is no object")
    return {**record, "score": score}


def _require(holds: object, why: str) -> None:
    if not holds:
        raise ValueError(why)
