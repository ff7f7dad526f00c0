"""Results on disk: each line says how it came about, and adding lines never loses old ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.record import append_results, describe, machine
from sfumato.errors import OutputError
from sfumato.version import __version__

ABOUT = describe("sfumato bench quality", "self-reenactment-1", "95 %")


def test_a_line_says_how_it_came_about() -> None:
    assert set(ABOUT.line()) == {"command", "version", "date", "machine", "protocol", "interval"}
    assert ABOUT.version == __version__


def test_the_machine_is_described_and_not_named() -> None:
    import getpass
    import socket

    assert "cores" in machine()
    assert socket.gethostname() not in machine()
    assert f" {getpass.getuser()} " not in machine()


def test_lines_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"old": 1}')  # no line end
    assert append_results(path, [{"a": 1}, {"a": 2}], ABOUT) == 2
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows[0] == {"old": 1} and [r["a"] for r in rows[1:]] == [1, 2]
    assert rows[1]["command"] == "sfumato bench quality"


def test_a_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        append_results(tmp_path / "none" / "x.jsonl", [], ABOUT)


def test_a_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OutputError, match="not readable"):
        append_results(tmp_path / "x.jsonl", [{"a": 1}], ABOUT)
    assert (tmp_path / "x.jsonl").read_bytes() == b"\xff\xfe\x00"
