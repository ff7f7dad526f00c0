"""The folder of a scan: what is known is found again, another request is refused by name, only one process writes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sfumato.app.scan.run_folder import JOURNAL, LOG, OPTIONS, RECORDS, ScanFolder
from sfumato.errors import OutputError, UsageError

ASKED = {"model": "a" * 64, "fpr": 0.01, "trust": []}


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / RECORDS).read_text().splitlines()]


def test_a_record_is_found_by_place_and_content_and_a_copy_by_content(tmp_path: Path) -> None:
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(tmp_path / "a.mp4", "one", {"n": 1})
        assert folder.find(tmp_path / "a.mp4", "one") == {"n": 1}
        assert folder.find(tmp_path / "a.mp4", "other") is None
        assert folder.find(tmp_path / "b.mp4", "one") is None
        assert folder.judged("one") == {"n": 1}
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        assert folder.find(tmp_path / "a.mp4", "one") == {"n": 1}


def test_a_place_is_the_same_wherever_the_program_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ScanFolder(Path("run"), ASKED) as folder:
        folder.keep(Path("a.mp4"), "one", {"n": 1})
        assert folder.find(tmp_path / "a.mp4", "one") == {"n": 1}


def test_names_without_utf8_stay_apart(tmp_path: Path) -> None:
    first, second = (Path(os.fsdecode(os.fsencode(tmp_path) + name)) for name in (b"/\xff.mp4", b"/\xfe.mp4"))
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(first, "one", {"n": 1})
        folder.keep(second, "two", {"n": 2})
        assert folder.find(first, "one") == {"n": 1}
        assert folder.find(second, "two") == {"n": 2}


def test_what_was_judged_and_then_changed_is_no_copy_of_what_it_was(tmp_path: Path) -> None:
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(tmp_path / "a.mp4", "one", {"n": 1})
        folder.keep(tmp_path / "a.mp4", "two", {"n": 2})
        assert folder.judged("one") is None
    assert lines(tmp_path / "run") == [{"n": 2}]


def test_records_are_made_of_the_journal_where_a_run_was_broken_off(tmp_path: Path) -> None:
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(tmp_path / "a.mp4", "one", {"n": 1})
        folder.keep(tmp_path / "b.mp4", "two", {"n": 2})
    (tmp_path / "run" / RECORDS).write_text('{"n": 1}\n{"n"')
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(tmp_path / "c.mp4", "three", {"n": 3})
    assert lines(tmp_path / "run") == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_another_request_is_refused_with_what_differs(tmp_path: Path) -> None:
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(tmp_path / "a.mp4", "one", {"n": 1})
    with pytest.raises(UsageError, match=r"fpr was 0\.01, is 0\.1; trust was \[\], is \[\"b\"\]") as refusal:
        ScanFolder(tmp_path / "run", ASKED | {"fpr": 0.1, "trust": ["b"]})
    assert "--fresh" in str(refusal.value.advice)
    assert "model" not in refusal.value.message
    assert lines(tmp_path / "run") == [{"n": 1}]


def test_fresh_removes_what_was_found_and_takes_the_new_request(tmp_path: Path) -> None:
    with ScanFolder(tmp_path / "run", ASKED) as folder:
        folder.keep(tmp_path / "a.mp4", "one", {"n": 1})
        folder.note("started")
    with ScanFolder(tmp_path / "run", ASKED | {"fpr": 0.1}, fresh=True) as folder:
        assert folder.find(tmp_path / "a.mp4", "one") is None
    assert lines(tmp_path / "run") == []
    assert not (tmp_path / "run" / LOG).exists()
    assert json.loads((tmp_path / "run" / OPTIONS).read_text())["asked"]["fpr"] == 0.1


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("options", ['{"command": "train", "asked": {}}', "{}", "[]", "no json"])
def test_the_run_of_another_command_is_left_alone(tmp_path: Path, options: str, fresh: bool) -> None:
    (tmp_path / OPTIONS).write_text(options)
    with pytest.raises(OutputError, match="is of no scan"):
        ScanFolder(tmp_path, ASKED, fresh)
    assert [path.name for path in tmp_path.iterdir()] == [OPTIONS]


def test_a_journal_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("mine")
    with pytest.raises(OutputError, match="not a journal"):
        ScanFolder(tmp_path, ASKED, fresh=True)
    assert (tmp_path / JOURNAL).read_text() == "mine"


def test_a_second_process_is_refused_and_the_folder_is_free_afterwards(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with ScanFolder(tmp_path, ASKED), pytest.raises(UsageError, match="Another scan"):
        ScanFolder(tmp_path, ASKED)
    ScanFolder(tmp_path, ASKED).__exit__()
