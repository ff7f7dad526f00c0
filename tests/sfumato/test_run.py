"""Run folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfumato.errors import OutputError
from sfumato.run import RunFolder
from sfumato.version import __version__


def test_options_are_written_with_versions(tmp_path: Path) -> None:
    RunFolder(tmp_path / "runs" / "a").write_options({"seed": 3, "folder": Path("x")})
    options = json.loads((tmp_path / "runs" / "a" / "options.json").read_text())
    assert options["seed"] == 3
    assert options["folder"] == "x"
    assert options["sfumato"] == __version__
    assert {"python", "started"} <= options.keys()


def test_a_run_is_not_overwritten_but_may_be_resumed(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_options({})
    with pytest.raises(OutputError, match=r"already holds a run.*--resume"):
        RunFolder(tmp_path)
    assert RunFolder(tmp_path, resume=True).path == tmp_path


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="Cannot make the folder"):
        RunFolder(tmp_path / "taken")


def test_lines_are_added(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append("log.jsonl", {"step": 1})
    run.append("log.jsonl", {"step": 2})
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1, 2]


def test_a_line_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl"):
        RunFolder(tmp_path).append("log.jsonl", {})
