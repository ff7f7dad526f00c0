"""One finder: the same order everywhere, each file once, and nothing passed over in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sfumato.execution.find_files import (
    CIRCLE,
    HIDDEN,
    IRREGULAR,
    MEDIA,
    OFTEN,
    PICTURES,
    VIDEOS,
    WAYS,
    Finder,
    counted,
    is_picture,
)
from tests.media_fixtures import make_sound, make_video


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.mp4",
        "a.JPG",
        "a/z.png",
        "a.b/y.mov",
        ".hidden.mp4",
        ".git/x.mp4",
        "notes.txt",
        "README",
        "x.c2pa",
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def names(finder: Finder, *named: Path, root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in finder.paths(named)]


def test_a_folder_is_what_counts_in_it_in_the_order_of_paths(tree: Path) -> None:
    assert names(Finder(), tree, root=tree) == ["a/z.png", "a.JPG", "a.b/y.mov", "b.mp4"]


def test_what_is_passed_over_is_counted_and_told(tree: Path) -> None:
    finder = Finder()
    list(finder.paths([tree]))
    assert finder.passed_over == {HIDDEN: 2, ".txt": 1, "without a suffix": 1, ".c2pa": 1}
    assert finder.told() == "Passed over in folders: 1 .c2pa, 1 .txt, 2 hidden, 1 without a suffix"


def test_nothing_is_told_where_nothing_was_passed_over(tree: Path) -> None:
    finder = Finder()
    list(finder.paths([tree / "a"]))
    assert finder.told() == ""


def test_a_named_file_counts_whatever_it_is(tree: Path) -> None:
    gone = tree / "gone.xyz"
    assert list(Finder().paths([tree / "notes.txt", gone])) == [tree / "notes.txt", gone]


def test_each_path_comes_once(tree: Path) -> None:
    assert names(Finder(), tree / "b.mp4", tree, root=tree) == ["b.mp4", "a/z.png", "a.JPG", "a.b/y.mov"]


def test_suffixes_that_never_count_and_folders_that_are_not_entered(tree: Path) -> None:
    finder = Finder(suffixes=None, without=(".c2pa",), leave_out=("a.b",))
    assert names(finder, tree, root=tree) == ["README", "a/z.png", "a.JPG", "b.mp4", "notes.txt"]
    assert finder.passed_over == {".c2pa": 1, HIDDEN: 2, "in a.b/": 1}


def test_a_file_knows_its_place_below_the_folder_that_was_named(tree: Path) -> None:
    assert [found.inside.as_posix() for found in Finder().find([tree, tree / "b.mp4"])][:2] == ["a/z.png", "a.JPG"]
    assert [found.inside.as_posix() for found in Finder().find([tree / "a" / "z.png"])] == ["z.png"]


def test_links_are_followed_but_never_in_circles(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.mp4").touch()
    (tree / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tree / "circle").symlink_to(tree, target_is_directory=True)
    finder = Finder()
    assert "link/c.mp4" in names(finder, tree, root=tree)
    assert finder.passed_over[CIRCLE] == 1


def test_folders_that_link_to_one_another_are_no_endless_work(tmp_path: Path) -> None:
    folders = [tmp_path / f"{number:02}" for number in range(12)]  # 12! orders of them
    for folder in folders:
        folder.mkdir()
        (folder / "a.mp4").touch()
    for folder in folders:
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other, target_is_directory=True)
    finder = Finder()
    assert len(list(finder.paths([tmp_path]))) == len(folders) * (1 + WAYS)
    assert finder.passed_over[OFTEN] > 0


def test_a_folder_that_a_few_links_lead_to_is_in_each_of_them(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "a.mp4").touch()
    for number in range(WAYS):
        (tmp_path / f"link-{number}").symlink_to(tmp_path / "all", target_is_directory=True)
    finder = Finder()
    assert len(list(finder.paths([tmp_path]))) == 1 + WAYS
    assert not finder.passed_over
    assert len(list(finder.paths([tmp_path]))) == 1 + WAYS  # the next walk counts anew


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names on POSIX only")
def test_a_named_pipe_in_a_folder_is_no_file(tree: Path) -> None:
    os.mkfifo(tree / "pipe.mp4")
    finder = Finder()
    assert "pipe.mp4" not in names(finder, tree, root=tree)
    assert finder.passed_over[IRREGULAR] == 1


def test_patterns_are_expanded_only_where_they_are_wanted(tree: Path) -> None:
    pattern = tree / "*" / "*.png"
    assert names(Finder(patterns=True), pattern, root=tree) == ["a/z.png"]
    assert list(Finder().paths([pattern])) == [pattern]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree: Path) -> None:
    (tree / "take[1].mp4").touch()
    assert names(Finder(patterns=True), tree / "take[1].mp4", root=tree) == ["take[1].mp4"]


@pytest.fixture
def odd_names(tmp_path: Path) -> Path:
    """A folder of pictures and a video whose names say nothing, or something else, and of what is neither."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for name in ("bare", "download.bin", "a.mp4"):
        Image.new("RGB", (8, 8)).save(folder / name, "PNG")
    make_video(folder / "film.mkv", frames=3).rename(folder / "film")
    make_sound(folder / "song.m4a")
    (folder / "notes").write_text("nothing to see")
    return folder


