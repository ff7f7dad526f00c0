"""`sfumato datasets check`: its table, its JSON and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfumato.app.cli.main import main
from sfumato.exit_codes import ExitCode
from sfumato.media.clips import ClipRow, file_digest, write_clips
from tests.media_fixtures import make_video
from tests.set_fixtures import clouds, packed_set

__all__ = ["clouds", "packed_set"]


def test_a_set_without_faults_and_then_with_one(clouds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = str(clouds.parent / "seen.sqlite3")
    assert main(["datasets", "check", str(clouds), "--journal", journal]) == ExitCode.DONE
    assert "20 clips, 18 checks: 0 with faults, 0 not checked" in capsys.readouterr().out
    (clouds / "videos/spare\x1b[31m.mp4").write_bytes(b"")
    assert main(["datasets", "check", str(clouds), "--journal", journal, "--json"]) == ExitCode.NOT_GOOD
    report = json.loads(capsys.readouterr().out)
    assert (report["schema"], report["clips"], report["whole"]) == (1, 20, False)
    assert report["states"] == {"ok": 16, "fault": 2, "not checked": 0}
    files = next(check for check in report["checks"] if check["name"] == "files")
    assert [(fault["kind"], fault["count"]) for fault in files["faults"]] == [("file too many", 1)]
    assert main(["datasets", "check", str(clouds), "--journal", journal]) == ExitCode.NOT_GOOD
    assert "1 file too many: videos/spare\\x1b[31m.mp4" in capsys.readouterr().out


def test_workers_and_a_list_of_clips_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = make_video(tmp_path / "a.mp4")
    row = ClipRow("a.mp4", "real", "camera", "real", "a", file_digest(file), split="train")
    write_clips(
        tmp_path / "clips.jsonl", [row, ClipRow("b.mp4", "real", "camera", "real", "b", "0" * 64, split="test")]
    )
    assert main(["datasets", "check", str(tmp_path), "--workers", "2"]) == ExitCode.NOT_GOOD
    out = capsys.readouterr().out
    assert "1 file missing: b.mp4" in out
    assert "rights                      not checked   a list of clips alone tells no rights" in out


def test_what_cannot_be_checked_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "check", str(tmp_path)]) == ExitCode.INPUT
    assert "clips.jsonl" in capsys.readouterr().err
    (tmp_path / "clips.jsonl").touch()
    assert main(["datasets", "check", str(tmp_path)]) == ExitCode.REQUEST
    assert "lists nothing" in capsys.readouterr().err
    (tmp_path / "clips.jsonl").write_text("x" * (2**20 + 2))
    assert main(["datasets", "check", str(tmp_path)]) == ExitCode.INPUT
    assert "the line is too long" in capsys.readouterr().err
