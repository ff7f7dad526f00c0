"""What a worker's process does with a job: exactly what `sfumato scan` does, in the folder of the upload.

There the file has the name that it came with, so that its record is the one that its owner would get of it, and says
nothing of where this machine keeps things.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sfumato.app.review.credential_tree import credential_tree
from sfumato.app.review.entries import WITHOUT_TREE
from sfumato.app.review.page_parts import shown
from sfumato.app.scan.setup import ScanJob, ScanSetup, begin
from sfumato.execution.journal import Record


def begin_in_folders(setup: ScanSetup) -> Callable[[ScanJob], dict[str, Any]]:
    """Loads the nets; what it returns makes `{"record": ..., "tree": ...}` of a job, the latter for the review page."""
    judge = begin(setup)

    def judge_there(job: ScanJob) -> dict[str, Any]:
        path = Path(str(job.path))  # never an address: those were fetched before they were jobs
        os.chdir(path.parent)  # of a process that does nothing else
        inside = path.relative_to(path.parent)
        record: Record = judge(ScanJob(inside, job.content))
        told = record["provenance"]["outcome"] not in WITHOUT_TREE
        return {"record": record, "tree": shown(credential_tree(inside)) if told else None}

    return judge_there
