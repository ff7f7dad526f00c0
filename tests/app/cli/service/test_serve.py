"""`sfumato serve` as a process: it prints its address and a first key once, judges what it is sent as `sfumato scan`
does, and ends when it is told to.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.cli.main import main
from sfumato.exit_codes import ExitCode
from tests.media_fixtures import make_video

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi", reason="needs FastAPI (pip install -e '.[serve]')")
ROOT = Path(__file__).resolve().parents[4]


def started(folder: Path, *options: object) -> tuple[subprocess.Popen[str], str, str]:
    """The process beside the folder, its address, and the first key or ""."""
    words = ("-m", "sfumato", "serve", "--folder", folder.name, "--port", "0", *options)
    command = [sys.executable, *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder.parent
    )
    assert process.stdout is not None
    lines = ""
    while "Serving at " not in lines:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        lines += line
    key = re.search(r"sfk_\S+", lines)
    address = re.search(r"http://\S+", lines)
    assert address is not None
    return process, address[0], key[0] if key else ""


def without_times(value: Any) -> Any:
    """The record without what differs between two scans of the same."""
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items() if name not in ("timing", "seconds", "time")}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def test_a_record_is_that_of_a_scan_and_sigterm_ends_it(
    tmp_path: Path, shipped_detector: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(tmp_path / "clip.mp4", frames=12)
    process, address, key = started(
        tmp_path / "service", "--model", shipped_detector, "--audit", tmp_path / "audit.jsonl"
    )
    try:
        client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60)
        for _ in range(2):  # by one process, which is in the folder of the first when it is given the second
            job = client.post("/v1/jobs", files={"file": ("clip.mp4", video.read_bytes())}).json()["id"]
            end = time.monotonic() + 120
            while client.get(f"/v1/jobs/{job}").json()["state"] != "done":
                assert time.monotonic() < end
                time.sleep(0.1)
        record = client.get(f"/v1/jobs/{job}/record").json()
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == ExitCode.TERMINATED
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "clip.mp4", "--json", "--model", str(shipped_detector)]) == ExitCode.DONE
    assert without_times(record) == without_times(json.loads(capsys.readouterr().out))
    assert main(["audit", "verify", str(tmp_path / "audit.jsonl")]) == ExitCode.NOT_GOOD  # whole; nobody given vouches
    assert '"verdict"' in (tmp_path / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert {"request", "judged"} <= {line["event"] for line in lines}
    assert key not in errors
    assert "clip.mp4" not in "".join(map(json.dumps, lines))


def test_another_process_judges_for_an_api_that_does_not(tmp_path: Path, shipped_detector: Path) -> None:
    process, address, key = started(tmp_path / "service", "--no-workers")
    worker = None
    try:
        client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60)
        content = make_video(tmp_path / "clip.mp4", frames=12).read_bytes()
        job = client.post("/v1/jobs", files={"file": ("clip.mp4", content)}).json()["id"]
        assert client.get(f"/v1/jobs/{job}/record").status_code == 409
        words = ("-m", "sfumato", "service", "work", "--folder", "service", "--model", shipped_detector)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        worker = subprocess.Popen([sys.executable, *map(str, words)], cwd=tmp_path, env=environment)
        end = time.monotonic() + 120
        while client.get(f"/v1/jobs/{job}").json()["state"] != "done":
            assert time.monotonic() < end
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == ExitCode.TERMINATED
    finally:
        process.kill()
        process.communicate()
        if worker is not None:
            worker.kill()


def test_what_an_api_without_workers_would_not_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["serve", "--folder", str(tmp_path / "service"), "--no-workers", "--workers", "2"]
    assert main(asked) == ExitCode.REQUEST
    assert "--workers has no use" in capsys.readouterr().err


def test_keys_are_made_listed_and_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(tmp_path / "service")]
    assert main(["service", "keys", "list", *folder]) == ExitCode.DONE
    assert "There is no key yet" in capsys.readouterr().out
    assert main(["service", "keys", "add", "press", "Bo", "--role", "review", *folder]) == ExitCode.DONE
    told = re.search(r"Key (\w+): (sfk_\S+)", capsys.readouterr().out)
    assert told is not None
    assert main(["service", "keys", "list", *folder]) == ExitCode.DONE
    listed = capsys.readouterr().out
    assert told[1] in listed
    assert told[2] not in listed
    assert main(["service", "keys", "revoke", told[1], *folder]) == ExitCode.DONE
    assert main(["service", "keys", "revoke", told[1], *folder]) == ExitCode.REQUEST
    assert "There is no such key" in capsys.readouterr().err
