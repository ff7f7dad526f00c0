"""Every clip has a record of what gives the right to it."""

from __future__ import annotations

import json
from pathlib import Path

from sfumato.app.sets.check.rights import check_rights
from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import DETAILS, RIGHTS
from tests.set_fixtures import faults, find


def test_a_record_that_is_missing(clouds: Path, seen: Path) -> None:
    lines = [json.loads(line) for line in (clouds / DETAILS).read_text().splitlines()]
    lines[3]["rights"] = "lost"
    (clouds / DETAILS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = check_set(clouds, journal=seen)
    found = find(report, "rights").faults
    assert [(fault.kind, fault.names) for fault in found] == [
        ("clip without a record of rights", (lines[3]["path"],)),
        ("source with two records of rights", (lines[3]["portrait"],)),
    ]


def test_a_file_of_rights_that_is_missing_or_hostile(clouds: Path, seen: Path) -> None:
    (clouds / RIGHTS).write_text('{"schema": 1, "records": ' + "[" * 100_000)
    assert faults(check_set(clouds, journal=seen))["rights"] == ["file that cannot be read"]
    (clouds / RIGHTS).unlink()
    report = check_set(clouds, journal=seen)
    assert faults(report)["rights"] == ["file that cannot be read"]
    assert "Cannot read" in find(report, "rights").faults[0].detail


def test_without_details_nothing_is_said_of_rights(clouds: Path, seen: Path) -> None:
    (clouds / DETAILS).write_text("{}\n")
    report = check_set(clouds, journal=seen)
    assert "rights" not in faults(report)
    assert find(report, "rights").why_not.startswith(f"{DETAILS}, which names the record of each clip")


def test_a_list_of_clips_tells_no_rights(clouds: Path) -> None:
    from sfumato.app.sets.check.material import read_material

    (clouds / "part.jsonl").write_text((clouds / "clips.jsonl").read_text())
    check = check_rights(read_material(clouds / "part.jsonl"))
    assert (check.state, check.why_not) == ("not checked", "a list of clips alone tells no rights")
