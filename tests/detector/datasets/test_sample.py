"""What adapters share: rows of clips.jsonl, digests of folders, and sets that cannot be told apart."""

import dataclasses

import pytest

from detector.datasets.sample import (
    Adapter,
    Sample,
    as_clip,
    clips_samples,
    content_digest,
    only,
    read_entries,
    read_table,
)
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import file_digest, write_clips
from tests.dataset_fixtures import tree
from tests.evaluation_fixtures import sample


def test_a_sample_becomes_a_row_and_comes_back(tmp_path) -> None:
    tree(tmp_path, {"real/a.mp4": "a", "fake/b.mp4": "b"})
    made = Sample(
        "FaceForensics++", "b", tmp_path / "fake/b.mp4", "fake", "Deepfakes", "blend", "ff++/001", "test", "c40",
        ("ff++/000", "ff++/001"),
        pair_of=tmp_path / "real/a.mp4",
    )  # fmt: skip
    row = as_clip(made, tmp_path)
    assert (row.path, row.pair_of, row.sha256) == ("fake/b.mp4", "real/a.mp4", file_digest(made.path))
    write_clips(tmp_path / "clips.jsonl", [row])
    (back,) = clips_samples(tmp_path / "clips.jsonl")
    assert dataclasses.replace(back, video_id="b", sha256=None) == made


def test_a_row_outside_the_folder_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="outside"):
        as_clip(sample("a", "fake", sha256="0" * 64), tmp_path)


def test_digest_of_a_folder_follows_names_and_contents(tmp_path) -> None:
    tree(tmp_path, {"f/1.png": "", "f/2.png": ""})
    before = content_digest(tmp_path / "f")
    assert content_digest(tmp_path / "f") == before
    (tmp_path / "f/2.png").rename(tmp_path / "f/3.png")
    assert content_digest(tmp_path / "f") != before


class Twice(Adapter):
    name, title = "twice", "a set with a video listed twice"

    def samples(self, root):
        yield from (sample("a", "real"), sample("a", "real"))


def test_two_videos_with_one_group_key_are_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="Two files are set/real/a"):
        Twice().listed(tmp_path)


def test_an_unknown_choice_names_what_there_is() -> None:
    with pytest.raises(UsageError, match="c23, c40"):
        only([sample("a", "fake", compression="c23"), sample("b", "fake", compression="c40")], compression="raw")


def test_entries_are_objects_by_name_and_none_without_a_file(tmp_path) -> None:
    path = tmp_path / "list.json"
    assert read_entries(path) == {}
    path.write_text('{"a.mp4": {"label": "real"}}', encoding="utf-8")
    assert read_entries(path) == {"a.mp4": {"label": "real"}}


@pytest.mark.parametrize("text", ['["a.mp4"]', '{"a.mp4": "real"}'])
def test_what_is_no_list_of_videos_is_refused(tmp_path, text: str) -> None:
    (tmp_path / "list.json").write_text(text, encoding="utf-8")
    with pytest.raises(MediaError, match="not a list of videos"):
        read_entries(tmp_path / "list.json")


def test_a_table_without_a_column_is_told_what_it_has(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("path;score\na.mp4;0,5\n")
    with pytest.raises(MediaError, match="no column 'path'") as caught:
        list(read_table(tmp_path / "a.csv", ("path", "score")))
    assert caught.value.advice == "It needs: path, score, with commas between them. It has: 'path;score'."
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(MediaError, match="no column 'path'") as caught:
        list(read_table(tmp_path / "a.csv", ("path", "score")))
    assert caught.value.advice.endswith("It has: none.")
