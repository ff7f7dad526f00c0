"""A folder of which a third is damaged or hostile: each file gets a record or is counted, also after `kill -9`.

The same with 500 files and five kills: `python -m tests.hostile_scan FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.hostile_scan import Report, check
from tests.hostile_set import KINDS, Place, fill, good_file
from tests.test_hostile_files import LARGE

FILES, ONE_IN, KILLS = 60, 3, 2

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.timeout(900),  # four scans; half a minute where nothing else runs
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, shipped_detector: Path) -> Report:
    place = tmp_path_factory.mktemp("hostile")
    entries = fill(place / "in", FILES, ONE_IN, leave_out=LARGE)
    return check(place / "in", entries, place, ["--workers", "2", "--model", str(shipped_detector)], KILLS)


@pytest.mark.slow
def test_each_file_has_a_record_or_is_counted_and_kills_change_nothing(report: Report) -> None:
    assert report.faults == []
    assert len(report.records) > FILES / 2
    assert sum(report.passed_over.values()) > 0


@pytest.mark.slow
def test_honest_files_are_judged_whatever_lies_beside_them(report: Report) -> None:
    honest = {path: record for path, record in report.records.items() if Path(path).stem.isdecimal()}
    assert len(honest) == FILES - FILES // ONE_IN
    assert {record["status"] for record in honest.values()} <= {"ok", "abstain"}


def test_every_kind_makes_what_it_is_called(tmp_path: Path) -> None:
    good_file(Place(tmp_path, "good", tmp_path, 0))
    for number, (name, make) in enumerate(KINDS.items()):
        folder = tmp_path / name
        folder.mkdir()
        make(Place(folder, "x", tmp_path / "good.mp4", number))
        assert len(list(folder.iterdir())) == 1, name
