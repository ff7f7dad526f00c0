"""Makers of pairs: each changes what it should and nothing else; twins; who is drawn; evenness of a pair."""

import dataclasses

import numpy as np
import pytest
import torch

from detector.data.cache import StoredCrop
from detector.data.degradations import Pass
from detector.data.fakes.autoencoder import Autoencoder, build, draw_config, save_autoencoder
from detector.data.fakes.lip_sync import mouth_opening, opened
from detector.data.pair_makers import Generated, Material, difference, makers, pose
from detector.data.pairs import PairSource
from detector.inference.crops import TIGHTEN
from detector.inference.quality_norm import sharpness
from sfumato.media.clips import TWIN, ClipRow
from tests.detector_fixtures import TINY, checkered, clip_row, face_picture, landmarks


def material(toy, **changes) -> Material:
    rows, cache = toy
    return Material([row for row in rows if row.split == "train"], cache, dataclasses.replace(TINY.samples, **changes))


def with_twins(toy):
    """A fake of the first person whose pair_of names a twin, and the twin; both in the cache."""
    rows, cache = toy
    twin = dataclasses.replace(clip_row("twin.mp4", identity=rows[0].identity), method=TWIN)
    fake = clip_row("of-twin.mp4", "fake", pair_of=twin.path, identity=rows[0].identity)
    for row, image in ((twin, face_picture(7)), (fake, checkered(face_picture(7)))):
        cache._write(cache.folder / f"{cache._key(row)}.npz", [StoredCrop(image, np.zeros((68, 2), np.float32), 0.0)])
    return Material([*(row for row in rows if row.split == "train"), twin, fake], cache, TINY.samples), twin, fake


def test_every_maker_gives_pairs_of_one_size_that_differ(toy) -> None:
    found = makers(material(toy))
    assert [maker.method for maker in found] == ["self-blend", "swap-alpha", "swap-poisson", "lip-sync", "toy"]
    for maker in found:
        pairs = [maker.draw(np.random.default_rng(seed)) for seed in range(4)]
        assert all(pair.real.shape == pair.fake.shape == (96, 96, 3) for pair in pairs)
        assert any((pair.real != pair.fake).any() for pair in pairs)
        assert {(pair.method, pair.family) for pair in pairs} == {(maker.method, maker.family)}


def test_the_same_draw_gives_the_same_pair(toy) -> None:
    for maker in makers(material(toy)):
        first, second = (maker.draw(np.random.default_rng(3)) for _ in range(2))
        assert np.array_equal(first.fake, second.fake) and np.array_equal(first.real, second.real)


def test_a_swap_shows_somebody_else(toy, monkeypatch) -> None:
    stuff = material(toy)
    swaps = next(maker for maker in makers(stuff) if maker.method == "swap-alpha")
    asked = []
    crop = stuff.cache.crop
    monkeypatch.setattr(stuff.cache, "crop", lambda row, index: asked.append(row.identity) or crop(row, index))
    for seed in range(10):
        asked.clear()
        swaps.draw(np.random.default_rng(seed))
        assert len(set(asked)) == 2


def test_one_person_alone_cannot_be_swapped(toy) -> None:
    rows, cache = toy
    alone = Material([row for row in rows if row.identity == rows[0].identity], cache, TINY.samples)
    assert [maker.method for maker in makers(alone)] == ["self-blend", "lip-sync", "toy"]


def of_one_clip(toy, openings) -> tuple[Material, ClipRow]:
    """A real clip whose moments open the mouth so far, and the material with it."""
    rows, cache = toy
    row = clip_row("talks.mp4", identity="talks")
    crops = [StoredCrop(face_picture(40 + i), opened(landmarks(96), by, 0.0), i / 9) for i, by in enumerate(openings)]
    cache._write(cache.folder / f"{cache._key(row)}.npz", crops)
    return Material([*(row for row in rows if row.split == "train"), row], cache, TINY.samples), row


def test_another_moment_is_of_the_same_clip_and_either_mouth_comes_first_as_often(toy) -> None:
    stuff, row = of_one_clip(toy, (0.1, 0.4, 0.1, 0.4, 0.1))
    pictures = [stuff.cache.crop(row, index).image for index in range(5)]
    first_is_open = []
    for seed in range(200):
        face, other = stuff.moments(row, np.random.default_rng(seed))
        assert other is not None
        straight = [any(np.array_equal(crop.image, picture) for picture in pictures) for crop in (face, other)]
        assert straight[0] == straight[1]  # both mirrored, or neither
        assert not np.array_equal(face.image, other.image)
        if abs(mouth_opening(face.points) - mouth_opening(other.points)) > 0.1:
            first_is_open.append(mouth_opening(face.points) > mouth_opening(other.points))
    assert len(first_is_open) > 150
    assert np.mean(first_is_open) == pytest.approx(0.5, abs=0.12)


