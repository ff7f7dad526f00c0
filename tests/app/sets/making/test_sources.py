"""People of a set: real rows alone, each under one record of rights, nobody in two splits over all lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.layout import Rights
from sfumato.app.sets.making.recipe import FakeRule, Recipe, SourceRule
from sfumato.app.sets.making.sources import PAINTINGS, read_sources, rights_of
from sfumato.errors import MediaError, MissingFileError, UsageError
from sfumato.media.clips import TWIN, ClipRow, write_clips
from tests.detector_fixtures import clip_row

RIGHTS = Rights("Ada", "CC0", "own", "mine", "here")


def recipe(*rules: SourceRule, rights: tuple[str, ...] = ("one", "two")) -> Recipe:
    return Recipe("a", "b", "1", "CC0", rules, (FakeRule("swap"),), dict.fromkeys(rights, RIGHTS))


def listed(folder: Path, *rows: ClipRow) -> Path:
    folder.mkdir()
    for row in rows:
        (folder / row.path).write_bytes(b"x")
    write_clips(folder / "clips.jsonl", rows)
    return folder / "clips.jsonl"


def test_real_rows_that_fit_are_taken_each_with_its_record(tmp_path: Path) -> None:
    rows = [clip_row("a1.png"), clip_row("b1.mp4"), clip_row("b2.png"), clip_row("f.mp4", label="fake")]
    twin = ClipRow("t.mp4", "real", TWIN, "real", "somebody", "e" * 64, split="train")
    clips = listed(tmp_path / "own", *rows, twin)
    found = read_sources(
        recipe(SourceRule(clips, ("a*",), rights="one"), SourceRule(clips, ("b*", "f*", "t*"), rights="two"))
    )
    assert [(source.row.path, source.rights, source.still) for source in found] == [
        ("0/a1.png", "one", True), ("1/b1.mp4", "two", False), ("1/b2.png", "two", True),
    ]  # fmt: skip
    assert found[0].file == (tmp_path / "own" / "a1.png").resolve()
    assert set(rights_of(recipe(SourceRule(clips, rights="one")), found)) == {"one", "two"}


def test_paintings_bring_their_own_record() -> None:
    asked = recipe(SourceRule(portraits=("mona-lisa", "lady-agnew"), split="test"))
    found = read_sources(asked)
    assert [(source.row.identity, source.row.split) for source in found] == [
        ("painting:mona-lisa", "test"), ("painting:lady-agnew", "test"),
    ]  # fmt: skip
    assert [(name, record.basis) for name, record in rights_of(asked, found).items()] == [(PAINTINGS, "public-domain")]
    with pytest.raises(UsageError, match="the record that ships"):
        rights_of(recipe(*asked.sources, rights=(PAINTINGS,)), found)


def test_an_unknown_painting_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        read_sources(recipe(SourceRule(portraits=("mona-liza",))))
    assert "Did you mean 'mona-lisa'?" in caught.value.advice


def test_one_file_is_not_under_two_records(tmp_path: Path) -> None:
    clips = listed(tmp_path / "own", clip_row("a.png"))
    with pytest.raises(UsageError, match=r"Two sources take .*a\.png"):
        read_sources(recipe(SourceRule(clips, rights="one"), SourceRule(clips, rights="two")))


def test_a_rule_that_fits_nothing_is_told(tmp_path: Path) -> None:
    clips = listed(tmp_path / "own", clip_row("a.png"))
    with pytest.raises(UsageError, match=r"fits match = \['A\*'\]"):
        read_sources(recipe(SourceRule(clips, ("A*",), rights="one")))


def test_a_person_of_two_lists_is_of_one_split(tmp_path: Path) -> None:
    rows = [clip_row("a.png", identity="ada", split=split) for split in ("train", "test")]
    lists = [listed(tmp_path / name, row) for name, row in zip(("one", "two"), rows, strict=True)]
    with pytest.raises(MediaError, match="ada"):
        read_sources(recipe(*(SourceRule(path, rights="one") for path in lists)))


def test_a_file_that_is_gone_or_lies_elsewhere_is_told(tmp_path: Path) -> None:
    clips = listed(tmp_path / "own", clip_row("a.png"))
    (tmp_path / "own" / "a.png").unlink()
    with pytest.raises(MissingFileError, match=r"lists a\.png"):
        read_sources(recipe(SourceRule(clips, rights="one")))
    (tmp_path / "far.png").write_bytes(b"x")
    (tmp_path / "own" / "a.png").symlink_to(tmp_path / "far.png")
    with pytest.raises(MediaError, match="leads outside"):
        read_sources(recipe(SourceRule(clips, rights="one")))
