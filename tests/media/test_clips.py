"""clips.jsonl: what is written is read, what is wrong is refused with its line, and splits never share a person."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.errors import MediaError, OutputError, UsageError
from sfumato.media.clips import (
    ClipRow,
    Split,
    check_disjoint,
    clip_file,
    crossing_ties,
    file_digest,
    groups_of,
    read_clips,
    split_by_identity,
    write_clips,
)

REAL = ClipRow("real/a.mp4", "real", "camera", "real", "ada", "a" * 64, ("tape-1",), split="train")
FAKE = ClipRow(
    "fake/a.mp4",
    "fake",
    "zakharov2019",
    "reenact",
    "ada",
    "b" * 64,
    ("tape-1",),
    "bob",
    "real/a.mp4",
    "train",
    7,
    "c" * 64,
)
FRACTIONS: dict[Split, float] = {"train": 0.5, "validation": 0.2, "calibration": 0.1, "test": 0.2}


def line(**changes: Any) -> str:
    values = {"schema": 1, **dataclasses.asdict(FAKE), **changes}
    return json.dumps({name: value for name, value in values.items() if value != "absent"}) + "\n"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert write_clips(tmp_path / "clips.jsonl", [REAL, FAKE]) == 2
    assert list(read_clips(tmp_path / "clips.jsonl")) == [REAL, FAKE]
    assert all(json.loads(text)["schema"] == 1 for text in (tmp_path / "clips.jsonl").read_text().splitlines())


def test_reading_streams(tmp_path: Path) -> None:
    (tmp_path / "clips.jsonl").write_text(line() + "\n" + line(schema=2))
    rows = read_clips(tmp_path / "clips.jsonl")
    assert next(rows) == FAKE
    with pytest.raises(MediaError, match="line 3"):
        next(rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (line(schema=2), "schema is 2"),
        (line(schema="absent"), "schema is None"),
        (line(schema=True), "schema is True"),
        (line(colour="red"), "unknown key 'colour'"),
        (line(identity="absent"), "'identity' is missing"),
        (line(split="absent"), "'split' is missing"),
        (line(split=None), "no split"),
        (line(split="dev"), "split is 'dev'"),
        (line(label="REAL"), "label is 'REAL'"),
        (line(family="other"), "family is 'other'"),
        (line(label=["real"]), "label is"),
        (line(label="real"), "contradicts"),
        (line(family="real"), "contradicts"),
        (line(sha256="abc"), "sha256"),
        (line(sha256=5), "sha256"),
        (line(generator_digest="A" * 64), "generator_digest"),
        (line(seed=-1), "seed"),
        (line(seed=True), "seed"),
        (line(seed=1.5), "seed"),
        (line(identity=" "), "identity"),
        (line(identity="a\nb"), "identity"),
        (line(source_ids="tape"), "source_ids"),
        (line(source_ids=[1]), "source_ids"),
        (line(driver_id=3), "driver_id"),
        (line() + line(), "line 2.*twice"),
        (line()[:-2] + ', "seed": 3}', "key is given twice"),
        ("[]", "JSON object"),
        ("{", "line 1"),
        ("[" * 100_000, "line 1"),
        (" " * 5 + '"' + "x" * (1 << 20) + '"', "too long"),
        ("\udcff", "UTF-8"),
    ],
)
def test_a_faulty_row_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "clips.jsonl").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(MediaError, match=words):
        list(read_clips(tmp_path / "clips.jsonl"))


def test_what_other_editors_put_around_the_lines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "clips.jsonl"
    write_clips(path, [REAL, FAKE])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_clips(path)) == [REAL, FAKE]


def test_lines_that_are_no_rows_are_told_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "clips.jsonl"
    write_clips(path, [REAL, FAKE])
    with path.open("a") as file:
        file.write("no json\n" + path.read_text().splitlines()[0] + "\n")
    refused: list[str] = []
    assert list(read_clips(path, refused)) == [REAL, FAKE]
    assert [line.partition(":")[0] for line in refused] == ["line 3", "line 4"]
    assert refused[1].endswith(f"{REAL.path} is listed twice")


def test_ties_that_cross_are_told_with_their_splits() -> None:
    other = dataclasses.replace(REAL, path="other.mp4", sha256="9" * 64, split="test")
    assert crossing_ties([REAL, other]) == {f"name:{name}": ["test", "train"] for name in ("ada", "tape-1")}


@pytest.mark.parametrize(
    "path",
    [
        "../a.mp4",
        "a/../../b.mp4",
        "/etc/passwd",
        "",
        ".",
        "a\\b.mp4",
        "C:/a.mp4",
        "http://a/b.mp4",
        "a//b.mp4",
        "./a.mp4",
        "a\0b",
        5,
        None,
    ],
)
@pytest.mark.parametrize("key", ["path", "pair_of"])
def test_paths_stay_inside_the_folder(path: Any, key: str) -> None:
    if key == "pair_of" and path is None:
        return
    with pytest.raises(ValueError, match=key):
        dataclasses.replace(FAKE, **{key: path})


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "real").symlink_to(tmp_path)
    with pytest.raises(MediaError, match="outside"):
        clip_file(tmp_path / "data" / "clips.jsonl", REAL)
    assert clip_file(tmp_path / "clips.jsonl", REAL) == tmp_path.resolve() / "real" / "a.mp4"


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="Cannot read"):
        list(read_clips(tmp_path / "clips.jsonl"))
    with pytest.raises(MediaError, match="Cannot read"):
        file_digest(tmp_path / "a.mp4")
    with pytest.raises(OutputError):
        write_clips(tmp_path / "none" / "clips.jsonl", [REAL])


def test_writing_refuses_what_reading_would(tmp_path: Path) -> None:
    (tmp_path / "clips.jsonl").write_text("old")
    for rows in ([REAL, REAL], [REAL, dataclasses.replace(FAKE, split=None)]):
        with pytest.raises(ValueError):
            write_clips(tmp_path / "clips.jsonl", rows)
    assert (tmp_path / "clips.jsonl").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["clips.jsonl"]


def test_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


NAMES = st.sampled_from([f"person{i}" for i in range(30)])


@st.composite
def clip_rows(draw: st.DrawFn) -> list[ClipRow]:
    people = draw(
        st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=2), st.none() | NAMES, st.booleans()), max_size=25)
    )
    rows: list[ClipRow] = []
    for index, (identity, sources, driver, paired) in enumerate(people):
        pair = draw(st.sampled_from([row.path for row in rows])) if paired and rows else None
        digest = f"{draw(st.integers(0, 200)):064x}"
        rows.append(ClipRow(f"{index}.mp4", "fake", "m", "blend", identity, digest, tuple(sources), driver, pair))
    return rows


@given(clip_rows(), st.integers(0, 5))
def test_splits_are_disjoint(rows: list[ClipRow], seed: int) -> None:
    split = split_by_identity(rows, FRACTIONS, seed)
    check_disjoint(split)
    assert [dataclasses.replace(row, split=None) for row in split] == rows
    assert all(row.split in FRACTIONS for row in split)


def rows_order(rows: list[ClipRow]) -> Callable[[ClipRow], int]:
    places = {row.path: index for index, row in enumerate(rows)}
    return lambda row: places[row.path]


@given(clip_rows(), st.randoms())
def test_order_does_not_matter(rows: list[ClipRow], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    assert sorted(split_by_identity(shuffled, FRACTIONS), key=rows_order(rows)) == split_by_identity(rows, FRACTIONS)


@given(clip_rows(), st.integers(1, 20))
def test_new_people_move_nobody(rows: list[ClipRow], newcomers: int) -> None:
    more = [ClipRow(f"new{i}.mp4", "real", "camera", "real", f"new{i}", f"{1000 + i:064x}") for i in range(newcomers)]
    assert split_by_identity([*more, *rows], FRACTIONS)[newcomers:] == split_by_identity(rows, FRACTIONS)


def test_more_clips_of_a_person_follow_the_person() -> None:
    rows = [ClipRow(f"{i}.mp4", "real", "camera", "real", f"p{i}", f"{i:064x}") for i in range(50)]
    again = [dataclasses.replace(row, path=f"again/{row.path}", sha256=f"{i + 100:064x}") for i, row in enumerate(rows)]
    split = [row.split for row in split_by_identity(rows + again, FRACTIONS)]
    assert split[:50] == split[50:] == [row.split for row in split_by_identity(rows, FRACTIONS)]


def test_fractions_are_met_on_average_and_the_seed_matters() -> None:
    rows = [
        ClipRow(f"{i}.mp4", "real", "camera", "real", f"p{i}", f"{i:064x}", (f"tape{i}", f"tape{i}b"))
        for i in range(4000)
    ]
    split = [row.split for row in split_by_identity(rows, FRACTIONS)]
    for name, share in FRACTIONS.items():
        assert split.count(name) / len(rows) == pytest.approx(share, abs=0.03)
    assert split != [row.split for row in split_by_identity(rows, FRACTIONS, seed=1)]


def test_the_split_never_changes_between_versions() -> None:
    rows = [ClipRow(f"{i}.mp4", "real", "camera", "real", f"p{i}", f"{i:064x}") for i in range(8)]
    known = ["validation", "validation", "train", "calibration", "train", "train", "validation", "calibration"]
    assert [row.split for row in split_by_identity(rows, FRACTIONS)] == known


@given(clip_rows(), st.integers(0, 5))
def test_rows_with_a_split_keep_it_and_give_it_to_all_that_is_tied_to_them(rows: list[ClipRow], seed: int) -> None:
    whole = split_by_identity(rows, FRACTIONS, seed + 1)
    half = [row if i % 2 else dataclasses.replace(row, split=None) for i, row in enumerate(whole)]
    found = split_by_identity(half, FRACTIONS, seed)
    assert [row for row in found if row in whole[1::2]] == whole[1::2]
    check_disjoint(found)


def test_a_group_with_rows_of_two_splits_is_refused() -> None:
    other = dataclasses.replace(REAL, path="b.mp4", sha256="d" * 64, split="test")
    with pytest.raises(MediaError, match="tied"):
        split_by_identity([REAL, other], FRACTIONS)


def test_a_group_is_all_that_hangs_together() -> None:
    bridge = ClipRow("c.mp4", "fake", "swap", "blend", "eve", "e" * 64, ("tape-1", "tape-2"))
    far = ClipRow("d.mp4", "real", "camera", "real", "dan", "f" * 64, ("tape-2",))
    alone = ClipRow("e.mp4", "real", "camera", "real", "may", "0" * 64)
    first, *others = groups_of([REAL, FAKE, bridge, far, alone])
    assert [other == first for other in others] == [True, True, True, False]


@pytest.mark.parametrize(
    "fractions", [{}, {"train": 0.5}, {"train": 1.5, "test": -0.5}, {"dev": 1.0}, {"train": float("nan")}]
)
def test_fractions_must_make_sense(fractions: Any) -> None:
    with pytest.raises(UsageError):
        split_by_identity([REAL], fractions)


@pytest.mark.parametrize(
    ("changes", "leak"),
    [
        ({"identity": "ada"}, "ada"),
        ({"identity": "tape-1"}, "tape-1"),
        ({"source_ids": ("ada",)}, "ada"),
        ({"driver_id": "ada"}, "ada"),
        ({"pair_of": "real/a.mp4"}, "real/a.mp4"),
        ({"sha256": "a" * 64}, "a" * 64),
    ],
)
def test_every_kind_of_leak_is_named(changes: dict[str, Any], leak: str) -> None:
    other = ClipRow("fake/b.mp4", "fake", "m", "blend", "eve", "d" * 64, split="test")
    check_disjoint([REAL, other])
    with pytest.raises(MediaError, match=f"{leak} .test and train"):
        check_disjoint([REAL, dataclasses.replace(other, **changes)])


@pytest.mark.parametrize("key", ["dataset", "compression"])
def test_data_set_and_compression_are_names_or_absent(key: str) -> None:
    assert getattr(REAL, key) is None
    assert getattr(dataclasses.replace(REAL, **{key: "c23"}), key) == "c23"
    with pytest.raises(ValueError, match=key):
        dataclasses.replace(REAL, **{key: " "})
