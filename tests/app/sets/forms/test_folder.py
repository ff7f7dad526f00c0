"""The folder form: sealed files as they were, a table that names them, and Hugging Face's own reader of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sfumato.app.sets.forms.folder import write_folder
from sfumato.app.sets.forms.job import Job
from sfumato.app.sets.layout import read_set
from sfumato.errors import MediaError
from sfumato.media.clips import file_digest
from tests.set_forms_fixtures import HOSTILE, make_set, with_clip


def test_every_split_has_its_videos_and_their_table(job: Job) -> None:
    write_folder(job)
    found = {}
    for table in sorted((job.out / "data").glob("*/metadata.jsonl")):
        for line in table.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert file_digest(table.parent / row["file_name"]) == row["sha256"]
            found[row["path"]] = (table.parent.name, row["label"], row["identity"])
    assert found == {row.clip.path: (row.clip.split, row.clip.label, row.clip.identity) for row in job.media.rows}
    assert HOSTILE in {identity for _, _, identity in found.values()}


def test_what_is_whole_is_kept(job: Job) -> None:
    write_folder(job)
    before = {file: file.stat().st_mtime_ns for file in job.out.rglob("*.mp4")}
    broken = sorted(before)[0]
    broken.write_bytes(b"half")
    write_folder(job)
    after = {file: file.stat().st_mtime_ns for file in job.out.rglob("*.mp4")}
    assert {file for file in before if after[file] != before[file]} == {broken}


def test_texts_like_dates_stay_texts(tmp_path: Path) -> None:
    def dated(row):
        return with_clip(row, identity="2024-01-01") if row.clip.split == "train" else row

    (tmp_path / "out").mkdir()
    job = Job(read_set(make_set(tmp_path / "set", dated)), tmp_path / "out")
    write_folder(job)
    tables = sorted(file.name for file in job.out.rglob("metadata.*"))
    assert tables == ["metadata.parquet", "metadata.parquet"]
    train = pq.read_table(job.out / "data/train/metadata.parquet").to_pylist()
    assert {row["identity"] for row in train} == {"2024-01-01"}
    loaded = load(job.out / "data", tmp_path)
    assert set(loaded["train"]["identity"]) == {"2024-01-01"}


def test_a_file_that_is_gone_is_named(job: Job, tmp_path: Path) -> None:
    gone = replace(job.media, folder=tmp_path / "elsewhere")
    with pytest.raises(MediaError, match=r"00000-twin\.mp4"):
        write_folder(replace(job, media=gone))


def test_hugging_face_reads_it(job: Job, tmp_path: Path) -> None:
    write_folder(job)
    loaded = load(job.out / "data", tmp_path)
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 4, "test": 2}
    by_path = {row["path"]: row for rows in loaded.values() for row in rows}
    for row in job.media.rows:
        read = by_path[row.clip.path]
        assert (read["label"], read["method"], read["pair"], read["width"]) == (
            row.clip.label, row.clip.method, row.details.pair, 64,
        )  # fmt: skip
        assert file_digest(Path(read["video"]["path"])) == row.clip.sha256


def load(folder: Path, tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset("videofolder", data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
    return loaded.cast_column("video", datasets.Video(decode=False))
