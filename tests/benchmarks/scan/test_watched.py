"""A scan looked at from outside: moments that only rise, the processes of a session, what a failure says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.scan import watched
from benchmarks.scan.footage import copies, make_clip
from benchmarks.scan.watched import _Lines, processes_of, watch_scan
from sfumato.errors import SfumatoError, UsageError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def test_a_scan_is_seen_to_go_on(tmp_path: Path, shipped_detector: Path) -> None:
    for _ in copies(make_clip(tmp_path / "clip.mp4", 120, 0.2), tmp_path / "in", 4):
        pass
    told: list[float] = []
    moments = watch_scan(tmp_path / "in", tmp_path / "run", ["--model", str(shipped_detector)], told.append)
    assert sum(told) == moments[-1].files
    assert [moment.files for moment in moments] == sorted({moment.files for moment in moments})
    assert all(later.cpu >= sooner.cpu > 0 for sooner, later in pairwise(moments))
    assert all(20 < moment.driver_mb < 2000 and 20 < moment.worker_mb < 2000 for moment in moments)


def test_a_scan_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SfumatoError, match="ended with 2: "):
        watch_scan(tmp_path / "nothing", tmp_path / "run", ["--frames", "no number"])


def test_lines_are_counted_as_a_file_grows(tmp_path: Path) -> None:
    lines = _Lines(tmp_path / "a")
    assert lines.count() == 0
    with (tmp_path / "a").open("a") as file:
        for text, count in (("1\n2\n3", 2), ("\n", 3)):
            file.write(text)
            file.flush()
            assert lines.count() == count
    lines.close()


def test_the_processes_of_a_session_are_all_of_its_and_no_others() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True)
    until = time.monotonic() + 20
    while len(found := processes_of(process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    process.communicate(b"\n")
    assert len(found) == 2
    assert process.pid in found
    assert os.getpid() not in found
    assert all(seconds >= 0 and memory > 1 for seconds, memory in found.values())


def test_a_system_without_proc_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_PROC", tmp_path)
    with pytest.raises(UsageError, match="/proc"):
        watch_scan(tmp_path, tmp_path / "run")
