"""What a command line means: names, folders, patterns; each file once, in a fixed order."""

from __future__ import annotations

from pathlib import Path

from provenance.verifying.files import named_files


def test_folders_and_patterns_become_files(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.jpg", "deep/c.mov", "deep/c.c2pa", ".hidden/d.mp4", ".e.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "b.mp4")
    inside = [tmp_path / "a.jpg", tmp_path / "b.mp4", tmp_path / "deep/c.mov"]
    assert list(named_files([tmp_path])) == inside
    assert list(named_files([tmp_path, tmp_path / "a.jpg"])) == inside
    assert list(named_files([tmp_path / "*.jpg"])) == [tmp_path / "a.jpg"]
    assert list(named_files([tmp_path / "**/*.mov"])) == [tmp_path / "deep/c.mov"]


def test_names_that_are_nothing_are_passed_on(tmp_path: Path) -> None:
    strange = [tmp_path / "gone.mp4", Path("a\0b.mp4")]
    assert list(named_files(strange)) == strange
    assert list(named_files([tmp_path / "*.nothing"])) == []


def test_a_real_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "take[1].mp4").write_bytes(b"x")
    (tmp_path / "take1.mp4").write_bytes(b"x")
    assert list(named_files([tmp_path / "take[1].mp4"])) == [tmp_path / "take[1].mp4"]
