"""`sfumato clips`: who is who by faces, splits by person, and what is left out is told."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.cli.clips import clips
from sfumato.app.datasets.clips import list_clips
from sfumato.app.datasets.known import read_known
from sfumato.errors import MediaError, NoFaceError, UsageError
from sfumato.media.clips import ClipRow, check_disjoint, clip_file, read_clips, write_clips
from sfumato.media.images import read_image, write_image
from tests.dataset_fixtures import tree
from tests.portrait_fixtures import write_portrait


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of one woman under different names, one of another, a copy, a wall and a file that is no picture."""
    (tmp_path / "old").mkdir()
    write_portrait(tmp_path / "old" / "mona.png", 360)
    write_portrait(tmp_path / "stranger.png", 500)
    shutil.copy(tmp_path / "stranger.png", tmp_path / "stranger-again.png")
    shutil.copy(shipped_portraits()["lady-agnew"].path, tmp_path / "agnew.jpg")
    write_image(tmp_path / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    return tmp_path


def test_people_are_found_by_face_and_split_whole(folder: Path) -> None:
    listing = list_clips(folder, [("painting", "old/*")])
    rows = {row.path: row for row in listing.rows}
    assert set(rows) == {"agnew.jpg", "old/mona.png", "stranger-again.png"}
    assert rows["old/mona.png"].identity == rows["stranger-again.png"].identity != rows["agnew.jpg"].identity
    assert rows["old/mona.png"].method == "painting" and rows["agnew.jpg"].method == "camera"
    check_disjoint(listing.rows)


def test_what_is_not_listed_is_told_with_its_reason(folder: Path) -> None:
    refused = dict(list_clips(folder).refused)
    assert set(refused) == {"broken.jpg", "stranger.png", "wall.png"}
    assert "No face" in refused["wall.png"] and "same file" in refused["stranger.png"]


def test_links_out_of_the_folder_are_left_out_as_every_list_needs_it(folder: Path, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "agnew.jpg").rename(elsewhere / "agnew.jpg")
    (folder / "linked").symlink_to(elsewhere, target_is_directory=True)
    (folder / "again.png").symlink_to(folder / "old" / "mona.png")
    listing = list_clips(folder)
    assert "leads out of the folder" in dict(listing.refused)["linked/agnew.jpg"]
    for row in listing.rows:
        assert clip_file(folder / "clips.jsonl", row).is_file()


def test_fakes_made_of_the_folder_are_no_footage(folder: Path) -> None:
    before = list_clips(folder)
    (folder / "generated").mkdir()
    write_image(folder / "generated" / "fake.png", read_image(shipped_portraits()["mona-lisa"].path))
    after = list_clips(folder)
    assert after.rows == before.rows and "sfumato fakes" in dict(after.refused)["generated/fake.png"]


def test_someone_can_be_left_out_under_any_name(folder: Path) -> None:
    listing = list_clips(folder, without=[shipped_portraits()["mona-lisa"].path])
    assert [row.path for row in listing.rows] == ["agnew.jpg"]
    assert sorted(listing.left_out) == ["old/mona.png", "stranger-again.png", "stranger.png"]


def test_a_picture_of_nobody_cannot_be_left_out(folder: Path) -> None:
    with pytest.raises(NoFaceError):
        list_clips(folder, without=[folder / "wall.png"])


def test_names_of_people_do_not_depend_on_other_files(folder: Path) -> None:
    before = {row.path: (row.identity, row.split) for row in list_clips(folder).rows}
    (folder / "agnew.jpg").unlink()
    after = {row.path: (row.identity, row.split) for row in list_clips(folder).rows}
    assert after == {path: before[path] for path in after}


def test_a_folder_without_faces_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(UsageError):
        list_clips(tmp_path)


def test_the_command_writes_what_others_read(folder: Path) -> None:
    result = CliRunner().invoke(clips, [str(folder), "--method", "painting=old/*"], catch_exceptions=False)
    assert result.exit_code == 0 and result.stdout.strip() == str(folder / "clips.jsonl")
    assert len(list(read_clips(folder / "clips.jsonl"))) == 3
    assert "3 clips of 2 people" in result.stderr and "wall.png" in result.stderr


@pytest.mark.parametrize("arguments", [["--output", "../clips.jsonl"], ["--method", "painting"]])
def test_wrong_arguments_are_refused(folder: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(clips, [str(folder), *arguments])
    assert result.exit_code != 0 and not (folder.parent / "clips.jsonl").exists()


def test_an_unreadable_picture_to_leave_out_is_an_error(folder: Path) -> None:
    with pytest.raises(MediaError):
        list_clips(folder, without=[folder / "broken.jpg"])


@pytest.fixture
def collection(folder: Path) -> Path:
    """The folder with a table of fakes by others in it: two of somebody in the footage, and a picture it forgot."""
    table = (
        "file,label,method,family,group,origin\n"
        "warped.png,fake,Warp,reenactment,g1,lab\nface.png,fake,StyleGAN,gan,,lab\ngone.png,fake,StyleGAN,gan,,lab\n"
    )
    tree(folder, {"others/t.csv": table})
    for name, height in (("warped.png", 420), ("face.png", 440), ("forgotten.png", 460)):
        write_portrait(folder / "others" / name, height)
    return folder


def by_path(rows: list[ClipRow]) -> dict[str, ClipRow]:
    return {row.path: row for row in rows}


def test_a_table_says_what_is_no_footage(collection: Path) -> None:
    listing = list_clips(collection, known=read_known(collection, [collection / "others" / "t.csv"]))
    rows = by_path(listing.rows)
    assert set(rows) == {"agnew.jpg", "old/mona.png", "stranger-again.png", "others/warped.png", "others/face.png"}
    fake = rows["others/warped.png"]
    assert (fake.label, fake.method, fake.family, fake.dataset) == ("fake", "Warp", "reenact", "lab")
    assert fake.source_ids == ("others/g1",)
    refused = dict(listing.refused)
    assert "does not name it" in refused["others/forgotten.png"] and "gone.png" in refused["others/gone.png"]


def test_nobody_is_in_two_collections_under_two_names(collection: Path) -> None:
    rows = by_path(list_clips(collection, known=read_known(collection, [collection / "others" / "t.csv"])).rows)
    assert rows["others/face.png"].identity == rows["old/mona.png"].identity != rows["agnew.jpg"].identity
    check_disjoint(rows.values())


def test_a_list_is_added_to_and_stays_as_it_is(collection: Path) -> None:
    own = [replace(row, split="test" if row.path == "agnew.jpg" else "train") for row in list_clips(collection).rows]
    own = [row for row in own if not row.path.startswith("others/")]
    write_clips(collection / "own.jsonl", own)
    write_portrait(collection / "new-footage.png", 380)
    known = read_known(collection, [collection / "others" / "t.csv"], collection / "own.jsonl")
    rows = list_clips(collection, known=known).rows
    assert rows[: len(own)] == own
    added = {row.path: (row.identity, row.split) for row in rows[len(own) :]}
    assert added == dict.fromkeys(("others/warped.png", "others/face.png"), (own[1].identity, "train"))


def test_what_ties_two_splits_is_left_out(collection: Path) -> None:
    """A swap, say, of two people who are on two sides already."""
    own = [row for row in list_clips(collection).rows if not row.path.startswith("others/")]
    write_clips(collection / "own.jsonl", [replace(r, split="test" if r.path == "agnew.jpg" else "train") for r in own])
    agnew = by_path(own)["agnew.jpg"].identity
    tree(
        collection,
        {"others/t.csv": f"file,label,family,source_ids\nwarped.png,fake,swap,{agnew}\nface.png,fake,gan,\n"},
    )
    known = read_known(collection, [collection / "others" / "t.csv"], collection / "own.jsonl")
    listing = list_clips(collection, known=known)
    assert [row.path for row in listing.rows[len(own) :]] == ["others/face.png"]
    assert dict(listing.refused)["others/warped.png"] == "it is tied to clips of two splits"


def test_the_person_that_a_table_names_is_one_whatever_the_faces_say(collection: Path) -> None:
    shutil.copy(shipped_portraits()["lady-agnew"].path, collection / "others" / "agnew.jpg")
    (collection / "agnew.jpg").unlink()
    tree(collection, {"others/t.csv": "file,label,identity\nwarped.png,fake,ann\nagnew.jpg,real,ann\n"})
    rows = by_path(list_clips(collection, known=read_known(collection, [collection / "others" / "t.csv"])).rows)
    assert rows["others/warped.png"].identity == rows["others/agnew.jpg"].identity
    assert rows["others/warped.png"].source_ids == ("ann",)


def test_the_command_adds_a_table_to_a_list(collection: Path) -> None:
    CliRunner().invoke(
        clips, [str(collection), "--table", str(collection / "others" / "t.csv")], catch_exceptions=False
    )
    before = list(read_clips(collection / "clips.jsonl"))
    again = [str(collection), "--table", str(collection / "others" / "t.csv"), "-o", "all.jsonl", "--beside"]
    result = CliRunner().invoke(clips, [*again, str(collection / "clips.jsonl")])
    assert isinstance(result.exception, UsageError) and "new to the list" in result.exception.message
    write_clips(collection / "own.jsonl", [row for row in before if row.label == "real"])
    result = CliRunner().invoke(clips, [*again, str(collection / "own.jsonl")], catch_exceptions=False)
    assert "2 of them are fakes, by 2 methods" in result.stderr
    assert sorted(read_clips(collection / "all.jsonl"), key=str) == sorted(before, key=str)


def test_a_list_alone_has_nothing_to_be_added(folder: Path) -> None:
    write_clips(folder / "own.jsonl", list_clips(folder).rows)
    result = CliRunner().invoke(clips, [str(folder), "--beside", str(folder / "own.jsonl")])
    assert isinstance(result.exception, UsageError)
