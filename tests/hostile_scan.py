"""`sfumato scan FOLDER -o RUN` over a folder of tests/hostile_set.py: whole, then killed again and again (Linux).

Run as `python -m tests.hostile_scan FOLDER` to make the set of 500 files in FOLDER and scan it with the shipped
detector: minutes. It ends with 1 where a fault is found. A smaller set is tests/app/scan/test_hostile_run.py's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile_set import fill

ROOT = Path(__file__).resolve().parents[1]
LEFT = {"journal.sqlite3", "log.jsonl", "options.json", "records.jsonl", ".lock"}  # and nothing else, after a run
MEGABYTES = 1500  # of a worker, at most
CODES = (0, 3)  # all scanned; at least one file unreadable


@dataclass
class Call:
    """One call of the program. code: None where it was killed; peaks: {process: MB of resident memory, at most};
    output: what it printed, of errors the end.
    """

    code: int | None
    seconds: float
    peaks: dict[int, int] = field(default_factory=dict)
    output: str = ""
    errors: str = ""


def call(run: Path, files: Path, more: Sequence[str], until: Callable[[], bool] = lambda: False) -> Call:
    """Scans; as soon as `until` says so, the whole group of processes is killed."""
    words = [sys.executable, "-m", "sfumato", "scan", "--json", "-o", str(run), *more, str(files)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    since, peaks, killed, looks = time.monotonic(), dict[int, int](), False, 0
    with tempfile.TemporaryFile("w+", errors="replace") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, start_new_session=True, stdout=output, stderr=errors
        )
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
            looks += 1
            if looks % 5 == 0:  # what a process held at most stays known as long as it lives
                peaks |= _peaks(process.pid)
            if not killed and until():
                killed = True
                os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        errors.seek(0)
        code = None if killed and process.returncode == -signal.SIGKILL else process.returncode
        return Call(code, time.monotonic() - since, peaks, output.read(), errors.read()[-2000:])


def _peaks(session: int) -> dict[int, int]:
    """MB that each process of the session held at most so far."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if (folder / "stat").read_text().rsplit(")", 1)[1].split()[3] != str(session):
                continue
            if held := re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text()):
                found[int(folder.name)] = int(held[1]) // 1024
    return found


def lines_of(run: Path) -> int:
    return (run / "records.jsonl").read_bytes().count(b"\n") if (run / "records.jsonl").exists() else 0


def told(run: Path) -> dict[str, dict[str, Any]]:
    """The records by path, without what says how long it took and which of several copies came first."""
    found: dict[str, dict[str, Any]] = {}
    for line in (run / "records.jsonl").read_text(encoding="ascii").splitlines():
        record = json.loads(line)
        path = record["file"]["path"]
        assert path not in found, f"{path!r} has two records"
        record["timing"], record["watermark"] = {}, (record["watermark"] or {}) | {"seconds": 0}
        record["scan"], record["stages"] = record["scan"] | {"time": ""}, (record["stages"] or {}) | {"seconds": {}}
        record["notes"] = [note for note in record["notes"] if not note.startswith("Judged once")]
        found[path] = record
    return found


@dataclass
class Report:
    """What came of it. faults: in words, none where all is well."""

    entries: int
    whole: Call
    records: dict[str, dict[str, Any]]
    passed_over: dict[str, int]
    kills: list[int]  # lines that were there when it was killed
    faults: list[str]

    @property
    def said(self) -> dict[str, Any]:
        return {
            "entries": self.entries,
            "records": len(self.records),
            "passed over": self.passed_over,
            "statuses": dict(Counter(record["status"] for record in self.records.values())),
            "reasons": dict(
                Counter(record["reasons"][0]["code"] for record in self.records.values() if record["reasons"])
            ),
            "seconds": round(self.whole.seconds, 1),
            "peaks, MB": sorted(self.whole.peaks.values(), reverse=True)[:4],
            "killed at": self.kills,
            "faults": self.faults,
        }


def check(files: Path, entries: int, place: Path, more: Sequence[str], kills: int, seed: int = 0) -> Report:
    """Scans all of `files` into place/whole, then into place/killed with `kills` kills; holds one against the other."""
    faults: list[str] = []
    whole = call(place / "whole", files, more)
    if whole.code not in CODES:
        return Report(entries, whole, {}, {}, [], [f"ended with {whole.code}: {whole.errors}"])
    summary, records = json.loads(whole.output), told(place / "whole")
    faults += _faults_of(whole, summary, records, entries)
    chance, at = random.Random(seed), list[int]()
    for number in range(kills):
        before = lines_of(place / "killed")
        wanted = before + chance.randint(0, max(1, (len(records) - before) // (kills + 1 - number)))
        moment = chance.uniform(0, 0.3)
        ready: list[float] = []

        def until(wanted: int = wanted, ready: list[float] = ready, moment: float = moment) -> bool:
            if lines_of(place / "killed") >= wanted:
                ready.append(time.monotonic())
            return bool(ready) and ready[-1] - ready[0] >= moment

        ended = call(place / "killed", files, more, until)
        at.append(lines_of(place / "killed"))
        if ended.code is not None and ended.code not in CODES:
            faults.append(f"after {number} kills it ended with {ended.code}: {ended.errors}")
    last = call(place / "killed", files, more)
    if last.code != whole.code:
        faults.append(f"after {kills} kills it ended with {last.code}: {last.errors}")
    again = told(place / "killed")
    faults += [f"{path!r} is missing after kills" for path in records.keys() - again.keys()]
    faults += [f"{path!r} is new after kills" for path in again.keys() - records.keys()]
    for path in sorted(records.keys() & again.keys()):
        differing = [name for name in records[path] if records[path][name] != again[path][name]]
        if differing:
            first = differing[0]
            faults.append(f"{path!r} differs in {differing}: {records[path][first]!r} and {again[path][first]!r}")
    for run in ("whole", "killed"):
        if strange := {each.name for each in (place / run).iterdir()} - LEFT:
            faults.append(f"{run} holds {sorted(strange)}")
    return Report(entries, whole, records, summary["passed_over"], at, faults)


def _faults_of(whole: Call, summary: dict[str, Any], records: dict[str, dict[str, Any]], entries: int) -> list[str]:
    faults = []
    counted = len(records) + sum(summary["passed_over"].values())
    if counted != entries:
        faults.append(f"{entries} entries, {counted} of them counted")
    if summary["files"] != len(records):
        faults.append(f"{summary['files']} files, {len(records)} records")
    if largest := [megabytes for megabytes in whole.peaks.values() if megabytes > MEGABYTES]:
        faults.append(f"processes of {largest} MB")
    for path, record in records.items():
        code = record["reasons"][0]["code"] if record["reasons"] else ""
        if code in ("worker_died", "timeout", "out_of_memory", "failed"):
            faults.append(f"{path!r}: {record['reasons'][0]}")
    if "Traceback" in whole.errors:
        faults.append(whole.errors)
    return faults


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="A new folder for the set and the runs.")
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, help="Another detector than the shipped one.")
    given = parser.parse_args()
    files = given.folder / "files"
    entries = fill(files, given.files, seed=given.seed)
    more = ["--workers", "2", *(["--model", str(given.model)] if given.model else [])]
    report = check(files, entries, given.folder, more, given.kills, given.seed)
    print(json.dumps(report.said, indent=1))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
