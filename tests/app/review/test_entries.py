"""An entry of a page: made printable, its file found and addressed, no file embedded that is no heat map."""

import base64
import os

import pytest

from sfumato.app.review.entries import Surroundings, entry_of, last_part, located, sheet_of
from sfumato.media.clips import file_digest
from tests.review_fixtures import HOSTILE, flagged
from tests.signing_fixtures import seal_video

PNG = b"\x89PNG\r\n\x1a\nand the rest"


def with_sheet(record, sheet) -> dict:
    return record | {"explain": {"words": "seen", "heads": {}, "sheet": str(sheet)}}


def test_hostile_names_are_shown_for_what_they_are_and_kept_for_what_they_were(tmp_path) -> None:
    entry = entry_of(flagged(f"folder/{HOSTILE}"), 3, Surroundings(tmp_path / "x.html", tmp_path))
    assert entry["id"] == 3 and entry["address"] is None
    assert "\u202e" not in str(entry) and "\\u202e" in entry["name"]


def test_files_are_found_from_here_or_from_the_records(tmp_path, monkeypatch) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.mp4").write_bytes(b"")
    (tmp_path / "b.mp4").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert located("a.mp4", tmp_path / "run") == tmp_path / "run" / "a.mp4"
    assert located("b.mp4", tmp_path / "run") is not None
    assert [located(name, tmp_path / "run") for name in ("c.mp4", "https://x/a.mp4", "a\0.mp4", "x" * 5000)] == [
        None
    ] * 4
    entry = entry_of(flagged("a.mp4"), 0, Surroundings(tmp_path / "out" / "x.html", tmp_path / "run"))
    assert entry["address"] == "../run/a.mp4"


def test_what_cannot_be_played_is_not_addressed_and_says_why(tmp_path) -> None:
    (tmp_path / "frames").mkdir()
    for named, why in (("https://example.com/a.mp4", "elsewhere"), ("frames", "frames"), ("a.mp4", "missing")):
        entry = entry_of(flagged(named), 0, Surroundings(tmp_path / "x.html", tmp_path))
        assert (entry["address"], entry["absent"]) == (None, why)


def test_a_heat_map_is_put_in_or_copied(tmp_path) -> None:
    (tmp_path / "s.png").write_bytes(PNG)
    record = with_sheet(flagged("a.mp4"), "s.png")
    inside = entry_of(record, 0, Surroundings(tmp_path / "x.html", tmp_path))["sheet"]
    assert base64.b64decode(inside.removeprefix("data:image/png;base64,")) == PNG
    (tmp_path / "data").mkdir()
    assert entry_of(record, 7, Surroundings(tmp_path / "x.html", tmp_path, tmp_path / "data"))["sheet"] == "data/7.png"
    assert (tmp_path / "data" / "7.png").read_bytes() == PNG


def test_no_other_file_of_this_machine_gets_into_a_page(tmp_path) -> None:
    (tmp_path / "secret.png").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("secret.png", "pipe.png", "none.png", "."):
        record = with_sheet(flagged("a.mp4"), tmp_path / name)
        assert entry_of(record, 0, Surroundings(tmp_path / "x.html", tmp_path))["sheet"] is None
    assert sheet_of(flagged("a.mp4") | {"explain": "text"}, tmp_path) is None


def test_the_credential_is_told_of_the_very_file_that_was_judged(tmp_path) -> None:
    path = seal_video(tmp_path / "a.mp4")
    around = Surroundings(tmp_path / "x.html", tmp_path)
    tree = entry_of(flagged("a.mp4", file_digest(path)), 0, around)["tree"]
    assert tree["name"] == "manifest"
    assert {"signed by", "assertion"} <= {part["name"] for part in tree["parts"]}
    assert entry_of(flagged("a.mp4", "0" * 64), 0, around)["tree"] is None
    unsigned = flagged("a.mp4", file_digest(path))
    unsigned["provenance"]["outcome"] = "none"
    assert entry_of(unsigned, 0, around)["tree"] is None


@pytest.mark.parametrize(("path", "name"), [("a/b.mp4", "b.mp4"), ("C:\\x\\b.mp4", "b.mp4"), ("b", "b"), ("/", "/")])
def test_the_last_part_names_a_file(path, name) -> None:
    assert last_part(path) == name
