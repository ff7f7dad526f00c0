"""A scan by several processes: each file gets a record, whatever it does to the process that judges it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sfumato.app.review.records import checked
from sfumato.app.scan.run import ScanRun, content_of, copy_record, failure_record
from sfumato.app.scan.run_folder import RECORDS, ScanFolder
from sfumato.app.scan.scanner import Scanner
from sfumato.app.scan.setup import ScanJob
from sfumato.execution.executor import CRASHED, FAILED, OUT_OF_MEMORY, OUT_OF_TIME, Done, Limits
from tests.app.scan.run_tasks import begin
from tests.app.scan.test_run_folder import ASKED, lines
from tests.scan_fixtures import mark_facts, scan_record
from tests.test_schemas import SCAN, SCHEMAS

Call = Callable[..., Any]


@pytest.fixture
def call(scanner: Scanner, tmp_path: Path) -> Call:
    def scan(files: list[Path], told: Any = None, seconds: float | None = None) -> Any:
        with ScanFolder(tmp_path / "run", ASKED) as folder:
            return ScanRun(folder, scanner, files, told).scan(begin, 2, Limits(seconds))

    return scan


def written(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / f"{name}.mp4").write_text(text)
    return [folder / f"{name}.mp4" for name in texts]


def by_name(folder: Path) -> dict[str, dict[str, Any]]:
    return {Path(record["file"]["path"]).stem: record for record in lines(folder / "run")}


def test_a_file_that_kills_its_worker_is_recorded_and_the_others_are_judged(call: Call, tmp_path: Path) -> None:
    summary = call(written(tmp_path, a="1", b="die", c="2", d="raise", e="hang", f="3"), seconds=2)
    found = by_name(tmp_path)
    assert {name: record["reasons"][0]["code"] for name, record in found.items() if record["status"] == "error"} == {
        "b": "worker_died",
        "d": "failed",
        "e": "timeout",
    }
    assert sorted(found) == list("abcdef")
    assert (summary.judged, summary.failed, summary.unreadable) == (6, 3, 3)
    assert "SIGABRT" in found["b"]["reasons"][0]["detail"]


def test_a_second_call_judges_only_what_is_new_or_changed(call: Call, tmp_path: Path) -> None:
    files = written(tmp_path, a="1", b="2", c="die")
    assert call(files).judged == 3
    told: list[dict[str, Any]] = []
    summary = call([*files, *written(tmp_path, b="changed", d="3")], told.append)
    assert (summary.judged, summary.kept) == (2, 3)  # b is named twice, and is known the second time
    assert sorted(Path(record["file"]["path"]).stem for record in told) == ["b", "d"]
    assert sorted(by_name(tmp_path)) == list("abcd")
    assert len(lines(tmp_path / "run")) == 4


def test_copies_are_judged_once_and_say_of_which_file(call: Call, tmp_path: Path) -> None:
    summary = call(written(tmp_path, a="1", b="1", c="1", d="2"))
    assert (summary.judged, summary.copies) == (2, 2)
    found = by_name(tmp_path)
    assert len({found[name]["file"]["sha256"] for name in "abc"}) == 1
    original = next(name for name in "abc" if not found[name]["notes"][1:])
    note = f"Judged once, with the same content at {tmp_path / original}.mp4."
    assert [found[name]["notes"][-1] for name in "abc" if name != original] == [note] * 2
    assert call(written(tmp_path, e="2")).copies == 1


def test_what_cannot_be_read_is_looked_at_again(call: Call, tmp_path: Path) -> None:
    lost = tmp_path / "lost.mp4"
    assert call([lost]).unreadable == 1
    assert call(written(tmp_path, lost="1")).judged == 1
    assert [record["status"] for record in lines(tmp_path / "run")] == ["ok"]


def test_content_is_that_of_file_suffix_and_sidecar(tmp_path: Path) -> None:
    (first,) = written(tmp_path, a="1")
    alone = content_of(first)
    shutil.copy(first, tmp_path / "b.mov")
    (tmp_path / "c").mkdir()
    shutil.copy(first, tmp_path / "c" / "x.MP4")
    assert content_of(tmp_path / "b.mov") != alone
    assert content_of(tmp_path / "c" / "x.MP4") == alone
    (tmp_path / "a.c2pa").write_text("sidecar")
    beside = content_of(first)
    (tmp_path / "a.c2pa").write_text("another")
    assert len({alone, beside, content_of(first)}) == 3


def test_what_is_no_regular_file_has_no_content_and_a_pipe_beside_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "a.c2pa")
    (first,) = written(tmp_path, a="1")
    assert content_of(tmp_path / "pipe.mp4") == content_of(tmp_path / "none.mp4") == content_of(Path("\0.mp4")) == ""
    assert content_of(first)


def test_the_record_of_a_copy_took_no_time() -> None:
    judged = scan_record(mark=mark_facts()).as_json()
    record = copy_record(Path("b.mp4"), judged)
    assert set(record["timing"].values()) == {0.0}
    assert record["watermark"]["seconds"] == 0
    assert judged["watermark"]["seconds"] > 0
    assert {name for name in judged if judged[name] != record[name]} == {"file", "notes", "timing", "watermark"}


@pytest.mark.parametrize("failure", [CRASHED, OUT_OF_TIME, OUT_OF_MEMORY, FAILED])
def test_the_record_of_a_failure_is_one_that_fits_the_schema(failure: str, scanner: Scanner, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    record = failure_record(path, Done(ScanJob(path, ""), None, failure, "words", 1.5), scanner).as_json()
    assert list(Draft202012Validator(SCHEMAS[SCAN]).iter_errors(record)) == []
    assert checked(record)["verdict"] == "not-evaluable"
    assert record["model"]["sha256"] == scanner.detector.bundle.digest


def test_the_log_tells_what_failed_and_how_it_ended(call: Call, tmp_path: Path) -> None:
    call(written(tmp_path, a="1", b="die"))
    log = (tmp_path / "run" / "log.jsonl").read_text()
    assert [event in log for event in ('"started"', '"failed"', '"worker_died"', '"finished"')] == [True] * 4
    assert (tmp_path / "run" / RECORDS).exists()
