"""Whom a fake without a twin is held against, and pairs of strangers at one size and one sharpness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.data.cache import CropCache, StoredCrop
from detector.data.counterparts import FEWEST, Counterparts, equally_sharp, even
from detector.data.degradations import Pass
from detector.inference.quality_norm import sharpness
from sfumato.media.clips import ClipRow
from tests.detector_fixtures import TINY, checkered, clip_row, face_picture, landmarks

SIDES = (96, 144, 224, 288, 400, 512)


@pytest.fixture
def cache(tmp_path: Path) -> CropCache:
    return CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)


def row(cache: CropCache, name: str, side: int = 96, label: str = "real", dataset: str | None = "lab") -> ClipRow:
    """A clip with one crop of this side in the cache."""
    made = replace(clip_row(name, label), dataset=dataset)
    crop = StoredCrop(np.full((side, side, 3), 90, np.uint8), landmarks(side), 0.0)
    cache._write(cache.folder / f"{cache._key(made)}.npz", [crop])
    return made


def several(cache: CropCache, pattern: str, count: int = FEWEST, **keywords) -> list[ClipRow]:
    return [row(cache, pattern.format(i), **keywords) for i in range(count)]


@pytest.mark.parametrize(("fake", "kind"), [("f.png", ".png"), ("f.mp4", ".mp4")])
def test_a_still_is_held_against_stills_and_a_video_against_videos(cache, fake, kind) -> None:
    reals = [*several(cache, "{}.png"), *several(cache, "{}.mp4", 2)]
    found = Counterparts(reals, cache).of(row(cache, fake, label="fake"))
    assert sorted(found) == sorted(real.identity for real in reals if real.path.endswith(kind))


def test_without_any_of_its_kind_all_will_do(cache) -> None:
    found = Counterparts(several(cache, "{}.png", 2), cache).of(row(cache, "f.mp4", label="fake"))
    assert sorted(found) == ["0.png", "1.png"]


@pytest.mark.parametrize(("own", "expected"), [(FEWEST, FEWEST), (FEWEST - 1, 2 * FEWEST - 1)])
def test_those_of_its_collection_count_where_they_are_enough(cache, own, expected) -> None:
    reals = [*several(cache, "a{}.mp4", own), *several(cache, "b{}.mp4", dataset=None)]
    assert len(Counterparts(reals, cache).of(row(cache, "f.mp4", label="fake"))) == expected


def test_clips_of_one_person_are_not_many_people(cache) -> None:
    one = [replace(real, identity="ann") for real in several(cache, "a{}.mp4", 9)]
    found = Counterparts([*one, *several(cache, "b{}.mp4", dataset=None)], cache).of(row(cache, "f.mp4", label="fake"))
    assert len(found) == 1 + FEWEST


@pytest.mark.parametrize("side", SIDES)
def test_sizes_are_alike_or_as_near_as_there_are(cache, side) -> None:
    reals = [real for other in SIDES for real in several(cache, f"{other}-{{}}.mp4", 2, side=other)]
    found = Counterparts(reals, cache).of(row(cache, "f.mp4", side, "fake"))
    sides = [cache.side(clip) for clips in found.values() for clip in clips]
    near = [other for other in SIDES for _ in range(2) if side / 1.415 < other < side * 1.415]
    assert len(found) >= FEWEST and sorted(near) == sorted(s for s in sides if side / 1.415 < s < side * 1.415)
    worst = max(abs(np.log2(other / side)) for other in sides)
    assert len(sides) <= FEWEST or worst < 0.5  # nobody from afar once there are enough


def test_the_fakes_own_person_is_the_best_counterpart(cache) -> None:
    reals = several(cache, "{}.mp4")
    fake = replace(row(cache, "f.mp4", label="fake"), identity=reals[2].identity)
    assert Counterparts(reals, cache).of(fake) == {reals[2].identity: [reals[2]]}


@pytest.mark.parametrize(("sides", "expected"), [((200, 96), 96), ((96, 200), 96), ((100, 98), 98), ((96, 96), 96)])
def test_both_come_at_the_smaller_resolution(sides, expected) -> None:
    real, fake = even(face_picture(0, sides[0]), face_picture(0, sides[1]))
    assert real.shape == fake.shape == (expected, expected, 3)


def test_nearly_equal_sides_are_cut_and_not_resampled() -> None:
    image = face_picture(0, 100)
    assert np.array_equal(even(image, face_picture(1, 98))[0], image[1:99, 1:99])


@pytest.mark.parametrize("first", SIDES)
@pytest.mark.parametrize("second", SIDES)
def test_strangers_of_unequal_sides_are_both_resampled(first, second) -> None:
    images = face_picture(0, first), face_picture(1, second)
    found = even(*images, strangers=True)
    assert found[0].shape == found[1].shape
    untouched = [any(image.shape == given.shape for given in images) for image in found]
    assert untouched == [first == second] * 2


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("turned", [False, True])
def test_whichever_is_sharper_is_softened_to_the_other(side, turned) -> None:
    soft, sharp = np.asarray(Pass((("blur", (1.2,)),))(face_picture(0, side))), checkered(face_picture(1, side))
    real, fake = equally_sharp(*((sharp, soft) if turned else (soft, sharp)))
    assert sharpness(real) == pytest.approx(sharpness(fake), rel=0.1)
    assert np.array_equal(fake if turned else real, soft)


def test_the_background_of_strangers_does_not_count() -> None:
    plain, busy = face_picture(0, 160), face_picture(0, 160)
    busy[:16] = np.random.default_rng(0).integers(0, 256, busy[:16].shape, np.uint8)
    assert all(np.array_equal(a, b) for a, b in zip(equally_sharp(plain, busy, 0.8), (plain, busy), strict=True))
