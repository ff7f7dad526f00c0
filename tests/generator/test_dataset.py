"""Prepared footage: who is who, who is held out, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator.dataset import as_people, open_dataset, read_shard
from generator.prepare import write_shard
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.faces import CROP_VERSION
from tests.generator_fixtures import clip_of, dataset


def shard(path: Path, person: int = 0, frames: int = 3) -> Path:
    """Writes a shard as `prepare` does."""
    clip = clip_of(person, frames, size=64)
    rows = [
        {
            "index": i, "time": i / 25, "jpeg": clip.jpegs[i], "landmarks": clip.landmarks[i].reshape(-1).tolist(),
            "identity": clip.identity.tolist(), "sharpness": 10.0, "face_pixels": 60.0,
        }
        for i in range(frames)
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_shard(path, rows, {"source": clip.name, "sha256": clip.digest, "picture": clip.picture})
    return path


def prepared(folder: Path, count: int = 2, **changes: object) -> Path:
    """A folder as `prepare` leaves it."""
    for person in range(count):
        shard(folder / "shards" / f"{person}.parquet", person)
    folder.mkdir(parents=True, exist_ok=True)
    description = {"schema": 1, "crop": CROP_VERSION, "landmarks": "mesh", "size": 64, "frames": 3, **changes}
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


def test_a_shard_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made, read = clip_of(0, 3, size=64), read_shard(shard(tmp_path / "a.parquet"), 64)
    assert (read.name, read.digest, read.picture, len(read)) == (made.name, made.digest, False, 3)
    assert np.allclose(read.landmarks, made.landmarks, atol=1e-4)
    assert read.jpegs == made.jpegs
    assert np.linalg.norm(read.identity) == pytest.approx(1)


def test_a_frame_at_another_size_keeps_points_on_the_picture(tmp_path: Path) -> None:
    clip = read_shard(shard(tmp_path / "a.parquet"), 64)
    image, points = clip.frame(0, 32)
    assert image.shape == (32, 32, 3)
    assert np.allclose((points + 0.5) * 2 - 0.5, clip.landmarks[0], atol=1e-3)  # centre to centre


def test_a_damaged_crop_is_refused(tmp_path: Path) -> None:
    clip = replace(read_shard(shard(tmp_path / "a.parquet"), 64), jpegs=(b"no jpeg",) * 3)
    with pytest.raises(CheckpointError, match="damaged"):
        clip.frame(0, 64)


def test_people_are_found_by_likeness_not_by_name() -> None:
    people = as_people([clip_of(0), clip_of(1), clip_of(0, take=1), clip_of(2)])
    assert sorted(len(p.clips) for p in people) == [1, 1, 2]
    assert next({c.name for c in p.clips} for p in people if len(p.clips) == 2) == {"person0-0.mp4", "person0-1.mp4"}


def test_likeness_is_passed_on() -> None:
    a, b = clip_of(0), clip_of(1)
    middle = a.identity + b.identity
    between = replace(clip_of(2), identity=middle / np.linalg.norm(middle))
    assert len(as_people([a, b])) == 2
    assert len(as_people([a, b, between])) == 1


def test_the_split_keeps_people_apart_and_is_stable() -> None:
    footage = dataset(6)
    training, held_out = footage.split(2)
    assert len(held_out) == 2
    assert not {p.key for p in training} & {p.key for p in held_out}
    assert footage.split(2) == (training, held_out)


def test_only_people_with_a_long_clip_are_held_out() -> None:
    _, held_out = dataset(4, frames=24, pictures=3).split(3)
    assert all(max(len(c) for c in p.clips) >= 24 for p in held_out)


def test_holding_out_everybody_is_refused() -> None:
    with pytest.raises(UsageError, match="hold out"):
        dataset(3).split(3)


def test_open_dataset_joins_folders(tmp_path: Path) -> None:
    first, second = prepared(tmp_path / "a", 2), prepared(tmp_path / "b", 2)
    shard(second / "shards" / "9.parquet", 9)
    assert len(open_dataset([first, second]).people) == 3


def test_a_folder_that_was_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sfumato prepare"):
        open_dataset([tmp_path])


@pytest.mark.parametrize("text", ["{", "[]", "{}", "null", '{"size": "large", "crop": "c", "landmarks": "mesh"}'])
def test_a_damaged_description_is_refused(tmp_path: Path, text: str) -> None:
    folder = prepared(tmp_path / "a")
    (folder / "dataset.json").write_text(text)
    with pytest.raises(UsageError, match="not prepared footage"):
        open_dataset([folder])


def test_a_damaged_shard_is_refused(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "a")
    (folder / "shards" / "bad.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(UsageError, match=r"bad\.parquet"):
        open_dataset([folder])


def test_another_crop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="crop square-old"):
        open_dataset([prepared(tmp_path / "a", crop="square-old")])


def test_other_landmarks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="face-alignment"):
        open_dataset([prepared(tmp_path / "a")], landmarks="face-alignment")


def test_folders_prepared_differently_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="different crops or landmarks"):
        open_dataset([prepared(tmp_path / "a"), prepared(tmp_path / "b", landmarks="face-alignment")])


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No usable clips"):
        open_dataset([prepared(tmp_path / "a", 0)])