def test_a_still_has_no_other_moment_and_its_mouth_opens_as_somebody_elses(toy) -> None:
    stuff, row = of_one_clip(toy, (0.0,))
    assert stuff.moments(row, np.random.default_rng(0))[1] is None
    lip_syncs = next(maker for maker in makers(stuff) if maker.method == "lip-sync")
    pairs = [lip_syncs.of(row, np.random.default_rng(seed)) for seed in range(8)]
    assert all(pair.real.shape == pair.fake.shape and (pair.real != pair.fake).any() for pair in pairs)


def test_a_lip_sync_shows_nobody_else(toy, monkeypatch) -> None:
    stuff = material(toy)
    lip_syncs = next(maker for maker in makers(stuff) if maker.method == "lip-sync")
    asked = []
    crop = stuff.cache.crop
    monkeypatch.setattr(stuff.cache, "crop", lambda row, index: asked.append((row.path, index)) or crop(row, index))
    for seed in range(10):
        asked.clear()
        lip_syncs.draw(np.random.default_rng(seed))
        assert len(set(asked)) == 2 and len({path for path, _ in asked}) == 1


def test_an_autoencoders_texture_comes_into_lip_syncs(toy, tmp_path) -> None:
    torch.manual_seed(0)
    config = draw_config(0)
    save_autoencoder(tmp_path / "ae.safetensors", Autoencoder(config, build(config)))
    without, with_it = (
        next(maker for maker in makers(material(toy, autoencoder=path)) if maker.method == "lip-sync")
        for path in (None, tmp_path / "ae.safetensors")
    )
    far = [
        difference(*(maker.draw(np.random.default_rng(seed)).fake for maker in (without, with_it)))
        for seed in range(20)
    ]
    assert max(far) > 1


def test_an_autoencoder_file_adds_reconstructions(toy, tmp_path) -> None:
    torch.manual_seed(0)
    config = draw_config(0)
    save_autoencoder(tmp_path / "ae.safetensors", Autoencoder(config, build(config)))
    found = [
        maker
        for maker in makers(material(toy, autoencoder=tmp_path / "ae.safetensors"))
        if maker.method == "autoencoder"
    ]
    pair = found[0].draw(np.random.default_rng(0))
    assert (pair.family, pair.fake.shape) == ("synthesis", pair.real.shape)


def test_twin_is_the_clip_that_pair_of_names(toy) -> None:
    maker = next(maker for maker in makers(material(toy)) if isinstance(maker, Generated))
    for fake in maker.rows:
        twin = maker.twin(fake)
        assert twin is not None and (twin.path, twin.identity) == (fake.pair_of, fake.identity)
    assert maker.twin(clip_row("orphan.mp4", "fake")) is None


def test_a_true_twin_gets_no_second_codec_pass(toy) -> None:
    stuff, twin, fake = with_twins(toy)
    stuff.config = dataclasses.replace(stuff.config, match_sharpness_share=0.0, twin_codec_share=1.0)
    maker = next(maker for maker in makers(stuff) if isinstance(maker, Generated))
    seen = [maker.of(fake, np.random.default_rng(seed)).real for seed in range(6)]
    original = stuff.cache.crop(twin, 0).image
    assert any(np.array_equal(real, original) for real in seen)


@pytest.mark.parametrize(
    ("real", "fake", "coded"), [("r.png", "f.mp4", "real"), ("r.mp4", "f.png", "fake"), ("r.mp4", "f.mp4", None)]
)
def test_of_a_still_and_a_video_the_still_gets_a_codec(toy, monkeypatch, real, fake, coded) -> None:
    """A lip-sync of real footage, say, has as many codecs behind it as the footage."""
    rows, cache = toy
    row = clip_row(real, identity=rows[0].identity)
    forged = clip_row(fake, "fake", pair_of=row.path, identity=rows[0].identity)
    pictures = {"real": np.full((96, 96, 3), 50, np.uint8), "fake": np.full((96, 96, 3), 200, np.uint8)}
    for clip, image in ((row, pictures["real"]), (forged, pictures["fake"])):
        cache._write(cache.folder / f"{cache._key(clip)}.npz", [StoredCrop(image, landmarks(96), 0.0)])
    encoded = []
    monkeypatch.setattr("detector.data.pair_makers.h264", lambda images, crf: encoded.extend(images) or images)
    stuff = Material([row, forged], cache, dataclasses.replace(TINY.samples, twin_codec_share=1.0))
    maker = next(maker for maker in makers(stuff) if isinstance(maker, Generated))
    maker.of(forged, np.random.default_rng(0))
    assert [int(image.mean()) for image in encoded] == ([] if coded is None else [int(pictures[coded].mean())])


