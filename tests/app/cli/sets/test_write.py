"""`sfumato datasets write`: its folder is printed, and what is wrong is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sfumato.app.cli.main import main
from sfumato.exit_codes import ExitCode
from tests.set_forms_fixtures import make_set


def test_the_folder_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = make_set(tmp_path / "set"), tmp_path / "out"
    line = ["datasets", "write", str(source), "-o", str(out), "--as", "croissant", "--published", "2026-01-02"]
    assert main(line) == 0
    told = capsys.readouterr()
    assert told.out == f"{out}\n" and "--url and --creator" in told.err
    assert '"datePublished": "2026-01-02"' in (out / "croissant.json").read_text()
    assert main([*line, "--url", "https://example.org", "--creator", "Ada"]) == 0
    assert "--creator" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--as", "csv"],
        [],
        ["--as", "card", "--url", "javascript:alert(1)"],
        ["--as", "card", "--url", "https://a b"],
        ["--as", "card", "--url", "https://[x"],
        ["--as", "card", "--creator", "two\nlines"],
        ["--as", "card", "--frames", "0"],
        ["--as", "card", "--frames", "8"],
        ["--as", "card", "--published", "yesterday"],
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str], tmp_path: Path, capsys: Any) -> None:
    assert main(["datasets", "write", str(tmp_path), "-o", str(tmp_path / "out"), *words]) == ExitCode.REQUEST
    assert not (tmp_path / "out").exists() and capsys.readouterr().err.count("\n") == 1


def test_a_day_is_asked_for_by_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--as", "card", "--published", "31.1.2026"]
    assert main(["datasets", "write", str(tmp_path), "-o", str(tmp_path / "out"), *words]) == ExitCode.REQUEST
    assert "it must be a day, as 2026-01-31" in capsys.readouterr().err


def test_a_folder_that_is_no_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "write", str(tmp_path), "-o", str(tmp_path / "out"), "--as", "card"]) == ExitCode.INPUT
    assert "set.json" in capsys.readouterr().err
