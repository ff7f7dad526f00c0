"""Workers of a scan for tests: what a file holds says what becomes of the process that judges it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from sfumato.app.scan.setup import ScanJob
from tests.scan_fixtures import scan_record


def judge(job: ScanJob) -> dict[str, Any]:
    """A record with the process in its notes; "die", "hang" and "raise" do so."""
    text = job.path.read_text()
    if text == "die":
        os.abort()
    if text == "hang":
        time.sleep(60)
    if text == "raise":
        raise ValueError("a library's words")
    record = scan_record().as_json()
    return record | {"file": {"path": str(job.path), "sha256": job.content.split()[0], "size": len(text)}}


def begin() -> Callable[[ScanJob], dict[str, Any]]:
    return judge
