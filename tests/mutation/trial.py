"""One trial: some text put into a copy of the tree, the tests that concern it, and whether one of them fails.

In: files of tests, a changed file. Out: a `Trial`. Each trial is a fork of a process that has already loaded the
packages of others (NumPy, cryptography, ...), which saves most of the time of a test run; our own modules are loaded
anew from the copy. Results are kept in a folder: a kill counts again while the file of the killing test is the same,
a survival while all of them are.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

OURS = ("sfumato", "generator", "detector", "provenance", "benchmarks", "tests")
OPTIONS = (
    "-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "no:faulthandler",
    "-o", "addopts=--import-mode=importlib",
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """outcome: "killed", "survived", or "timeout", which counts as killed. by: the test that failed. seconds: taken."""

    outcome: str
    by: str = ""
    seconds: float = 0.0


def copy_tree(root: Path, destination: Path) -> Path:
    """What git knows of `root`, tracked or new, as it is now; compiled, so that a trial compiles only its change."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=root, check=True, capture_output=True
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (root / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, destination / name)
    # checked-hash: a mutant of the same size and second as the original must not be taken for it
    compile_all = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", *OURS[:-1]]
    subprocess.run([sys.executable, *compile_all], cwd=destination, check=True)
    return destination


class _Notes:
    """A plugin of pytest: the first test that fails."""

    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def _child(tree: Path, tests: Sequence[str], answer: int, keep_bytecode: bool) -> None:
    """Runs the tests and writes what it found; never returns."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    os.environ |= {"PYTHONPATH": str(tree), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.dont_write_bytecode = not keep_bytecode
    notes = _Notes()
    try:
        code = int(pytest.main([*OPTIONS, *tests], plugins=[notes]))
    except BaseException:
        code = 70
    loaded = [name for name in sys.modules if keep_bytecode and name.split(".")[0] not in OURS]
    os.write(answer, json.dumps({"code": code, "by": notes.failed, "loaded": loaded}).encode())
    os._exit(0)


def start(tree: Path, tests: Sequence[str], keep_bytecode: bool = False) -> tuple[int, int]:
    """Begins a run of `tests` in `tree`. Returns the process and the file descriptor of its answer."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _child(tree, tests, writing, keep_bytecode)
    os.close(writing)
    return process, reading


def finish(process: int, reading: int, limit: float) -> dict[str, object] | None:
    """Waits for a run; None if it took longer than `limit` seconds. A process that dies unasked counts as code 70."""
    until, parts = time.monotonic() + limit, []
    try:
        while True:
            ready, _, _ = select.select([reading], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return None
            part = os.read(reading, 65536)
            if not part:
                return dict(json.loads(b"".join(parts))) if parts else {"code": 70, "by": "the process died"}
            parts.append(part)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # what the tests started ends with them
        os.waitpid(process, 0)


def baseline(tree: Path, tests: Sequence[str], limit: float = 600) -> tuple[bool, str, float]:
    """The unchanged tree: whether the tests pass, which does not, and how long they take. Loads what they load."""
    begun = time.monotonic()
    found = finish(*start(tree, tests, keep_bytecode=True), limit)
    seconds = time.monotonic() - begun
    if found is None or found["code"] != 0:
        return False, str(found["by"] or f"pytest ends with {found['code']}") if found else "time limit", seconds
    for name in found["loaded"]:  # type: ignore[attr-defined]
        if not name.startswith(("_pytest", "__main__", "conftest", "test_")):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    return True, "", seconds


class Results:
    """What earlier runs found, a file a module."""

    def __init__(self, folder: Path, module: str, root: Path, tests: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{module.replace('/', '.')}.json"
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.digests = {name: _digest(root / name) for name in tests}

    def get(self, text: str) -> Trial | None:
        entry = self.known.get(_digest_of(text.encode()))
        if entry is None:
            return None
        seen, trial = entry["tests"], Trial(**entry["trial"])
        by = trial.by.split("::")[0]
        names = [by] if trial.outcome == "killed" and by in self.digests else [*self.digests, *seen]
        return trial if all(self.digests.get(name) == seen.get(name) for name in names) else None

    def put(self, text: str, trial: Trial) -> None:
        self.known[_digest_of(text.encode())] = {"trial": asdict(trial), "tests": self.digests}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.known))
        fresh.replace(self.path)


def _digest(path: Path) -> str:
    return _digest_of(path.read_bytes())


def _digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:20]


def run_all(
    trees: Sequence[Path],
    changes: Sequence[tuple[str, str]],
    tests: Sequence[str],
    limit: float,
    done: Callable[[int, Trial], None],
) -> None:
    """A trial of each change (file, text), as many at a time as there are trees. `done` gets its number and result."""
    from concurrent.futures import ThreadPoolExecutor
    from queue import Queue

    free: Queue[Path] = Queue()
    for tree in trees:
        free.put(tree)

    def one(number: int) -> tuple[int, Trial]:
        tree = free.get()
        name, text = changes[number]
        path = tree / name
        kept = path.read_bytes()
        try:
            path.write_text(text, encoding="utf-8")
            begun = time.monotonic()
            found = finish(*start(tree, tests), limit)
            taken = round(time.monotonic() - begun, 2)
        finally:
            path.write_bytes(kept)
            free.put(tree)
        if found is None:
            return number, Trial("timeout", "", taken)
        return number, Trial("survived" if found["code"] == 0 else "killed", str(found["by"]), taken)

    with ThreadPoolExecutor(len(trees)) as pool:
        for number, trial in pool.map(one, range(len(changes))):
            done(number, trial)
