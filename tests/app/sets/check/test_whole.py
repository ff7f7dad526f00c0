"""What a set says of itself and is not so: rows, details, counts, digest, recipe, manifest."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.sets.check.run import check_set
from sfumato.app.sets.layout import CLIPS, DETAILS, FACTS, MANIFEST, RECIPE, counts_of, read_set
from tests.set_fixtures import changed, faults, find, finish, sign_sums

Lines = list[dict[str, Any]]


def rewrite(path: Path, change: Callable[[Lines], Lines | None]) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines) or lines))


def test_a_row_that_is_listed_twice(clouds: Path, seen: Path) -> None:
    rewrite(clouds / CLIPS, lambda lines: [*lines, lines[4]])
    report = check_set(clouds, journal=seen)
    assert faults(report)["list"] == ["row that is listed twice"]
    assert find(report, "list").faults[0].names == ("line 21: videos/00002-twin.mp4 is listed twice",)
    assert report.clips == 20


def test_lines_that_are_no_rows_leave_the_rest_to_be_checked(clouds: Path, seen: Path) -> None:
    with (clouds / CLIPS).open("a") as file:
        file.write('{"schema": 1, "path": "../../etc/passwd"}\n{"schema": 99}\n' + "[" * 100_000 + "\n")
    report = check_set(clouds, journal=seen)
    assert faults(report)["list"] == ["line that is no row"]
    assert find(report, "list").faults[0].count == 3
    assert find(report, "twins").state == "ok"


def test_a_file_that_is_no_video(clouds: Path, seen: Path) -> None:
    (clouds / "videos/00000-fake.mp4").write_text("no video")
    report = check_set(clouds, journal=seen)
    assert faults(report)["list"] == ["file that cannot be decoded"]
    assert "seals" not in faults(report)


@pytest.mark.parametrize(
    ("key", "value"),
    [("width", 64), ("frames", 12), ("rate", 30.0), ("codec", "vp9"), ("bytes", 5), ("decoded", "1" * 64)],
)
def test_a_detail_that_is_not_so(clouds: Path, seen: Path, key: str, value: Any) -> None:
    rewrite(clouds / DETAILS, lambda lines: lines[1].update({key: value}))
    report = check_set(clouds, journal=seen)
    assert faults(report)["details"] == [f"detail that is not so: {key}"]
    assert find(report, "details").faults[0].names[0].startswith("videos/00000-fake.mp4")


def test_another_decoder_is_no_lie(clouds: Path, seen: Path) -> None:
    """A decoder may round differently; then no digest fits, and the files are still those of the list."""
    rewrite(clouds / DETAILS, lambda lines: [line | {"decoded": "1" * 64} for line in lines])
    check = find(check_set(clouds, journal=seen), "details")
    assert check.state == "ok"
    assert "another decoder" in check.notes[0]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda lines: lines[:-1], "row without details"),
        (lambda lines: [*lines, lines[0] | {"path": "videos/x.mp4"}], "details of no row"),
        (lambda lines: [*lines, lines[0]], "details given twice"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "details in another order than the rows"),
    ],
)
def test_details_that_do_not_fit_the_rows(
    clouds: Path, seen: Path, change: Callable[[Lines], Lines], kind: str
) -> None:
    rewrite(clouds / DETAILS, change)
    assert faults(check_set(clouds, journal=seen))["details"] == [kind]


def test_details_that_cannot_be_read(clouds: Path, seen: Path) -> None:
    (clouds / DETAILS).write_text("{" + '"a":' * 1000)
    report = check_set(clouds, journal=seen)
    assert faults(report)["details"] == ["file that cannot be read"]
    assert find(report, FACTS).state == "not checked"
    assert find(report, FACTS).why_not == "counts and digest cannot be: details.jsonl does not fit clips.jsonl"


def test_counts_that_are_not_so(clouds: Path, seen: Path) -> None:
    rows = read_set(clouds).rows
    finish(clouds, rows, counts={**counts_of(rows), "fakes": 11, "moons": 2})
    report = check_set(clouds, journal=seen)
    assert faults(report) == {FACTS: ["count that is not so"]}
    assert find(report, FACTS).faults[0].names == ("fakes: says 11, has 10", "moons: says 2, has None")


def test_a_digest_that_is_not_that_of_the_rows(clouds: Path, seen: Path) -> None:
    finish(clouds, read_set(clouds).rows, digest="1" * 64)
    assert faults(check_set(clouds, journal=seen)) == {FACTS: ["digest that is not that of the rows"]}


def test_another_recipe(clouds: Path, seen: Path) -> None:
    (clouds / RECIPE).write_text("name = 'other'")
    assert faults(check_set(clouds, journal=seen))[FACTS] == ["recipe that is another one than the set was made by"]


def test_facts_that_cannot_be_read(clouds: Path, seen: Path) -> None:
    (clouds / FACTS).write_text('{"name": "a", "name": "b"}')
    assert faults(check_set(clouds, journal=seen))[FACTS] == ["file that cannot be read"]


def test_a_manifest_that_does_not_fit(clouds: Path, seen: Path) -> None:
    manifest = (clouds / MANIFEST).read_bytes()
    changed(clouds, lambda rows: [dataclasses.replace(row, clip=dataclasses.replace(row.clip, seed=5)) for row in rows])
    assert faults(check_set(clouds, journal=seen)) == {}
    (clouds / MANIFEST).write_bytes(manifest)
    assert faults(check_set(clouds, journal=seen)) == {"manifest of the set": ["manifest that does not fit"]}
    (clouds / MANIFEST).write_bytes(b"no manifest")
    assert faults(check_set(clouds, journal=seen)) == {"manifest of the set": ["manifest that does not fit"]}


def test_a_manifest_that_is_missing(clouds: Path, seen: Path) -> None:
    (clouds / MANIFEST).unlink()
    sign_sums(clouds)
    found = faults(check_set(clouds, journal=seen))
    assert found == {"files": ["file missing"], "manifest of the set": ["file missing"]}