def test_nothing_but_the_forgery_tells_a_fake_without_a_twin(toy) -> None:
    """Fakes that are larger and sharper than every real: their pairs are of one size and one sharpness."""
    _, cache = toy
    rows = []
    for i in range(6):
        real, fake = clip_row(f"r{i}.mp4"), clip_row(f"f{i}.mp4", "fake")
        soft = np.asarray(Pass((("blur", (1.0,)),))(face_picture(i, 128)))
        for row, image in ((real, soft), (fake, checkered(face_picture(50 + i, 220)))):
            cache._write(cache.folder / f"{cache._key(row)}.npz", [StoredCrop(image, landmarks(len(image)), 0.0)])
        rows += [real, fake]
    maker = next(m for m in makers(Material(rows, cache, TINY.samples)) if isinstance(m, Generated))
    pairs = [maker.draw(np.random.default_rng(seed)) for seed in range(24)]
    assert all(pair.real.shape == pair.fake.shape for pair in pairs)
    sharp = [[sharpness(tight(image)) for image in (pair.real, pair.fake)] for pair in pairs]
    assert all(real == pytest.approx(fake, rel=0.15) for real, fake in sharp)
    assert len({pair.real.tobytes() for pair in pairs}) > 6  # not one stranger for each


def tight(image: np.ndarray) -> np.ndarray:
    """What the net sees of a crop."""
    border = round(len(image) * (1 - TIGHTEN) / 2)
    return image[border : len(image) - border, border : len(image) - border]


def test_of_several_looks_the_one_that_differs_most_is_learnt_from(toy) -> None:
    """A fake whose first frame is its twin's, and whose second is not: with two looks only the second is drawn."""
    rows, cache = toy
    twin = dataclasses.replace(clip_row("still.mp4", identity=rows[0].identity), method=TWIN)
    fake = clip_row("moves.mp4", "fake", pair_of=twin.path, identity=rows[0].identity)
    same, points = face_picture(7), np.zeros((68, 2), np.float32)
    for row, images in ((twin, (same, same)), (fake, (same, checkered(face_picture(8))))):
        crops = [StoredCrop(image, points, float(place)) for place, image in enumerate(images)]
        cache._write(cache.folder / f"{cache._key(row)}.npz", crops)
    for looks, expected in ((1, {True, False}), (2, {True})):
        settings = dataclasses.replace(TINY.samples, match_sharpness_share=0.0, looks=looks)
        stuff = Material([*(row for row in rows if row.split == "train"), twin, fake], cache, settings)
        maker = next(maker for maker in makers(stuff) if isinstance(maker, Generated))
        pairs = [maker.of(fake, np.random.default_rng(seed)) for seed in range(8)]
        assert {difference(pair.real, pair.fake) > 1 for pair in pairs} == expected


def test_twins_are_nobodys_extra_footage(toy) -> None:
    stuff, twin, _ = with_twins(toy)
    assert twin not in stuff.reals
    assert all(twin not in clips for clips in stuff.people.values())
    assert all(twin not in maker.rows for maker in makers(stuff))
    assert all(row is not twin for row, _ in stuff.poses[1])


def test_a_split_of_twins_alone_has_no_reals(toy) -> None:
    from sfumato.errors import UsageError

    _, twin, fake = with_twins(toy)
    with pytest.raises(UsageError, match="real"):
        PairSource([twin, fake], toy[1], TINY)


def test_a_pose_forgets_place_and_scale_but_not_roll() -> None:
    points = landmarks(96)
    assert np.allclose(pose(points), pose(points * 2 + 5), atol=1e-5)
    turn = np.array([[0.9, -0.436], [0.436, 0.9]], np.float32)
    assert np.abs(pose(points) - pose(points @ turn)).max() > 0.1


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1 / 7), (0.5, 4 / 7), (1.0, 1.0)])
def test_people_with_a_video_are_drawn_as_often_as_asked(toy, share: float, expected: float) -> None:
    """Of seven people one is filmed; drawn evenly, and beside that by their share."""
    rows, cache = toy
    people = [row for row in rows if row.split == "train" and row.label == "real"][:7]
    stills = [dataclasses.replace(row, path=row.path.replace("mp4", "png")) for row in people[1:]]
    stuff = Material([people[0], *stills], cache, dataclasses.replace(TINY.samples, filmed_share=share))
    blends = next(maker for maker in makers(stuff) if maker.method == "self-blend")
    drawn: list[str] = []
    blends.of = lambda row, rng: drawn.append(row.path)  # type: ignore[assignment, method-assign]
    for seed in range(400):
        blends.draw(np.random.default_rng(seed))
    assert np.mean([path == people[0].path for path in drawn]) == pytest.approx(expected, abs=0.08)
