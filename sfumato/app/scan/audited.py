"""What a scan says in an audit log: a line that names all it judges with, then one a verdict. In: a scanner, what it
was asked, its records. Out: lines of the log (provenance.audit).

A verdict's line repeats the digests of model, calibration, lists and options, so that it can be read on its own. The
whole record stays where the scan wrote it; the line has its digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from provenance.audit.line import digest_of
from provenance.audit.log import PROGRAM, AuditLog
from sfumato.app.scan.record import ScanRecord
from sfumato.app.scan.scanner import CALIBRATION, Scanner
from sfumato.text import json_line


class AuditedScan:
    """`with AuditedScan(log, scanner, lists, options) as audited: audited.add(record)`. log: is begun if it is not
    there. lists: (what for, SHA-256) of each file that was given; options: what was asked, plain values.

    Raises what `AuditLog` raises.
    """

    def __init__(
        self, log: Path, scanner: Scanner, lists: Iterable[tuple[str, str]], options: Mapping[str, Any]
    ) -> None:
        bundle = scanner.detector.bundle
        asked = {**options, "fpr": scanner.fpr, "frames": scanner.frames}
        calibration = {name: bundle.record.get(name) for name in CALIBRATION}
        self._judging = {
            "model": bundle.digest,
            "calibration": digest_of(_plain(calibration)),
            "trust": [{"purpose": purpose, "sha256": digest} for purpose, digest in lists],
            "options": digest_of(asked),
        }
        self.log = AuditLog(log, {"command": "scan", "asked": asked, **self._judging})

    def __enter__(self) -> Self:
        self.log.__enter__()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.log.__exit__(kind, error, trace)

    def add(self, record: ScanRecord) -> None:
        """One verdict; it is on disk when this returns. Raises as `AuditLog.append`."""
        self.add_plain(_plain(record.as_json()))

    def add_plain(self, record: Mapping[str, Any]) -> None:
        """The same of a record as it reads back from its line."""
        self.log.append("verdict", {**verdict_body(record), "program": PROGRAM, **self._judging})


def verdict_body(plain: Mapping[str, Any]) -> dict[str, Any]:
    """What a line says of the file and its verdict. plain: the record as it reads back from its line, whose SHA-256, in
    the form of RFC 8785, is `record`.
    """
    return {
        "file": plain["file"],
        "verdict": plain["verdict"],
        "review": plain["review"],
        "status": plain["status"],
        "score": plain["score"],
        "threshold": plain["threshold"]["score"],
        "reasons": [reason["code"] for reason in plain["reasons"]],
        "record": digest_of(plain),
    }


def _plain(value: Any) -> Any:
    """As it reads back from the line that is printed."""
    return json.loads(json_line(value))
