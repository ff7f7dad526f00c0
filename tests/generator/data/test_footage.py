"""What a tree of footage says about its files: who is in them, what is kept for testing, and what is no footage at
all.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from generator.data.footage import Source, choose, describe, find_sources
from sfumato.errors import UsageError
from sfumato.execution.find_files import find_media


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def found(root: Path, people: str = "layout") -> dict[str, tuple[str, bool]]:
    return {s.path.relative_to(root).as_posix(): (s.person, s.held_out) for s in find_sources([root], people)}  # type: ignore[arg-type]


def test_a_plain_folder_names_nobody(tmp_path: Path) -> None:
    tree(tmp_path, "a.mp4", "b/c.JPG", "notes.txt", ".hidden.mp4", "._a.mp4")
    assert found(tmp_path) == {"a.mp4": ("", False), "b/c.JPG": ("", False)}


def test_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    tree(tmp_path, "b.mp4", "a/z.mp4", "a/b/c.mp4", "c.png")
    assert find_media([tmp_path]) == sorted(find_media([tmp_path]))


@pytest.mark.parametrize(
    ("path", "person", "held_out"),
    [
        ("vox2/dev/mp4/id00012/21Uxsk56VDQ/00001.mp4", "voxceleb id00012", False),
        ("vox2/test/mp4/id00017/01dfn2spqyE/00001.mp4", "voxceleb id00017", True),
        ("vox2_test_mp4/mp4/id00017/01dfn2spqyE/00001.mp4", "voxceleb id00017", True),
        ("id10001/7w0IBEWc9Qw/00003.mp4", "voxceleb id10001", False),
        ("id10270/5r0dWxy17C8/00001.mp4", "voxceleb id10270", True),  # of VoxCeleb1's verification test
        ("train/id10001#7w0IBEWc9Qw#001993#002143.mp4", "voxceleb id10001", False),
        ("test/id10283#x#001993#002143.mp4", "voxceleb id10283", True),
    ],
)
def test_voxceleb_names_people_and_its_test_part_is_kept_out(
    tmp_path: Path, path: str, person: str, held_out: bool
) -> None:
    assert found(tree(tmp_path, path)) == {path: (person, held_out)}


def test_a_part_of_voxceleb_named_alone_is_still_known(tmp_path: Path) -> None:
    tree(tmp_path, "test/mp4/id00017/v/00001.mp4")
    assert [s.held_out for s in find_sources([tmp_path / "test" / "mp4" / "id00017"])] == [True]


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("WDA_BarackObama_000.mp4", "hdtf WDA BarackObama"),
        ("WDA_BarackObama1_003.mp4", "hdtf WDA BarackObama"),
        ("RD_Radio10_000.mp4", "hdtf RD Radio10"),
        ("RD_Radio10_0_clip_0.mp4", "hdtf RD Radio10"),
        ("WDA_notes.mp4", ""),
    ],
)
def test_hdtf_names_people_in_its_files(tmp_path: Path, name: str, person: str) -> None:
    assert found(tree(tmp_path, name)) == {name: (person, False)}


def test_folders_are_people_if_one_says_so(tmp_path: Path) -> None:
    tree(tmp_path, "ann/a.mp4", "ann/day2/b.mp4", "test/bob/c.mp4", "loose.mp4")
    assert found(tmp_path, "folders") == {
        "ann/a.mp4": ("ann", False), "ann/day2/b.mp4": ("ann", False), "test/bob/c.mp4": ("bob", True),
        "loose.mp4": ("", False),
    }  # fmt: skip


def test_a_folder_named_test_is_kept_out_but_not_the_place_of_the_footage(tmp_path: Path) -> None:
    root = tree(tmp_path / "test" / "footage", "test/a.mp4", "contest/b.mp4")
    assert found(root) == {"test/a.mp4": ("", True), "contest/b.mp4": ("", False)}


def test_metadata_of_voxceleb_is_told_from_videos(tmp_path: Path) -> None:
    tree(tmp_path, "txt/id10001/7w0IBEWc9Qw/00001.txt")
    with pytest.raises(UsageError, match="metadata"):
        find_media([tmp_path])


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    tree(tmp_path, "a/b.mp4")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "a")
    assert [p.relative_to(tmp_path).as_posix() for p in find_media([tmp_path])] == ["a/b.mp4", "elsewhere/b.mp4"]


def test_files_are_found_as_they_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sfumato.execution.find_files as module

    tree(tmp_path, *(f"{i}/a.mp4" for i in range(50)))
    looked: list[object] = []
    scan = module.os.scandir
    monkeypatch.setattr(module.os, "scandir", lambda folder: looked.append(folder) or scan(folder))  # type: ignore[func-returns-value]
    assert len(list(islice(find_sources([tmp_path]), 2))) == 2
    assert len(looked) <= 4


def test_few_files_of_each_person_and_few_in_all() -> None:
    sources = [Source(Path(f"{i}.mp4"), person) for i, person in enumerate(["a", "a", "a", "b", "", "", "c"])]
    assert [s.path.stem for s in choose(sources, per_person=2)] == ["0", "1", "3", "4", "5", "6"]
    assert [s.path.stem for s in choose(sources, limit=3, per_person=1)] == ["0", "3", "4"]
    assert list(choose(sources)) == sources


def test_a_file_that_was_named_itself_is_described_by_its_name() -> None:
    assert describe(Path("clips/WRA_KellyAyotte_000.mp4"), Path("clips"), "layout").person == "hdtf WRA KellyAyotte"
