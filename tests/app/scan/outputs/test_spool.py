"""What is written at the end of a scan: what was asked for, refused beforehand where it could not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.scan.outputs.spool import Outputs, Spool
from sfumato.errors import OutputError, UsageError
from tests.app.scan.outputs.test_csv_file import named


@pytest.mark.parametrize("asked", [(), ("csv",), ("parquet",), ("sarif",), ("csv", "parquet", "sarif")])
def test_what_was_asked_for_is_written_and_nothing_else(tmp_path: Path, asked: tuple[str, ...]) -> None:
    outputs = Outputs(**{name: tmp_path / f"out.{name}" for name in asked})
    outputs.require()
    assert outputs.wanted == bool(asked)
    outputs.write(lambda: [named("a.mp4")], 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"out.{name}" for name in sorted(asked)]


def test_two_outputs_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would be one file"):
        Outputs(csv=tmp_path / "out", sarif=tmp_path / "out").require()


@pytest.mark.parametrize("name", ["csv", "parquet", "sarif"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError):
        Outputs(**{name: tmp_path / "gone" / "out"}).require()


def test_lines_are_kept_in_their_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "scan.jsonl")
    spool.add("{}")
    spool.add("[]")
    assert spool.path.read_text() == "{}\n[]\n"
