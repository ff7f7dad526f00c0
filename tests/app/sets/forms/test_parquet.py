"""Parquet: the videos are in it byte for byte, types hold, and Hugging Face's reader finds videos in it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sfumato.app.sets.forms import parquet
from sfumato.app.sets.forms.columns import record
from sfumato.app.sets.forms.job import Job
from sfumato.app.sets.forms.parquet import write_parquet
from sfumato.errors import MediaError


def rows_of(folder: Path) -> list[dict]:
    return [row for file in sorted(folder.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def test_every_row_with_its_video(job: Job) -> None:
    write_parquet(job)
    files = sorted(file.name for file in (job.out / "parquet").iterdir())
    assert files == ["test-00000-of-00001.parquet", "train-00000-of-00001.parquet"]
    found = {row["path"]: row for row in rows_of(job.out / "parquet")}
    for row in job.media.rows:
        read = found[row.clip.path]
        video = read.pop("video")
        assert hashlib.sha256(video["bytes"]).hexdigest() == row.clip.sha256
        assert read == record(job, row)


def test_large_sets_are_divided_and_former_divisions_go(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(job)
    monkeypatch.setattr(parquet, "_SHARD", 1)
    monkeypatch.setattr(parquet, "_GROUP", 1)
    write_parquet(job)
    assert len(list((job.out / "parquet").glob("train-*-of-00004.parquet"))) == 4
    assert len(list((job.out / "parquet").iterdir())) == 6
    assert len(rows_of(job.out / "parquet")) == 6


def test_a_group_holds_few_videos(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 1)
    write_parquet(job)
    assert pq.read_metadata(job.out / "parquet/train-00000-of-00001.parquet").num_row_groups == 4


def test_what_is_too_large_or_changed_is_refused(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = job.media.rows
    changed = replace(first, clip=replace(first.clip, sha256="0" * 64))
    with pytest.raises(MediaError, match="not the file that the set lists"):
        write_parquet(replace(job, media=replace(job.media, rows=[changed, *others])))
    monkeypatch.setattr(parquet, "_LARGEST", 10)
    with pytest.raises(MediaError, match="too large for Parquet"):
        write_parquet(job)
    assert not list((job.out / "parquet").glob("train*"))


def test_hugging_face_reads_it(job: Job, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    write_parquet(job)
    loaded = datasets.load_dataset(
        "parquet", data_files={"train": str(job.out / "parquet/train-*")}, cache_dir=str(tmp_path / "cache")
    )["train"]
    assert loaded.features["video"] == datasets.Video()
    rows = list(loaded.cast_column("video", datasets.Video(decode=False)))
    assert [hashlib.sha256(row["video"]["bytes"]).hexdigest() for row in rows] == [row["sha256"] for row in rows]
    assert rows[1]["source_ids"] == ["source, of ada"] and rows[0]["pair_of"] is None
