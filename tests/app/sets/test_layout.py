"""The folder of a set: what is written is read back, what is wrong in a file is told by file and line, and the digest
goes by what is shown, not by how it was sealed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.sets.layout import (
    CLIPS,
    DETAILS,
    FACTS,
    RIGHTS,
    Details,
    Rights,
    SetFacts,
    SetRow,
    counts_of,
    decoded_digest,
    read_set,
    set_digest,
    write_set,
)
from sfumato.errors import MediaError
from sfumato.media.clips import TWIN, ClipRow
from tests.media_fixtures import make_video

HOLDER = Rights("Ada Example", "CC BY 4.0", "consent", "agreed in writing", "own studio", "https://example.org/terms")


def pair(number: int, split: str = "train") -> list[SetRow]:
    """A twin and its fake, of a person of their own."""
    name, who = f"{number:05d}", f"person-{number}"
    twin, fake = f"videos/{name}-twin.mp4", f"videos/{name}-fake.mp4"
    clips = (
        ClipRow(twin, "real", TWIN, "real", who, "a" * 64, split=split),  # type: ignore[arg-type]
        ClipRow(fake, "fake", "swap-plain", "blend", who, "b" * 64, pair_of=twin, split=split),  # type: ignore[arg-type]
    )
    details = [
        Details(clip.path, name, "c" * 64, "plain", "studio", 128, 96, 10, 25.0, "h264", 21.25, 5000, f"{number:064x}")
        for clip in clips
    ]
    return [SetRow(clip, detail) for clip, detail in zip(clips, details, strict=True)]


def facts(rows: list[SetRow]) -> SetFacts:
    return SetFacts(
        "studio", "Two people of our own.", "1", "CC BY 4.0", "d" * 64, "sfumato 1.0", {"net": "e" * 64},
        counts_of(rows), set_digest(rows),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [*pair(0), *pair(1, "test")]
    write_set(tmp_path, b"name = 'studio'\n", facts(rows), {"studio": HOLDER}, rows)
    return tmp_path


def test_what_was_written_is_read_back(folder: Path) -> None:
    found = read_set(folder)
    rows = [*pair(0), *pair(1, "test")]
    assert (list(found.rows), found.facts, dict(found.rights)) == (rows, facts(rows), {"studio": HOLDER})
    assert (folder / "recipe.toml").read_bytes() == b"name = 'studio'\n"
    assert found.facts.counts == {
        "clips": 4, "fakes": 2, "people": 2, "splits": {"test": 2, "train": 2}, "cases": {"plain": 4},
        "methods": {"swap-plain": 2},
    }  # fmt: skip


def test_a_row_needs_a_record_of_rights(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no record of rights: 'studio'"):
        write_set(tmp_path, b"", facts(pair(0)), {}, pair(0))
    assert not list(tmp_path.iterdir())


def test_the_digest_is_of_frames_and_facts_and_not_of_seals() -> None:
    rows = [*pair(0), *pair(1)]
    sealed_again = [
        SetRow(dataclasses.replace(row.clip, sha256="f" * 64), dataclasses.replace(row.details, bytes=5100))
        for row in rows
    ]
    assert set_digest(reversed(sealed_again)) == set_digest(rows)
    for change in ({"decoded": "9" * 64}, {"rights": "other"}, {"crf": 22.0}):
        changed = [*rows[:3], SetRow(rows[3].clip, dataclasses.replace(rows[3].details, **change))]
        assert set_digest(changed) != set_digest(rows)


def test_decoded_frames_have_one_digest_whatever_else_is_in_the_file(tmp_path: Path) -> None:
    first, again, other = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mp4"
    make_video(first, frames=3)
    make_video(other, frames=4)
    again.write_bytes(first.read_bytes() + b"\0\0\0\x10free12345678")
    assert decoded_digest(again) == decoded_digest(first) != decoded_digest(other)


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    """The text of a file with one object changed: the first line of a list, or all of it."""

    def edit(text: str) -> str:
        whole = text.startswith("{\n")
        first, rest = (text, "") if whole else text.split("\n", 1)
        values = json.loads(first)
        change(values)
        return json.dumps(values) + ("" if whole else "\n" + rest)

    return edit


WRONG: list[tuple[str, Callable[[str], str], str]] = [
    (DETAILS, edited(lambda row: row.update(colour="red")), "line 1: unknown key 'colour'"),
    (DETAILS, edited(lambda row: row.pop("crf")), "line 1: 'crf' is missing"),
    (DETAILS, edited(lambda row: row.update(schema=2)), "line 1: it is not an object of schema 1"),
    (DETAILS, edited(lambda row: row.update(schema=True)), "line 1: it is not an object of schema 1"),
    (DETAILS, edited(lambda row: row.update(case="easy")), "case is 'easy'; it must be one of plain, pose"),
    (DETAILS, edited(lambda row: row.update(case=["plain"])), "case is "),
    (DETAILS, edited(lambda row: row.update(width=True)), "width is 'True'; it must be a whole number from 1 to 8192"),
    (DETAILS, edited(lambda row: row.update(rate="25")), "it must be a number from 0.001 to 1000"),
    (DETAILS, edited(lambda row: row.update(portrait="C" * 64)), "64 lower-case hex digits"),
    (DETAILS, edited(lambda row: row.update(pair="٠٠٠٠٠")), "five to nine digits"),
    (DETAILS, edited(lambda row: row.update(pair="../1")), "five to nine digits"),
    (DETAILS, edited(lambda row: row.update(motion="talking")), "motion and motion_sha256 go together"),
    (DETAILS, edited(lambda row: row.update(generator="a\x1b[2J")), "one printable line"),
    (DETAILS, edited(lambda row: row.update(rights="nobody")), "row 1: rights.json has no record 'nobody'"),
    (DETAILS, edited(lambda row: row.update(path="videos/x.mp4")), "videos/x.mp4 stands where videos/00000-twin.mp4"),
    (DETAILS, lambda text: text.split("\n", 1)[1], "row 1: videos/00000-fake.mp4 stands where"),
    (DETAILS, lambda text: text.rsplit("\n", 2)[0] + "\n", "row 4: clips.jsonl and details.jsonl have not as many"),
    (DETAILS, lambda text: text + text.split("\n", 1)[0] + "\n", "row 5: clips.jsonl and details.jsonl have not"),
    (DETAILS, lambda text: text.replace('"rate": 25.0', '"rate": NaN', 1), "NaN is no number of JSON"),
    (DETAILS, lambda text: text.replace('"crf"', '"crf": 1, "crf"', 1), "the key 'crf' is given twice"),
    (DETAILS, lambda text: "[" * 200_000, "line 1: it is more than 32 levels deep"),
    (DETAILS, lambda text: " " + "x" * 2**20, "line 1: the line is too long"),
    (DETAILS, lambda text: "\udcff", "line 1: it is not UTF-8"),
    (CLIPS, edited(lambda row: row.update(path="../a.mp4")), "clips.jsonl, line 1: path is"),
    (RIGHTS, edited(lambda values: values["records"]["studio"].pop("holder")), "record studio: 'holder' is missing"),
    (RIGHTS, edited(lambda values: values["records"]["studio"].update(basis="found")), "basis is 'found'"),
    (RIGHTS, edited(lambda values: values["records"]["studio"].update(terms="javascript:x")), "must be an address"),
    (RIGHTS, edited(lambda values: values["records"]["studio"].update(statement=" ")), "statement is ' '"),
    (RIGHTS, edited(lambda values: values["records"].update({"a/b": {}})), "the name of a record is 'a/b'"),
    (RIGHTS, edited(lambda values: values.update(records=[])), "a schema and records, nothing else"),
    (FACTS, edited(lambda values: values.update(format="sfumato-set-2")), "this version reads sfumato-set-1"),
    (FACTS, edited(lambda values: values.update(counts={"clips": -1})), "counts.clips is '-1'"),
    (FACTS, edited(lambda values: values.update(counts={"splits": {"test": {}}})), "counts.test is '{}'"),
    (FACTS, edited(lambda values: values.update(models=["a"])), "models is not an object"),
    (FACTS, edited(lambda values: values.update(description="two\nlines")), "description is"),
    (FACTS, lambda text: "[]", "it is not an object"),
    (FACTS, lambda text: "", "it is no JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "said"), WRONG)
def test_what_is_wrong_is_told(folder: Path, name: str, edit: Callable[[str], str], said: str) -> None:
    text = edit((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(MediaError) as caught:
        read_set(folder)
    assert said in caught.value.message
    assert name in caught.value.message
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("name", [FACTS, RIGHTS, CLIPS, DETAILS])
def test_a_file_that_is_not_there_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(MediaError, match=f"Cannot read .*{name}"):
        read_set(folder)


def test_more_rows_than_may_be_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfumato.app.sets import layout

    monkeypatch.setattr(layout, "SET_ROWS", dataclasses.replace(layout.SET_ROWS, most=3))
    with pytest.raises(MediaError, match="has 4 rows; the limit is 3 rows"):
        read_set(folder)
