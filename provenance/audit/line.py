"""One line of an audit log: plain values in, one canonical JSON text out, and back, strictly.

A line is an object in the form of RFC 8785 (keys in order, no spaces, one spelling of each number), UTF-8, ended by a
line feed. `sha256` is the SHA-256 of the same object without that key; `previous` is the `sha256` of the line before
it, null in the first. So one content has one spelling, and whoever changes a line changes its digest and that of all
lines after it. Numbers are integers within 2**53 or finite fractions; what reads back otherwise is refused when it is
written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from sfumato.errors import UsageError
from sfumato.limits import AUDIT_LINE
from sfumato.structure.json_text import parse_json

SCHEMA_VERSION = 1
KINDS = ("begin", "open", "verdict", "decision", "torn", "head")
_KEYS = {"schema_version", "number", "time", "kind", "body", "previous", "sha256"}
_HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Line:
    """number: from 1; time: ISO 8601, UTC, by the clock of the machine that wrote it; kind: one of KINDS; body: what it
    says, as docs/schemas/audit-line.schema.json describes it; previous, sha256: 64 hex digits.
    """

    number: int
    time: str
    kind: str
    body: Mapping[str, Any]
    previous: str | None
    sha256: str

    def as_bytes(self) -> bytes:
        """The line as it stands in the log, its line feed included."""
        return canonical({**_content(self), "sha256": self.sha256}) + b"\n"


def next_line(last: Line | None, kind: str, body: Mapping[str, Any], now: datetime) -> Line:
    """The line that follows `last`; None: the first one. Raises UsageError for a body that JSON cannot say, or that is
    too long.
    """
    number, previous = (1, None) if last is None else (last.number + 1, last.sha256)
    time = time_text(now)
    line = Line(number, time, kind, body, previous, "")
    try:
        made = Line(number, time, kind, body, previous, _digest(line))
        read = read_line(made.as_bytes())
        if read.as_bytes() != made.as_bytes():
            raise ValueError("it reads back otherwise")
    except (ValueError, RecursionError) as error:
        raise UsageError(f"That cannot stand in an audit log: {error}", "Give plain values, and short ones.") from error
    return made


def time_text(moment: datetime) -> str:
    """As it stands in a line: ISO 8601, UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_line(data: bytes) -> Line:
    """The line that `data` is, with its line feed or without. Raises ValueError, with a sentence for people, unless it
    is canonical and its digest is right.
    """
    data = data.removesuffix(b"\n")
    if len(data) > AUDIT_LINE.most:
        raise ValueError(f"it is longer than {AUDIT_LINE.most} bytes")
    found = parse_json(data)
    if not isinstance(found, dict) or found.keys() != _KEYS:
        raise ValueError("it is no line of an audit log: its keys are others")
    if found["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"it is of another version ({str(found['schema_version'])[:20]})")
    number, time, kind, body = (found[name] for name in ("number", "time", "kind", "body"))
    previous, digest = found["previous"], found["sha256"]
    if type(number) is not int or not isinstance(time, str) or not isinstance(body, dict) or kind not in KINDS:
        raise ValueError("it is no line of an audit log: a value is of another kind")
    if not (previous is None or is_digest(previous)) or not is_digest(digest):
        raise ValueError("it is no line of an audit log: a digest is none")
    if time_text(datetime.fromisoformat(time)) != time:
        raise ValueError("its time is not written as times are here")
    line = Line(number, time, kind, body, previous, digest)
    if canonical(found) != data:
        raise ValueError("it is not written in the canonical form: it was changed, if only in its spaces")
    before, _, after = data.rpartition(f',"sha256":"{digest}"'.encode())  # the last one: only `time` stands behind it
    if hashlib.sha256(before + after).hexdigest() != digest:
        raise ValueError("its content is not what its digest says: it was changed")
    return line


def misfit(last: Line | None, line: Line) -> str:
    """Why `line` does not follow `last`, in a sentence; empty if it does. None: nothing stands before it."""
    due, previous = (1, None) if last is None else (last.number + 1, last.sha256)
    if (line.number, line.previous) == (due, previous):
        return "" if (last is None) == (line.kind == "begin") else "a log begins once, with its first line"
    if last is not None and line.sha256 == last.sha256:
        return "it is the line before it once more"
    if line.number > due:
        return f"it is number {line.number} where {due} is due: lines were removed or moved"
    if line.number < due:
        return f"it is number {line.number} where {due} is due: it was moved, or stands here a second time"
    return "it does not follow from the line before it: one of the two was changed"


def is_torn(data: bytes) -> bool:
    """Whether `data` is a piece of a line whose writing broke off: no piece of a JSON object but the whole is one."""
    try:
        return not isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return True


def canonical(value: Any) -> bytes:
    """`value` in the form of RFC 8785. Raises ValueError for what that cannot say."""
    return rfc8785.dumps(value)


def digest_of(value: Any) -> str:
    """SHA-256, hex, of plain values in the form of RFC 8785. Raises ValueError for what that cannot say."""
    return hashlib.sha256(canonical(value)).hexdigest()


def is_digest(value: Any) -> bool:
    """64 lower-case hex digits."""
    return isinstance(value, str) and len(value) == 64 and _HEXADECIMAL.issuperset(value)


def _digest(line: Line) -> str:
    return digest_of(_content(line))


def _content(line: Line) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "number": line.number,
        "time": line.time,
        "kind": line.kind,
        "body": dict(line.body),
        "previous": line.previous,
    }
