"""Packed crops: a training reads from them what it reads from a cache, at the size that was asked for."""

import dataclasses
import pickle

import numpy as np
import pytest

from detector.data.cache import StoredCrop
from detector.data.pack import PackedCrops, pack_crops
from detector.data.pairs import PairedBatches, PairSource
from sfumato.errors import MediaError, UsageError
from sfumato.training.pack import PackedClip, read_pack, write_pack
from tests.detector_fixtures import TINY, landmarks


@pytest.fixture(scope="module")
def pack(shared_toy, tmp_path_factory):
    """(rows, cache, crops of a pack of them at 48 px)."""
    rows, cache = shared_toy
    path = tmp_path_factory.mktemp("pack") / "crops.pack"
    ticks: list[float] = []
    assert pack_crops(rows, cache, path, 48, 2, 90, ticks.append) == 2 * 48
    assert sum(ticks) == len(rows)
    return rows, cache, PackedCrops(path, TINY.samples)


def test_it_holds_the_splits_that_teach(pack) -> None:
    rows, _, crops = pack
    assert crops.rows == [row for row in rows if row.split in ("train", "validation")]
    assert crops.prepare(rows) == crops.rows


def test_a_crop_is_the_cached_one_made_smaller(pack) -> None:
    _, cache, crops = pack
    row = crops.rows[0]
    large, small = cache.crop(row, 1), crops.crop(row, 1)
    assert small.image.shape == (48, 48, 3) and crops.side(row) == 48
    halved = large.image.reshape(48, 2, 48, 2, 3).mean((1, 3))
    assert np.abs(small.image - halved).mean() < 6  # WebP halves the colour's resolution
    assert np.abs((small.points + 0.5) * 2 - 0.5 - landmarks(96)).max() < 1 / 16  # centre to centre
    assert (crops.count(row), small.place, crops.still(row), crops.motion(row)) == (2, 1.0, False, None)


def test_frames_are_spread_and_larger_pictures_alone_are_resized(shared_toy, tmp_path, monkeypatch) -> None:
    rows, cache = shared_toy
    monkeypatch.setattr(type(cache), "count", lambda self, row: 9)
    blank = np.zeros((64, 64, 3), np.uint8)
    none = np.zeros((68, 2), np.float32)
    monkeypatch.setattr(type(cache), "crop", lambda self, row, index: StoredCrop(blank, none, index / 8))
    monkeypatch.setattr(type(cache), "still", lambda self, row: True)
    pack_crops(rows[:1], cache, tmp_path / "a.pack", 96, 3, 80)
    pack_crops(rows[:1], cache, tmp_path / "b.pack", 32, 3, 80)
    monkeypatch.undo()
    as_it_is, smaller = (PackedCrops(tmp_path / name, TINY.samples) for name in ("a.pack", "b.pack"))
    assert [as_it_is.crop(rows[0], i).place for i in range(3)] == [0, 0.5, 1]
    assert (as_it_is.side(rows[0]), smaller.side(rows[0]), smaller.still(rows[0])) == (64, 32, True)
    assert not smaller.points(rows[0]).any()  # none stay none


def test_batches_are_drawn_from_a_pack_as_from_a_cache_of_its_pictures(pack, tmp_path) -> None:
    """The same pairs and degradations; pixel by pixel, but where landmarks are a 64th of a pixel apart."""
    from detector.data.cache import CropCache

    _, _, crops = pack
    cache = CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)
    for row in crops.rows:
        stored = [crops.crop(row, index) for index in range(crops.count(row))]
        cache._write(cache._path(row), stored)
    rows = [row for row in crops.rows if row.split == "train"]
    config = dataclasses.replace(TINY, degrade=dataclasses.replace(TINY.degrade, jpeg=0.5))
    for step in range(3):
        one, other = (PairedBatches(PairSource(rows, place, config), 3)[step] for place in (crops, cache))
        assert np.array_equal(one.target, other.target)
        assert np.abs(one.images.numpy() - other.images.numpy()).max() < 0.05


def test_it_goes_to_another_process(pack) -> None:
    crops = pickle.loads(pickle.dumps(pack[2]))
    assert np.array_equal(crops.crop(crops.rows[0], 0).image, pack[2].crop(crops.rows[0], 0).image)


def test_nothing_to_pack_is_said(shared_toy, tmp_path) -> None:
    rows, cache = shared_toy
    with pytest.raises(UsageError, match="No clip to pack"):
        pack_crops([row for row in rows if row.split == "test"], cache, tmp_path / "a.pack", 48, 2, 80)


@pytest.mark.parametrize("fault", ["crop", "twice", "row", "features"])
def test_a_pack_of_other_things_is_refused(fault, pack, tmp_path) -> None:
    found = read_pack(pack[2].clips, "detector")
    about, clips = dict(found.about), list(found.clips[:2])
    if fault == "crop":
        about["crop"] = "another"
    elif fault == "twice":
        clips[1] = clips[0]
    elif fault == "row":
        clips[0] = dataclasses.replace(clips[0], facts=clips[0].facts | {"path": "../out.mp4"})
    else:
        clips = [dataclasses.replace(clip, features=np.zeros(2, np.float32)) for clip in clips]
    assert isinstance(clips[0], PackedClip)
    write_pack(tmp_path / "a.pack", "detector", about, clips)
    with pytest.raises((MediaError, UsageError), match="pack"):
        PackedCrops(tmp_path / "a.pack", TINY.samples)
