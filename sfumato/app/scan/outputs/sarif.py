"""SARIF 2.1.0 (OASIS): records in, one run out, for viewers and pipelines that take findings of any tool.

A verdict is a rule, a file a result. Its kind is "fail" only where the detector, a void credential or a contradiction
speaks against a file, "open" where nothing could be decided, "review" where a person should look, "informational" for
the rest: never "pass", since a low score clears nothing. SARIF has no region of time: seconds stand in `properties`.
Texts out of files are escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from sfumato.app.scan.outputs.table import Record
from sfumato.app.scan.verdict import VERDICTS
from sfumato.atomic import atomic_path
from sfumato.text import json_line, printable
from sfumato.version import __version__

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {  # of what counts as a finding
    "likely-synthetic": "error",
    "suspicious": "warning",
    "conflict": "warning",
    "tampered-after-signing": "warning",
    "credential-invalid": "note",
}
_OPEN = ("inconclusive", "not-evaluable")
_RULES = {name: number for number, name in enumerate(VERDICTS)}
_LONGEST = 1000  # characters of one text
_TRACK = ("id", "t0", "t1", "size_px", "score")  # seconds, pixels
_SHOWN = ("score", "logit", "review", "status")


def write_sarif(path: Path, records: Callable[[], Iterable[Record]], code: int = 0) -> None:
    """records: gives them all, each time it is called; code: what the program ends with. Raises OutputError."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii") as file:
        file.write('{"$schema": ' + json.dumps(SCHEMA) + ', "version": "2.1.0", "runs": [{\n')
        file.write('"tool": ' + json_line({"driver": _driver()}) + ",\n")
        file.write('"columnKind": "unicodeCodePoints",\n')
        file.write(f'"invocations": [{{"executionSuccessful": true, "exitCode": {code},\n')
        _array(file, "toolExecutionNotifications", filter(None, map(_notification, records())))
        file.write("}],\n")
        _array(file, "artifacts", (_artifact(number, record) for number, record in enumerate(records())))
        file.write(",\n")
        _array(file, "results", (_result(number, record) for number, record in enumerate(records())))
        file.write("}]}\n")


def _array(file: IO[str], name: str, items: Iterator[Any]) -> None:
    """Item by item: a run of a million files is never held whole."""
    file.write(f"{json.dumps(name)}: [")
    for number, item in enumerate(items):
        file.write((",\n" if number else "\n") + json_line(item))
    file.write("]")


def _driver() -> dict[str, Any]:
    return {"name": "sfumato", "semanticVersion": __version__, "rules": [_rule(name) for name in VERDICTS]}


def _rule(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": name.replace("-", " ")},
        "fullDescription": {"text": VERDICTS[name]},
        "defaultConfiguration": {"level": LEVELS.get(name, "none")},
    }


def _result(number: int, record: Record) -> dict[str, Any]:
    name, file = str(record["verdict"]), record["file"]
    kind = _kind(name, record)
    found: dict[str, Any] = {
        "ruleId": printable(name, 100),
        "kind": kind,
        "level": LEVELS[name] if kind == "fail" else "none",
        "message": {"text": _message(record)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(file["path"]), "index": number}}}],
        "properties": _properties(record),
    }
    if name in _RULES:
        found["ruleIndex"] = _RULES[name]
    if file.get("sha256"):
        found["partialFingerprints"] = {"contentSha256/v1": file["sha256"]}
    return found


def _kind(name: str, record: Record) -> str:
    if name in LEVELS:
        return "fail"
    return "open" if name in _OPEN else "review" if record["review"] else "informational"


def _message(record: Record) -> str:
    reasons = [reason for reason in _list(record.get("reasons")) if isinstance(reason, dict)]
    told = [f"{reason.get('code')}: {reason.get('detail')}" for reason in reasons]
    meaning = str(record.get("meaning") or record["verdict"])
    return "\n".join(printable(text, _LONGEST) for text in (meaning, *told))


def _properties(record: Record) -> dict[str, Any]:
    threshold, scan = record["threshold"], record.get("scan")
    tracks = [track for track in _list(record.get("tracks")) if isinstance(track, dict)]
    faces = [{name: track[name] for name in _TRACK if name in track} for track in tracks]
    shown = {name: record.get(name) for name in _SHOWN} | {"threshold": threshold.get("score")}
    shown |= {"fpr": threshold.get("fpr"), "model": record["model"].get("sha256"), "faces": faces}
    shown |= {"credential": record["provenance"].get("outcome")}
    if isinstance(scan, dict) and scan:
        shown |= {"scanned": scan.get("time"), "program": scan.get("program"), "trust": scan.get("trust")}
    return {"sfumato": _printed(shown)}


def _printed(value: Any) -> Any:
    """The same with its texts printable."""
    if isinstance(value, dict):
        return {printable(name, 100): _printed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_printed(item) for item in value]
    return printable(value, _LONGEST) if isinstance(value, str) else value


def _artifact(number: int, record: Record) -> dict[str, Any]:
    """number: its place among the records; no two artifacts may be alike, and two names may be once their bytes that
    are no UTF-8 are replaced.
    """
    file = record["file"]
    found: dict[str, Any] = {"location": {"uri": uri(file["path"])}, "properties": {"sfumato": {"record": number}}}
    if isinstance(file.get("size"), int):
        found["length"] = file["size"]
    if file.get("sha256"):
        found["hashes"] = {"sha-256": file["sha256"]}
    return found


def _notification(record: Record) -> dict[str, Any] | None:
    """Of a file that could not be read."""
    if record.get("status") != "error":
        return None
    location = {"physicalLocation": {"artifactLocation": {"uri": uri(record["file"]["path"])}}}
    return {"level": "error", "message": {"text": _message(record)}, "locations": [location]}


def uri(path: str) -> str:
    """A path, or an address, as a URI reference: relative ones as the scan was called with."""
    text = path.encode("utf-8", "replace").decode()
    if "://" in text:
        return quote(text, safe="%/:?#[]@!$&'()*+,;=~-._")
    return ("file://" if text.startswith("/") else "") + quote(text, safe="/~-._")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
