"""The whole check: files are decoded once, however often it is begun, and a file that ends its look costs that file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.check import run
from sfumato.app.sets.check.looking.look import LookJob
from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import VIDEOS
from sfumato.errors import OutputError
from tests.set_fixtures import faults, find


def test_a_stopped_check_goes_on(clouds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = list[LookJob]()
    begin = run.begin_looking

    def counted(trust):
        look = begin(trust)

        def work(job: LookJob):
            if len(jobs) == 7:
                raise KeyboardInterrupt
            jobs.append(job)
            return look(job)

        return work

    monkeypatch.setattr(run, "begin_looking", counted)
    journal = tmp_path / "seen.sqlite3"
    with pytest.raises(KeyboardInterrupt):
        check_set(clouds, journal=journal)
    jobs.append(jobs.pop())  # seven are kept
    monkeypatch.setattr(run, "begin_looking", lambda trust: lambda job: jobs.append(job) or begin(trust)(job))
    totals = list[float]()

    def told(total: int):
        totals.append(total)
        return totals.append

    assert faults(check_set(clouds, journal=journal, begin=told)) == {}
    assert len({job.path for job in jobs}) == len(jobs) == 20
    assert totals == [20, *[1] * 20]


def test_a_look_that_fails_costs_its_file_alone(clouds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = run.begin_looking

    def work(trust):
        def look(job: LookJob):
            if job.row == 3:
                raise ValueError("what a library makes of it")
            return begin(trust)(job)

        return look

    monkeypatch.setattr(run, "begin_looking", work)
    report = check_set(clouds)
    assert find(report, "list").faults[0].kind == "file that cannot be decoded"
    assert "what a library makes of it" in find(report, "list").faults[0].detail
    assert set(faults(report)) == {"list"}


def test_a_journal_tells_of_no_other_file_with_the_same_content(clouds: Path, tmp_path: Path) -> None:
    journal, video = tmp_path / "seen.sqlite3", clouds / VIDEOS / "00000-fake.mp4"
    video.write_bytes(b"")
    before = find(check_set(clouds, journal=journal), "list").faults[0]
    assert before.detail == "the file is empty (0 bytes)"
    moved = clouds.rename(tmp_path / "moved")
    assert find(check_set(moved, journal=journal), "list").faults[0] == before
    (moved / VIDEOS / "00000-fake.mp4").unlink()
    (moved / VIDEOS / "00000-fake.mp4").mkdir()  # without a frame in it: the digest of nothing, too
    after = find(check_set(moved, journal=journal), "list").faults[0]
    assert after.names == before.names
    assert "empty (0 bytes)" not in after.detail


def test_a_journal_of_something_else_is_refused(clouds: Path) -> None:
    with pytest.raises(OutputError):
        check_set(clouds, journal=clouds / "set.json")
