"""A scan over many machines decides as one does, though only workers read the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.scan import run as scan_run
from sfumato.app.scan.machines.spread import SpreadRun
from sfumato.app.scan.run import ScanRun
from sfumato.app.scan.run_folder import ScanFolder
from sfumato.app.scan.scanner import Scanner
from sfumato.execution.executor import Limits
from tests.app.scan.run_tasks import begin
from tests.app.scan.test_run import by_name, written
from tests.app.scan.test_run_folder import ASKED

Call = Callable[..., Any]


@pytest.fixture
def call(scanner: Scanner, tmp_path: Path) -> Call:
    """A call into the folder `run`; `executor`: inline by default, so that what is read can be watched."""

    def scan(
        files: list[Path], kind: type[ScanRun] = SpreadRun, executor: str = "inline", limits: Limits | None = None
    ) -> Any:
        with ScanFolder(tmp_path / "run", ASKED) as folder:
            workers = 1 if executor == "inline" else 2
            return kind(folder, scanner, files, None, executor).scan(begin, workers, limits or Limits())

    return scan


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read for their digest, one after the other."""
    names: list[str] = []
    told = scan_run.content_of

    def content_of(path: Path) -> str:
        names.append(path.stem)
        return told(path)

    monkeypatch.setattr("sfumato.app.scan.machines.spread.content_of", content_of)
    return names


def test_a_file_of_its_own_size_is_read_once_and_the_others_before_they_are_judged(
    call: Call, tmp_path: Path, read: list[str]
) -> None:
    summary = call(written(tmp_path, a="1", b="1", c="22", d="3", e="333"))
    assert (summary.judged, summary.copies) == (4, 1)
    assert read == ["a", "b", "d", "c", "e"]
    found = by_name(tmp_path)
    assert found["b"]["notes"][-1] == f"Judged once, with the same content at {tmp_path / 'a'}.mp4."
    assert len({found[name]["file"]["sha256"] for name in "abcde"}) == 4


def test_a_second_call_judges_what_is_new_or_changed(call: Call, tmp_path: Path) -> None:
    files = written(tmp_path, a="1", b="22", c="", d="4444")
    assert call(files).judged == 4
    summary = call([*files, *written(tmp_path, b="changed", d="5555", e="22", f="1", g="4444")])
    assert (summary.judged, summary.kept, summary.copies) == (4, 4, 1)  # b and d are named twice
    assert {Path(record["file"]["path"]).stem for record in by_name(tmp_path).values()} == set("abcdefg")


def test_what_cannot_be_read_is_looked_at_again(call: Call, tmp_path: Path) -> None:
    lost = tmp_path / "lost.mp4"
    assert call([lost]).unreadable == 1
    assert call(written(tmp_path, lost="1")).judged == 1
    assert call([lost]).kept == 1


def test_a_file_that_kills_its_worker_is_recorded_and_not_tried_again(call: Call, tmp_path: Path) -> None:
    files = written(tmp_path, a="1", b="die", c="die", d="raise", e="4444")
    summary = call(files, executor="processes")
    assert (summary.judged, summary.copies, summary.failed) == (4, 1, 2)
    codes = {name: record["reasons"][0]["code"] for name, record in by_name(tmp_path).items()}
    assert [codes[name] for name in "bcd"] == ["worker_died", "worker_died", "failed"]
    assert call(files, executor="processes").kept == 5


def test_one_machine_goes_on_with_what_many_began_and_the_other_way_round(call: Call, tmp_path: Path) -> None:
    files = written(tmp_path, a="1", b="1", c="22")
    assert call(files[:2]).judged == 1
    summary = call(files, kind=ScanRun)
    assert (summary.kept, summary.judged) == (2, 1)
    assert call(files).kept == 3