def test_files_without_a_suffix_and_with_an_unknown_one_are_told_by_their_first_bytes(odd_names: Path) -> None:
    finder = Finder()
    assert names(finder, odd_names, root=odd_names) == ["a.mp4", "bare", "download.bin", "film"]
    assert finder.passed_over == {"without a suffix": 1, ".m4a": 1}


def test_who_wants_pictures_gets_those_under_a_name_of_a_video_too(odd_names: Path) -> None:
    assert names(Finder(PICTURES), odd_names, root=odd_names) == ["a.mp4", "bare", "download.bin"]


def test_who_wants_something_else_gets_only_that(odd_names: Path) -> None:
    assert names(Finder({".m4a"}), odd_names, root=odd_names) == ["song.m4a"]


def test_a_picture_is_one_by_its_content_and_by_its_suffix_where_that_says_nothing(odd_names: Path) -> None:
    pictures = [path.name for path in sorted(odd_names.iterdir()) if is_picture(path)]
    assert pictures == ["a.mp4", "bare", "download.bin"]
    make_video(odd_names / "film.mp4", frames=3).rename(odd_names / "film.jpg")
    assert not is_picture(odd_names / "film.jpg")
    assert is_picture(odd_names / "not there.HEIC")


def test_kinds_are_counted_in_words(odd_names: Path) -> None:
    files = [odd_names / name for name in ("a.mp4", "bare", "film")]
    assert counted(files) == "1 video, 2 pictures"
    assert counted([odd_names, *files[1:2]]) == "1 video, 1 picture"
    assert counted(files[:1]) == "1 picture"
    assert counted([]) == "no files"


@pytest.mark.parametrize("name", [Path("x\0y"), Path("a" * 5000)])
def test_a_name_that_no_file_system_takes_is_passed_on(name: Path) -> None:
    assert list(Finder(patterns=True).paths([name])) == [name]


def test_a_link_to_itself_is_passed_over_and_hides_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to("b.mp4")
    (tmp_path / "b.mp4").symlink_to("a.mp4")
    (tmp_path / "c.mp4").touch()
    finder = Finder()
    assert list(finder.paths([tmp_path])) == [tmp_path / "c.mp4"]
    assert finder.passed_over == {IRREGULAR: 2}


@given(st.lists(st.text("abc.", min_size=1, max_size=4).filter(lambda name: name not in (".", "..")), unique=True))
def test_what_comes_and_what_is_passed_over_is_all_there_is(
    tmp_path_factory: pytest.TempPathFactory, given: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in given:
        (folder / f"{name}.mp4").touch()
    finder = Finder()
    found = list(finder.paths([folder]))
    assert found == sorted(found)
    assert len(found) + sum(finder.passed_over.values()) == len(given)


def test_pictures_are_no_videos() -> None:
    assert not PICTURES & VIDEOS
    assert MEDIA == PICTURES | VIDEOS
