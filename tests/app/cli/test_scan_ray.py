"""`sfumato scan -o --executor ray`: the same records as on one machine, though a worker is killed meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfumato.errors import UsageError
from tests.app.cli.test_scan_run import ROOT, records, run
from tests.media_fixtures import cut_off, damage, make_video
from tests.ray_fixtures import local_ray


def files_in(folder: Path) -> Path:
    """Good files, two of one content, and such as cannot be read."""
    folder.mkdir()
    for number in range(3):
        make_video(folder / f"good-{number}.mp4", frames=12 + number)
    shutil.copy(folder / "good-0.mp4", folder / "copy.mp4")
    cut_off(folder / "good-1.mp4", folder / "cut.mp4")
    damage(folder / "good-0.mp4", folder / "damaged.mp4")
    shutil.copy(folder / "good-2.mp4", Path(os.fsdecode(os.fsencode(folder) + b"/\xff.mp4")))
    (folder / "empty.mp4").touch()
    (folder / "lost.mp4").symlink_to("nowhere")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_cluster_finds_what_one_machine_finds_though_a_worker_is_killed(
    shipped_detector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFUMATO_REPOSITORY", str(tmp_path / "none.sqlite3"))  # whatever other tests entered into theirs
    files = files_in(tmp_path / "in")
    one = run("--json", "--model", shipped_detector, "-o", tmp_path / "one", files)
    lines, killed = tmp_path / "many" / "records.jsonl", 0
    with local_ray() as cluster:
        words = ["-m", "sfumato", "scan", "--json", "--model", shipped_detector, "--executor", "ray"]
        words = [sys.executable, *words, "--address", cluster.address, "-o", tmp_path / "many", files]
        with subprocess.Popen(list(map(str, words)), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not killed:
                if lines.exists() and lines.read_bytes() and (found := cluster.supervisors()):
                    killed = found[0]
                    os.kill(killed, signal.SIGKILL)
                time.sleep(0.01)
            printed, _ = process.communicate()
    assert killed
    assert process.returncode == one.return_value == 3
    assert records(tmp_path / "many") == records(tmp_path / "one")
    told, expected = json.loads(printed), json.loads(one.stdout)
    of_a_call = ("run", "seconds", "video_hours_an_hour")
    assert {name: told[name] for name in told if name not in of_a_call} == {
        name: expected[name] for name in expected if name not in of_a_call
    }


@pytest.mark.parametrize("option", [("--executor", "ray"), ("--address", "127.0.0.1:6379")])
def test_executor_and_address_go_together_and_need_a_run_folder(option: tuple[str, str], tmp_path: Path) -> None:
    for words, named in (((*option, "-o", tmp_path / "run"), "--executor ray and --address"), (option, option[0])):
        refusal = run(*words, tmp_path).exception
        assert isinstance(refusal, UsageError)
        assert refusal.message.startswith(named)
