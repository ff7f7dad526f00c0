"""What reviewers decided, made into labels: exports of the report in, a table out that is measured and learnt from.

A line of an export is one decision: which file, what it is, who says so, when, why, and what the program had said. Of
one reviewer's decisions on a file the last counts; where two reviewers disagree, or one cannot tell, there is no label.
A label is of a content: a file that changed after it was judged has none either.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sfumato.app.review.entries import located
from sfumato.atomic import write_text
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import Family, Label, file_digest
from sfumato.regular_file import open_regular
from sfumato.structure.json_text import json_lines

SCHEMA = 1
# a decision -> the label and what made the file, as clips.jsonl names it; None: no label
LABELS: dict[str, tuple[Label, Family] | None] = {
    "real": ("real", "real"),
    "generated": ("fake", "synthesis"),
    "manipulated": ("fake", "blend"),
    "unsure": None,
}
COLUMNS = ("path", "label", "method", "family", "score")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Decision:
    """One reviewer's word on one file. path: as its record has it; sha256: of the content that was judged, None where
    that could not be read; score: the detector's, None without one. What else an export says is not read.
    """

    path: str
    sha256: str | None
    decision: str
    reviewer: str
    time: datetime
    score: float | None
    base: Path  # the folder of the export

    @property
    def key(self) -> str:
        """Which file: its content, or its path."""
        return self.sha256 or self.path


@dataclass
class Labelled:
    """rows: of the table, in the order of COLUMNS; left_out: (path, why) of files without a label; reviewers: who is
    behind the rows.
    """

    rows: list[tuple[str, ...]]
    left_out: list[tuple[str, str]]
    reviewers: set[str]


def read_decisions(exports: Iterable[Path]) -> list[Decision]:
    """Raises MediaError, with the line's number, for what is no export of a report, UsageError where none is in it."""
    found = [decision for export in exports for decision in _read(export)]
    if not found:
        raise UsageError("There is no decision in it", "Export them from the report: the key x.")
    return found


def label(decisions: Sequence[Decision], table: Path) -> Labelled:
    """The labels of the decisions, with paths from the folder of `table`."""
    last: dict[tuple[str, str], Decision] = {}
    for decision in sorted(decisions, key=lambda each: each.time):
        last[decision.key, decision.reviewer] = decision
    by_file: dict[str, list[Decision]] = {}
    for (key, _), decision in last.items():
        by_file.setdefault(key, []).append(decision)
    labelled = Labelled([], [], set())
    for said in by_file.values():
        row = _row(said, table)
        if isinstance(row, str):
            labelled.left_out.append((said[0].path, row))
        else:
            labelled.rows.append(row)
            labelled.reviewers |= {decision.reviewer for decision in said}
    labelled.rows.sort()
    return labelled


def write_labels(table: Path, rows: Iterable[Sequence[str]]) -> None:
    """Writes the CSV atomically. Raises OutputError."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_text(table, text.getvalue())


def _row(said: Sequence[Decision], table: Path) -> tuple[str, ...] | str:
    """The row of one file, or why it has none."""
    first = said[0]
    if len({decision.decision for decision in said}) > 1:
        return f"its reviewers disagree ({', '.join(sorted(f'{each.reviewer}: {each.decision}' for each in said))})"
    meant = LABELS[first.decision]
    if meant is None:
        return "its reviewer could not tell"
    path = located(first.path, first.base)
    if path is None:
        return "it is not where its record says"
    try:
        if first.sha256 is None or file_digest(path) != first.sha256:
            return "its content is not the one that was judged"
    except MediaError as error:
        return error.message
    inside = Path(os.path.relpath(path.resolve(), table.resolve().parent)).as_posix()
    if inside != inside.strip() or not inside.isprintable():
        return "a table cannot hold its name"
    kind, family = meant
    method = "camera" if kind == "real" else f"reviewed-{first.decision}"
    return (inside, kind, method, family, "" if first.score is None else repr(first.score))


def _read(export: Path) -> Iterator[Decision]:
    try:
        with open_regular(export) as file:
            yield from json_lines(file, lambda values: _parsed(values, export.parent))
    except ValueError as error:
        raise MediaError(
            f"{export} holds what is no decision, {error}", "Name what the report exported: decisions.jsonl."
        ) from error
    except OSError as error:
        raise MediaError(f"Cannot read {export}: {error.strerror}", "Name what the report exported.") from error


def _parsed(values: Any, base: Path) -> Decision:
    if not isinstance(values, dict) or values.get("schema") != SCHEMA or isinstance(values["schema"], bool):
        raise ValueError(f"it is no object of schema {SCHEMA}")
    path, digest, score = values.get("path"), values.get("sha256"), values.get("score")
    if not isinstance(path, str) or not path:
        raise ValueError("it names no file")
    if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise ValueError("its sha256 is none")
    decision = values.get("decision")
    if not isinstance(decision, str) or decision not in LABELS:
        raise ValueError(f"the decision is {decision!r}; it must be one of {', '.join(LABELS)}")
    if not isinstance(values.get("reviewer"), str) or not values["reviewer"].strip():
        raise ValueError("nobody decided it")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise ValueError("its score is no number")
    time = datetime.fromisoformat(str(values.get("time")))
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return Decision(path, digest, decision, values["reviewer"].strip(), time, score, base)
