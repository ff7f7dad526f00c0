"""All forms in one folder: what comes along, what is refused, what a second run does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sfumato.app.sets.layout import counts_of, read_set, set_digest, write_set
from sfumato.app.sets.write import write_forms
from sfumato.errors import MediaError, MissingFileError, OutputError, UsageError
from tests.set_forms_fixtures import make_set


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_set(tmp_path / "set")


def test_card_and_sums_come_along_and_forms_are_added(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_forms(source, out, ["card"])
    assert {file.name for file in out.iterdir()} == {"card.html", "pairs.png", "set.json", "rights.json", "SHA256SUMS"}
    write_forms(source, out, ["parquet", "huggingface"])
    sums = (out / "SHA256SUMS").read_text()
    listed = {line.split("  ", 1)[1] for line in sums.splitlines()}
    assert listed == {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()} - {"SHA256SUMS"}
    assert {"README.md", "data/train/metadata.jsonl", "parquet/test-00000-of-00001.parquet"} <= listed


def test_the_set_itself_is_left_alone(source: Path) -> None:
    before = sorted(source.rglob("*"))
    for out in (source, source / "out", source.parent):
        with pytest.raises(OutputError, match="lie in one another"):
            write_forms(source, out, ["card"])
    assert sorted(source.rglob("*")) == before


def test_a_folder_of_another_set_is_refused(source: Path, tmp_path: Path) -> None:
    other = make_set(tmp_path / "other", name="other")
    write_forms(other, tmp_path / "out", ["card"])
    with pytest.raises(OutputError, match="holds another set"):
        write_forms(source, tmp_path / "out", ["card"])


def test_rows_that_were_changed_by_hand_are_refused(source: Path, tmp_path: Path) -> None:
    clips = source / "clips.jsonl"
    clips.write_text(clips.read_text().replace('"swap-plain"', '"other"'))
    with pytest.raises(MediaError, match="not those of its digest"):
        write_forms(source, tmp_path / "out", ["card"])


def test_a_missing_video_makes_nothing_and_a_changed_one_leaves_no_sums(source: Path, tmp_path: Path) -> None:
    video = source / "videos/00000-fake.mp4"
    whole = video.read_bytes()
    video.unlink()
    with pytest.raises(MissingFileError, match=r"00000-fake\.mp4") as caught:
        write_forms(source, tmp_path / "out", ["huggingface"])
    assert "sfumato datasets check" in caught.value.advice
    assert not (tmp_path / "out").exists()
    video.write_bytes(whole + b"\0")
    with pytest.raises(MediaError, match=r"00000-fake\.mp4 is not the file that the set lists"):
        write_forms(source, tmp_path / "out", ["huggingface"])
    assert not (tmp_path / "out/SHA256SUMS").exists()


def test_no_set_and_no_form(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="form of a set"):
        write_forms(source, tmp_path / "out", ["croisant"])
    shutil.rmtree(source / "videos")
    (source / "set.json").unlink()
    with pytest.raises(MediaError, match=r"set\.json"):
        write_forms(source, tmp_path / "out", ["card"])
    assert not (tmp_path / "out").exists()


def test_what_a_kill_left_half_written_goes(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_forms(source, out, ["huggingface"])
    for name in (".00000-fake-0123456789ab.mp4", ".SHA256SUMS-0123456789ab", ".gitattributes"):
        (out / "data/train" / name).write_bytes(b"half")
    write_forms(source, out, ["huggingface"])
    assert [path.name for path in out.rglob(".*")] == [".gitattributes"]


def test_a_set_without_fakes_has_a_card_too(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set")
    media = read_set(folder)
    reals = [row for row in media.rows if row.clip.label == "real"]
    facts = replace(media.facts, counts=counts_of(reals), digest=set_digest(reals))
    write_set(folder, b"", facts, media.rights, reals)
    write_forms(folder, tmp_path / "out", ["huggingface", "deepfakebench", "croissant", "parquet"], frames=1)
    assert "0 fakes by 0 methods" in (tmp_path / "out/card.html").read_text()
