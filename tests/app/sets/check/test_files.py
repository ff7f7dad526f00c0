"""Missing, too many, changed, linked away; sums that lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import SUMS
from tests.set_fixtures import faults, find, sign_sums

FAKE = "videos/00003-fake.mp4"


def test_a_whole_set_has_no_fault(clouds: Path, seen: Path) -> None:
    report = check_set(clouds, journal=seen)
    assert faults(report) == {}
    assert report.whole
    assert {check.state for check in report.checks} == {"ok"}


def test_a_file_that_is_missing(clouds: Path, seen: Path) -> None:
    (clouds / FAKE).unlink()
    report = check_set(clouds, journal=seen)
    assert faults(report) == {"files": ["file missing"], SUMS: ["file that is named and not there"]}
    assert find(report, "files").faults[0].names == (FAKE,)


@pytest.mark.parametrize("name", ["videos/spare.mp4", "videos/.hidden.mp4", "notes.txt"])
def test_a_file_too_many(clouds: Path, seen: Path, name: str) -> None:
    (clouds / name).write_bytes(b"spare")
    report = check_set(clouds, journal=seen)
    assert faults(report) == {"files": ["file too many"], SUMS: ["file that SHA256SUMS leaves out"]}
    assert find(report, "files").faults[0].names == (name,)


def test_a_video_that_the_sums_alone_name_is_too_many(clouds: Path, seen: Path) -> None:
    (clouds / "videos/spare.mp4").write_bytes(b"spare")
    (clouds / "card.md").write_text("a form of the set")
    sign_sums(clouds)
    report = check_set(clouds, journal=seen)
    assert faults(report) == {
        "files": ["file too many"],
        "manifest of the set": ["manifest that does not fit"],
    }
    assert find(report, "files").faults[0].names == ("videos/spare.mp4",)


def test_a_video_that_changed_after_sealing(clouds: Path, seen: Path) -> None:
    data = bytearray((clouds / FAKE).read_bytes())
    data[-40] ^= 1
    (clouds / FAKE).write_bytes(data)
    found = faults(check_set(clouds, journal=seen))
    assert found["digests"] == ["file with another SHA-256 than its row says"]
    assert found[SUMS] == ["file with another SHA-256 than SHA256SUMS says"]
    assert found["seals"] == ["seal that does not hold"]


def test_a_line_of_the_sums_that_lies(clouds: Path, seen: Path) -> None:
    lines = (clouds / SUMS).read_text().splitlines()
    lines = ["0" * 64 + line[64:] if line.endswith(FAKE) else line for line in lines]
    (clouds / SUMS).write_text("\n".join(lines) + "\n")
    report = check_set(clouds, journal=seen)
    assert faults(report) == {
        SUMS: ["file with another SHA-256 than SHA256SUMS says"],
        "manifest of the set": ["manifest that does not fit"],
    }
    assert find(report, SUMS).faults[0].names == (FAKE,)


def test_lines_that_are_none_lead_nowhere(clouds: Path, seen: Path) -> None:
    digest = "0" * 64
    hostile = [f"{digest}  ../../etc/passwd", f"{digest}  /etc/passwd", "xyz", f"{digest}  a\0b", "", f"{digest} "]
    with (clouds / SUMS).open("ab") as file:
        file.write(
            "\n".join(hostile).encode() + b"\n" + digest.encode() + b"  \xff.mp4\n" + digest.encode() + b"  set.json\n"
        )
    found = find(check_set(clouds, journal=seen), SUMS)
    assert [(fault.kind, fault.count) for fault in found.faults] == [("line that is none", 7), ("file named twice", 1)]


def test_links_out_of_the_folder(clouds: Path, seen: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    (clouds / FAKE).rename(outside)
    (clouds / FAKE).symlink_to(outside)
    (clouds / "videos/away").symlink_to(tmp_path)
    (clouds / "videos/round").symlink_to("round")
    report = check_set(clouds, journal=seen)
    away = next(fault for fault in find(report, "files").faults if "link" in fault.kind)
    assert away.names == ("videos/00003-fake.mp4", "videos/away")
    assert find(report, "files").faults[0].names == ("videos/round",)
    assert SUMS in faults(report)


def test_beside_a_list_that_is_no_set_may_lie_anything(clouds: Path, seen: Path) -> None:
    rows = (clouds / "clips.jsonl").read_text()
    (clouds / "part.jsonl").write_text(rows)
    report = check_set(clouds / "part.jsonl", journal=seen)
    assert faults(report) == {}
    assert [check.name for check in report.checks if check.state == "not checked"] == [
        SUMS, "set.json", "manifest of the set", "details", "rights",
    ]  # fmt: skip
    assert find(report, "files").notes
