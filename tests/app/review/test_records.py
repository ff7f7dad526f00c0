"""Records on a disk: read line by line, checked, and refused with the number of the line that is none."""

import json
from typing import Any

import pytest

from sfumato.app.review.records import read_at, read_records, records_file
from sfumato.app.scan.record import duration
from sfumato.errors import MediaError
from tests.review_fixtures import calm, flagged, write_run


def test_records_come_back_from_their_places(tmp_path) -> None:
    records = [flagged("a.mp4"), calm("b.mp4"), flagged("ü\u202e.mp4")]
    path = records_file(write_run(tmp_path, records))
    lines = list(read_records(path))
    assert [line.record for line in lines] == records
    assert [read_at(path, line) for line in reversed(lines)] == records[::-1]
    assert duration(records[0]) == 2.0 and duration(records[0] | {"media": {}}) is None


def test_a_file_of_records_stands_for_itself_and_a_folder_needs_one(tmp_path) -> None:
    (tmp_path / "mine.jsonl").write_text("")
    assert records_file(tmp_path / "mine.jsonl") == tmp_path / "mine.jsonl"
    with pytest.raises(MediaError, match=r"holds no records\.jsonl"):
        records_file(tmp_path)


def test_the_half_written_end_of_a_run_is_left_out(tmp_path) -> None:
    path = write_run(tmp_path, [flagged("a.mp4"), flagged("b.mp4")]) / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert [line.record["file"]["path"] for line in read_records(path)] == ["a.mp4"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"schema_version": 99}, "schema_version is 99"),
    ({"schema_version": True}, "schema_version is True"),
    ({"file": {"path": 1}}, "names no file"),
    ({"file": {"path": "a", "sha256": "../../etc"}}, "sha256 is none"),
    ({"verdict": None}, "has no verdict"),
    ({"review": "yes"}, "has no verdict"),
    ({"score": 2}, "no number from 0 to 1"),
    ({"score": "0.5"}, "no number from 0 to 1"),
    ({"threshold": []}, "threshold is no object"),
]


@pytest.mark.parametrize(("change", "why"), BAD)
def test_what_is_no_record_is_refused_with_its_line(tmp_path, change, why) -> None:
    path = write_run(tmp_path, [flagged("a.mp4"), flagged("b.mp4") | change]) / "records.jsonl"
    with pytest.raises(MediaError, match=f"line 2 is no scan record: .*{why}"):
        list(read_records(path))


@pytest.mark.parametrize("line", ["[]", "{", '{"score": NaN}', '{"file": 1, "file": 2}', "\x00", "[" * 99 + "\n"])
def test_hostile_lines_are_refused(tmp_path, line) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(line + "\n" + json.dumps(flagged("a.mp4")) + "\n")
    with pytest.raises(MediaError, match="line 1 is no scan record"):
        list(read_records(path))


def test_records_that_change_while_they_are_read_are_noticed(tmp_path) -> None:
    path = write_run(tmp_path, [flagged("a.mp4"), flagged("b.mp4")]) / "records.jsonl"
    last = list(read_records(path))[1]
    write_run(tmp_path, [flagged("b.mp4")])
    with pytest.raises(MediaError, match="changed while it was read"):
        read_at(path, last)


def test_a_record_of_the_first_version_is_read(tmp_path) -> None:
    old = flagged("a.mp4") | {"schema_version": 1}
    del old["scan"]
    path = write_run(tmp_path, [old]) / "records.jsonl"
    assert [line.record["schema_version"] for line in read_records(path)] == [1]
