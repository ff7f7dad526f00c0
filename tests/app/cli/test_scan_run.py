"""`sfumato scan -o`: a run folder is filled, gone on with after kill -9, refused for another request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance.audit.line import read_line
from sfumato.app.cli.scan import scan
from sfumato.app.review.run_report import write_run_report
from sfumato.errors import UsageError
from tests.media_fixtures import cut_off, damage, make_sound, make_video

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(scan, [str(argument) for argument in arguments], standalone_mode=False)


def records(folder: Path) -> dict[str, dict[str, Any]]:
    """By path, without what says when, how long it took and which of several copies came first."""
    found = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    for record in found:
        record["timing"], record["watermark"] = {}, (record["watermark"] or {}) | {"seconds": 0}
        record["scan"] |= {"time": ""}
        record["stages"] = (record["stages"] or {}) | {"seconds": {}}
        record["notes"] = [note for note in record["notes"] if not note.startswith("Judged once")]
    named = {record["file"]["path"]: record for record in found}
    assert len(named) == len(found)
    return named


def hostile(folder: Path) -> Path:
    """Good files, damaged and hostile ones, and what is no file."""
    folder.mkdir()
    for number in range(6):
        make_video(folder / f"good-{number}.mp4", frames=12 + number)
    good = folder / "good-0.mp4"
    shutil.copy(good, folder / "copy.mp4")
    shutil.copy(good, folder / "wrong.png")
    cut_off(good, folder / "cut.mp4")
    damage(good, folder / "damaged.mp4")
    make_video(folder / "slow.mp4", rate=1, frames=4)
    make_sound(folder / "sound.mp4")
    for name in ("line\nbreak", "\u202egpj", "=cmd", "\x1b[31m", "<script>"):
        shutil.copy(folder / "good-1.mp4", folder / f"{name}.mp4")
    shutil.copy(good, Path(os.fsdecode(os.fsencode(folder) + b"/\xff.mp4")))
    (folder / "empty.mp4").touch()
    (folder / "noise.mkv").write_bytes(bytes(range(256)) * 20)
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.mp4").touch()
    (folder / "loop").symlink_to(".")
    (folder / "lost.mp4").symlink_to("nowhere")
    (folder / "a-link.mp4").symlink_to("a-link.mp4")
    os.mkfifo(folder / "pipe.mp4")
    return folder


def test_every_file_gets_a_record_or_is_counted(shipped_detector: Path, tmp_path: Path) -> None:
    files = hostile(tmp_path / "in")
    result = run("--json", "--model", shipped_detector, "-o", tmp_path / "run", "--workers", 2, files)
    assert result.return_value == 3
    told = json.loads(result.stdout)
    found = records(tmp_path / "run")
    assert told["passed_over"] == {
        ".txt": 1, "hidden": 1, "not a regular file": 3, "leading back to a folder above": 1
    }  # fmt: skip
    entries = sum(1 for _ in os.scandir(files))
    assert len(found) + sum(told["passed_over"].values()) == entries
    assert (told["files"], told["failed"]) == (len(found), 0)
    assert told["copies"] == 7  # of good-0 two, of good-1 the five with other names
    errors = {Path(path).name for path, record in found.items() if record["status"] == "error"}
    assert {"empty.mp4", "noise.mkv", "sound.mp4"} <= errors
    assert write_run_report(tmp_path / "run").files == len(found)


def test_a_run_that_is_killed_is_gone_on_with(shipped_detector: Path, tmp_path: Path) -> None:
    files = tmp_path / "in"
    files.mkdir()
    for number in range(5):
        make_video(files / f"{number}.mp4", frames=12 + number)
        shutil.copy(files / f"{number}.mp4", files / f"{number}-copy.mp4")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run("--model", shipped_detector, "-o", whole, "--workers", 2, files).return_value == 0
    words = [sys.executable, "-m", "sfumato", "scan", "--model", str(shipped_detector), "-o", str(killed), str(files)]
    for least in (1, 3):
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = killed / "records.jsonl"
        until = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < until:
            if lines.exists() and lines.read_bytes().count(b"\n") >= least:
                break
            time.sleep(0.005)
        process.kill()
        process.wait()
    result = run("--json", "--model", shipped_detector, "-o", killed, files)
    assert json.loads(result.stdout)["kept"] >= 3
    assert records(killed) == records(whole)


def test_another_request_is_refused_and_fresh_judges_again(shipped_detector: Path, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4")
    given = ("--json", "--model", shipped_detector, "-o", tmp_path / "run", video)
    assert json.loads(run(*given).stdout)["judged"] == 1
    assert json.loads(run(*given).stdout)["kept"] == 1
    refusal = run(*given, "--frames", 5).exception
    assert isinstance(refusal, UsageError)
    assert "frames was" in refusal.message
    assert "fpr" not in refusal.message
    assert json.loads(run(*given, "--frames", 5, "--fresh").stdout)["judged"] == 1


def test_people_read_how_many_there_are_of_each_verdict(shipped_detector: Path, tmp_path: Path) -> None:
    result = run("--model", shipped_detector, "-o", tmp_path / "run\u202e", make_video(tmp_path / "a.mp4"))
    assert result.stdout.splitlines()[0].split() == ["1", "not-evaluable"]
    assert "1 file: 1 judged, 0 copies, 0 known already; 0 unreadable\n" in result.stdout
    assert "\u202e" not in result.stdout
    assert "video-hours an hour" in result.stderr


def test_the_audit_log_gets_what_is_new_with_the_digest_of_the_line(shipped_detector: Path, tmp_path: Path) -> None:
    from provenance.audit.line import digest_of

    video = make_video(tmp_path / "a.mp4")
    for _ in range(2):
        run("--model", shipped_detector, "-o", tmp_path / "run", "--audit", tmp_path / "log", video)
    verdicts = [line for line in map(read_line, (tmp_path / "log").read_bytes().splitlines()) if line.kind == "verdict"]
    record = json.loads((tmp_path / "run" / "records.jsonl").read_text())
    assert [line.body["record"] for line in verdicts] == [digest_of(record)]


@pytest.mark.parametrize("option", [("--workers", "2"), ("--fresh",), ("--timeout", "5"), ("--memory", "900")])
def test_options_of_a_run_folder_need_one(option: tuple[str, ...], tmp_path: Path) -> None:
    refusal = run(*option, tmp_path).exception
    assert isinstance(refusal, UsageError)
    assert refusal.message.startswith(option[0])
