"""Prepared footage: who is who, who is held out, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator.data.dataset import Dataset, as_people, open_dataset, pack_dataset, read_shard
from generator.data.shards import write_shard
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.faces import CROP_VERSION
from sfumato.training.pack import read_pack, write_pack
from tests.generator_fixtures import clip_of, dataset


def shard(path: Path, number: int = 0, frames: int = 3, **facts: object) -> Path:
    """Writes a shard of a drawn person as `prepare` does; `facts` beside the usual ones."""
    clip = clip_of(number, frames, size=64)
    rows = [
        {
            "index": i, "time": i / 25, "jpeg": clip.jpegs[i], "landmarks": clip.landmarks[i].reshape(-1).tolist(),
            "identity": clip.identity.tolist(), "sharpness": 10.0, "face_pixels": 60.0,
        }
        for i in range(frames)
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_shard(path, rows, {"source": clip.name, "sha256": clip.digest, "picture": clip.picture, **facts})
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
    assert tuple(read.jpegs) == tuple(made.jpegs)
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


def test_pictures_are_read_when_a_frame_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import generator.data.shards as module

    folder = prepared(tmp_path / "a", 3)
    looked: list[Path] = []
    read = module.read_crops
    monkeypatch.setattr(module, "read_crops", lambda path: looked.append(path) or read(path))  # type: ignore[func-returns-value]
    module._crops.cache_clear()
    people = open_dataset([folder]).people
    assert looked == []
    clip = people[0].clips[0]
    assert len(clip) == 3
    image, _ = clip.frame(1, 64)
    clip.frame(2, 64)
    assert len(looked) == 1  # one look serves the frames of an episode
    assert np.array_equal(image, read_shard(looked[0], 64).frame(1, 64)[0])


def test_a_clip_can_be_handed_to_another_process(tmp_path: Path) -> None:
    import pickle

    clip = open_dataset([prepared(tmp_path / "a", 1)]).people[0].clips[0]
    sent = pickle.dumps(clip)
    assert len(sent) < 20_000 and np.array_equal(pickle.loads(sent).frame(0, 64)[0], clip.frame(0, 64)[0])


def test_a_shard_that_is_gone_is_an_error_with_advice(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "a", 1)
    clip = open_dataset([folder]).people[0].clips[0]
    next((folder / "shards").iterdir()).unlink()
    with pytest.raises(UsageError, match="damaged or gone"):
        clip.frame(0, 64)


def test_a_half_written_shard_is_none(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "a", 2)
    (folder / "shards" / ".0-12ab.parquet").write_bytes(b"PAR1")
    assert len(open_dataset([folder]).people) == 2


def test_a_recording_in_two_folders_counts_once(tmp_path: Path) -> None:
    people = open_dataset([prepared(tmp_path / "a", 2), prepared(tmp_path / "b", 3)]).people
    assert [len(p.clips) for p in people] == [1, 1, 1]


def test_shots_of_one_file_are_clips_of_their_own(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "a", 1)
    shard(folder / "shards" / "0-1.parquet", 0, shot=1)
    (person,) = open_dataset([folder]).people
    assert len({clip.digest for clip in person.clips}) == 2


def test_labels_join_people_and_keep_them_for_testing(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "a", 0)
    for person, label, held_out in ((0, "x", False), (1, "x", True), (2, "y", False)):
        shard(folder / "shards" / f"{person}.parquet", person, person=label, held_out=held_out)
    people = open_dataset([folder]).people
    assert sorted((len(p.clips), p.held_out) for p in people) == [(1, False), (2, True)]


def kept_for_testing(count: int, total: int = 6) -> Dataset:
    """`total` people with clips, the first `count` of them kept for testing by the footage."""
    clips = [replace(clip_of(i, 24), held_out=i < count) for i in range(total)]
    return Dataset(as_people(clips), dataset(1).description)


def test_people_kept_for_testing_are_never_trained_on() -> None:
    training, held_out = kept_for_testing(3).split(2)
    assert len(training) == 3 and len(held_out) == 2
    assert not any(p.held_out for p in training) and all(p.held_out for p in held_out)


def test_others_are_held_out_when_too_few_are_kept_for_testing() -> None:
    training, held_out = kept_for_testing(1).split(3)
    assert len(training) == 3 and sum(p.held_out for p in held_out) == 1


def test_footage_that_is_all_for_testing_is_refused() -> None:
    with pytest.raises(UsageError, match="kept for testing"):
        kept_for_testing(6).split(2)


def test_a_pack_holds_the_same_people_in_fewer_and_smaller_pictures(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "set", 3)
    shard(folder / "shards" / "9.parquet", 9, frames=7, person="Ann", held_out=True)
    whole = open_dataset([folder])
    assert pack_dataset(whole, tmp_path / "a.pack", 32, 4, 90) == 3 * 3 + 4
    small = open_dataset([tmp_path / "a.pack"], "mesh")
    assert (small.description["size"], small.description["crop"]) == (32, CROP_VERSION)
    assert [p.key for p in small.people] == [p.key for p in whole.people]
    assert [p.key for p in small.split(1, 3)[1]] == [p.key for p in whole.split(1, 3)[1]]
    for one, other in zip(whole.people, small.people, strict=True):
        made, read = one.clips[0], other.clips[0]
        assert (read.name, read.person, read.held_out, read.picture) == (
            made.name, made.person, made.held_out, made.picture,
        )  # fmt: skip
        assert np.array_equal(read.identity, made.identity) and read.sharpness == made.sharpness
        image, points = made.frame(len(made) - 1, 32)
        packed, places = read.frame(len(read) - 1, 32)
        assert np.abs(packed.astype(int) - image).mean() < 6 and np.abs(places - points).max() <= 1 / 64
        assert read.times[-1] == pytest.approx(made.times[-1])


def test_a_pack_and_a_folder_may_be_joined(tmp_path: Path) -> None:
    pack_dataset(open_dataset([prepared(tmp_path / "one", 2)]), tmp_path / "a.pack", 64, 3, 90)
    assert len(open_dataset([tmp_path / "a.pack", prepared(tmp_path / "two", 3)]).people) == 3


@pytest.mark.parametrize("fault", ["size", "identity", "facts", "crop", "about"])
def test_a_pack_of_other_things_is_refused(fault: str, tmp_path: Path) -> None:
    pack_dataset(open_dataset([prepared(tmp_path / "set", 1)]), tmp_path / "a.pack", 64, 3, 90)
    pack = read_pack(tmp_path / "a.pack", "generator")
    about, (clip,) = dict(pack.about), pack.clips
    if fault == "size":
        about["size"] = 128
    elif fault == "identity":
        clip = replace(clip, features=np.zeros(3, np.float32))
    elif fault == "facts":
        clip = replace(clip, facts={})
    elif fault == "crop":
        about["crop"] = "another"
    else:
        del about["landmarks"]
    write_pack(tmp_path / "a.pack", "generator", about, [clip])
    with pytest.raises(UsageError):
        open_dataset([tmp_path / "a.pack"])
