"""`sfumato scan -o --executor ray`: the same records as on one machine, though a worker is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sfumato.errors import UsageError
from tests.app.cli.test_scan_run import ROOT, hostile, records, run
from tests.ray_fixtures import local_ray


def supervisors() -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if (folder / "cmdline").read_bytes().startswith(b"ray::Supervisor"):
                found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_a_cluster_finds_what_one_machine_finds_though_a_worker_is_killed(
    shipped_detector: Path, tmp_path: Path
) -> None:
    files = hostile(tmp_path / "in")
    one = run("--json", "--model", shipped_detector, "-o", tmp_path / "one", "--workers", 2, files)
    with local_ray() as address:
        given = ["--json", "--model", shipped_detector, "--executor", "ray", "--address", address, files]
        words = [sys.executable, "-m", "sfumato", "scan", "-o", tmp_path / "many", *given]
        with subprocess.Popen(list(map(str, words)), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            lines = tmp_path / "many" / "records.jsonl"
            killed = None
            while process.poll() is None and killed is None:
                if lines.exists() and lines.read_bytes() and (found := supervisors()):
                    killed = found[0]
                    os.kill(killed, signal.SIGKILL)
                time.sleep(0.01)
            told, _ = process.communicate()
        assert killed is not None
        assert process.returncode == 3
        again = run("-o", tmp_path / "many", *given)  # in this process, which joins and leaves the cluster
    assert records(tmp_path / "many") == records(tmp_path / "one")
    same = ("files", "judged", "copies", "failed", "unreadable", "verdicts", "passed_over")
    first, of_one = json.loads(told), json.loads(one.stdout)
    assert {name: first[name] for name in same} == {name: of_one[name] for name in same}
    assert json.loads(again.stdout)["kept"] == first["files"]


@pytest.mark.parametrize("option", [("--executor", "ray"), ("--address", "127.0.0.1:6379")])
def test_executor_and_address_go_together_and_need_a_run_folder(option: tuple[str, str], tmp_path: Path) -> None:
    for words, named in (((*option, "-o", tmp_path / "run"), "--executor ray and --address"), (option, option[0])):
        refusal = run(*words, tmp_path).exception
        assert isinstance(refusal, UsageError)
        assert refusal.message.startswith(named)
