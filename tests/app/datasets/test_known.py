"""Tables and lists in a folder: paths from one place, what a table owns, who is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.datasets.known import read_known
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import write_clips
from tests.dataset_fixtures import tree
from tests.detector_fixtures import clip_row

TABLE = "path,label,pair_of\nreal.mp4,real,\nfake.mp4,fake,real.mp4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tree(tmp_path, {"others/t.csv": TABLE, "others/real.mp4": "", "others/fake.mp4": "", "own/a.mp4": ""})


def test_paths_are_those_from_the_folder(folder: Path) -> None:
    known = read_known(folder, [folder / "own" / ".." / "others" / "t.csv"])
    fake = known.labelled["others/fake.mp4"]
    assert (fake.path, fake.pair_of) == (folder / "others" / "fake.mp4", folder / "others" / "real.mp4")


@pytest.mark.parametrize(
    ("path", "passed"),
    [
        ("others/forgotten.mp4", True),
        ("others/deep/er.mp4", True),
        ("others/fake.mp4", False),
        ("others2/a.mp4", False),
    ],
)
def test_a_table_says_all_that_there_is_in_its_folder(folder: Path, path: str, passed: bool) -> None:
    assert read_known(folder, [folder / "others" / "t.csv"]).passes_over(path) == passed


def test_a_table_in_the_folder_itself_owns_all_of_it(tmp_path: Path) -> None:
    tree(tmp_path, {"t.csv": TABLE, "real.mp4": ""})
    assert read_known(tmp_path, [tmp_path / "t.csv"]).passes_over("deep/other.mp4")


def test_a_list_keeps_its_rows_from_where_it_lies(folder: Path) -> None:
    rows = [clip_row("a.mp4"), clip_row("b.mp4", "fake", pair_of="a.mp4", identity="a.mp4")]
    write_clips(folder / "own" / "clips.jsonl", rows)
    kept = read_known(folder, (), folder / "own" / "clips.jsonl").kept
    assert [(row.path, row.pair_of, row.split) for row in kept] == [
        ("own/a.mp4", None, "train"),
        ("own/b.mp4", "own/a.mp4", "train"),
    ]


def test_what_the_list_has_is_not_added_again(folder: Path) -> None:
    write_clips(folder / "all.jsonl", [clip_row("others/fake.mp4", "fake")])
    known = read_known(folder, [folder / "others" / "t.csv"], folder / "all.jsonl")
    assert list(known.labelled) == ["others/real.mp4"]


def test_people_of_a_list_are_known_by_a_few_real_clips(folder: Path) -> None:
    rows = [clip_row(f"{i}.mp4", identity="ann") for i in range(9)]
    write_clips(folder / "c.jsonl", [clip_row("f.mp4", "fake", identity="ann"), *rows, clip_row("b.mp4")])
    shown = [row.path for row in read_known(folder, (), folder / "c.jsonl").shown()]
    assert shown == ["0.mp4", "1.mp4", "2.mp4", "3.mp4", "b.mp4"]


def test_a_file_is_named_once(folder: Path) -> None:
    tree(folder, {"others/u.csv": TABLE})
    with pytest.raises(UsageError, match="named twice"):
        read_known(folder, [folder / "others" / "t.csv", folder / "others" / "u.csv"])


@pytest.mark.parametrize("row", ["../../out.mp4,fake,", "/out.mp4,fake,", "fake.mp4,fake,../../out.mp4"])
def test_what_lies_outside_is_refused(folder: Path, row: str) -> None:
    tree(folder, {"others/t.csv": f"path,label,pair_of\n{row}\n"})
    with pytest.raises(UsageError, match="outside"):
        read_known(folder, [folder / "others" / "t.csv"])


def test_a_counterpart_that_is_not_there_is_told(folder: Path) -> None:
    (folder / "others" / "real.mp4").unlink()
    with pytest.raises(UsageError, match="the counterpart of"):
        read_known(folder, [folder / "others" / "t.csv"])


def test_a_list_whose_splits_share_a_person_is_refused(folder: Path) -> None:
    write_clips(
        folder / "c.jsonl", [clip_row("a.mp4", identity="ann"), clip_row("b.mp4", split="test", identity="ann")]
    )
    with pytest.raises(MediaError, match="more than one split"):
        read_known(folder, (), folder / "c.jsonl")
