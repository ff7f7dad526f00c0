"""The whole check: files are decoded once, however often it is begun, and a file that ends its look costs that file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.check import run
from sfumato.app.sets.check.looking.look import LookJob
from sfumato.app.sets.check.run import check_set
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


def test_a_journal_of_something_else_is_refused(clouds: Path) -> None:
    with pytest.raises(OutputError):
        check_set(clouds, journal=clouds / "set.json")
