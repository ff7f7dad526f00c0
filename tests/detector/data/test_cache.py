"""The crop cache: crops survive the disk, unusable clips are told and left out, a broken file is cut again."""

import pickle

import numpy as np

from detector.data.cache import CropCache, StoredCrop, _read
from detector.motion.features import FEATURES
from sfumato.app.animation.gallery import portrait_path
from sfumato.media.clips import ClipRow, file_digest
from sfumato.media.images import read_image, write_image
from tests.detector_fixtures import TINY, clip_row, face_picture, landmarks
from tests.media_fixtures import make_video
from tests.portrait_fixtures import portrait_picture


def test_crops_survive_the_disk(toy) -> None:
    rows, cache = toy
    crop = cache.crop(rows[0], 1)
    assert np.array_equal(crop.image, face_picture(1))
    assert np.allclose(crop.points, landmarks(96))
    assert cache.nearest(rows[0], 0.9).place == 1.0
    assert cache.side(rows[0]) == 96


def test_faceless_and_unreadable_clips_are_left_out_and_told(tmp_path) -> None:
    make_video(tmp_path / "bars.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    write_image(tmp_path / "grey.png", np.full((64, 64, 3), 128, np.uint8))
    rows = [
        ClipRow(
            path=name,
            label="real",
            method="camera",
            family="real",
            identity=name,
            sha256=file_digest(tmp_path / name),
            split="train",
        )
        for name in ("bars.mp4", "text.mp4", "grey.png")
    ]
    cache = CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)
    assert cache.prepare(rows) == []
    assert set(cache.refused) == {"bars.mp4", "text.mp4", "grey.png"}
    assert cache.refused["bars.mp4"] == "no face of usable size"


def test_a_file_put_right_is_cut_and_a_faceless_one_stays_told(tmp_path) -> None:
    rows = [clip_row("a.png"), clip_row("grey.png")]
    write_image(tmp_path / "grey.png", np.full((64, 64, 3), 128, np.uint8))
    first, second = (CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples) for _ in range(2))
    assert first.prepare(rows) == [] and set(first.refused) == {"a.png", "grey.png"}
    assert first.count(rows[0]) == 0
    write_image(tmp_path / "a.png", read_image(portrait_path("mona-lisa")))
    assert second.prepare(rows) == rows[:1]
    assert second.refused == {"grey.png": "no face of usable size"}


def test_several_processes_cut_the_same_crops(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("detector.data.cache._WORTH_A_WORKER", 1)
    painting = read_image(portrait_path("mona-lisa"))
    rows = []
    for i in range(4):
        name = f"{i}.png"
        write_image(tmp_path / name, painting if i else np.zeros((64, 64, 3), np.uint8))
        rows.append(clip_row(name))
    one, two = (CropCache(tmp_path / "clips.jsonl", tmp_path / name, TINY.samples) for name in ("one", "two"))
    ticks: list[float] = []
    assert one.prepare(rows) == two.prepare(rows, ticks.append, workers=2) == rows[1:]
    assert sum(ticks) == len(rows)
    assert set(one.refused) == set(two.refused) == {"0.png"}
    assert all(np.array_equal(one.crop(row, 0).image, two.crop(row, 0).image) for row in rows[1:])


def test_broken_file_is_cut_again(toy, monkeypatch) -> None:
    rows, cache = toy
    path = cache.folder / f"{cache._key(rows[0])}.npz"
    path.write_bytes(b"half a file")
    _read.cache_clear()
    monkeypatch.setattr(cache, "_cut", lambda row, watch: [StoredCrop(face_picture(7), landmarks(96), 0.0)])
    assert cache.count(rows[0]) == 1


def test_the_motion_of_a_video_survives_the_disk_and_a_picture_has_none(tmp_path) -> None:
    image = portrait_picture(200)[:198, :120]
    make_video(tmp_path / "a.mp4", frames=24, width=120, height=198, rate=25, images=[image] * 24)
    write_image(tmp_path / "b.png", image)
    cut, read = (CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples) for _ in range(2))
    rows = [clip_row("a.mp4"), clip_row("b.png")]
    assert cut.prepare(rows) == rows
    _read.cache_clear()
    assert read.motion(rows[0]).shape == (len(FEATURES),)
    assert np.array_equal(read.motion(rows[0]), cut.motion(rows[0]))
    assert read.motion(rows[1]) is None


def test_a_video_too_short_for_a_pace_and_one_without_a_face_have_no_motion(tmp_path) -> None:
    image = portrait_picture(200)[:198, :120]
    make_video(tmp_path / "a.mp4", frames=4, width=120, height=198, rate=25, images=[image] * 4)
    make_video(tmp_path / "bars.mp4")
    cache = CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)
    rows = [clip_row("a.mp4"), clip_row("bars.mp4"), clip_row("not there.mp4")]
    assert cache.prepare(rows) == rows[:1]
    assert [cache.motion(row) for row in rows] == [None, None, None]


def test_settings_are_part_of_the_name(toy, tmp_path) -> None:
    from detector.config import SampleConfig

    rows, cache = toy
    other = CropCache(cache.clips, tmp_path / "other", SampleConfig(frames_per_clip=3))
    assert other._key(rows[0]) != cache._key(rows[0])


def test_a_cache_that_has_cut_goes_to_another_process_without_its_nets(tmp_path) -> None:
    cache = CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)
    assert cache._detector is not None  # OpenCV's nets cannot be pickled
    found = pickle.loads(pickle.dumps(cache))
    assert found.folder == cache.folder and "_detector" not in vars(found)
