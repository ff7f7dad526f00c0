"""Episodes: the target is never among the sources, people are never mixed, the mirror keeps the face's parts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from generator.data.dataset import Clip, PersonFootage
from generator.data.episodes import Augmentation, EpisodeSampler, collate
from generator.networks.episode import Episode, source_warps
from generator.networks.warp import sample
from sfumato.errors import UsageError
from tests.generator_fixtures import SIZE, clip_of, episode, people, train_config

PLAIN = Augmentation(False, 1.0, (0.0, 0.0), (1.0, 1.0, 1.0), 0.0)


@pytest.fixture
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switches augmentation off, so that frames can be told apart."""
    monkeypatch.setattr(Augmentation, "draw", classmethod(lambda cls, rng: PLAIN))


def marked(person: int, frames: int) -> Clip:
    """A clip whose frames are of one colour each: person in red, frame in green."""
    import cv2

    clip = clip_of(person, frames)
    colours = [
        np.full((SIZE, SIZE, 3), (0, 20 * i, 40 * person), np.uint8) for i in range(frames)
    ]  # BGR, as OpenCV stores
    jpegs = tuple(cv2.imencode(".png", c)[1].tobytes() for c in colours)
    return Clip(clip.name, clip.digest, clip.picture, SIZE, jpegs, clip.times, clip.landmarks, clip.identity, 1.0)


def marks(faces: torch.Tensor) -> list[tuple[int, int]]:
    """(person, frame) of each picture (N, 3, H, W)."""
    return [(round(float(f[0, 8, 8] + 1) * 127.5 / 40), round(float(f[1, 8, 8] + 1) * 127.5 / 20)) for f in faces]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("frames", [3, 4, 8, 12])
def test_the_target_is_never_among_the_sources(frames: int) -> None:
    clips = [marked(i, frames) for i in range(3)]
    sampler = EpisodeSampler(tuple(PersonFootage(c.digest, (c,)) for c in clips), train_config(frames=8))
    for drawn in itertools.islice(sampler, 20):
        for faces, target in zip(drawn.faces, drawn.target, strict=True):
            assert marks(target[None])[0] not in marks(faces)


@pytest.mark.usefixtures("unchanged")
def test_all_frames_of_a_row_show_one_person() -> None:
    clips = [marked(i, 6) for i in range(4)]
    sampler = EpisodeSampler(tuple(PersonFootage(c.digest, (c,)) for c in clips), train_config(batch=4))
    for drawn in itertools.islice(sampler, 10):
        for faces, target, video in zip(drawn.faces, drawn.target, drawn.videos, strict=True):
            shown = {person for person, _ in [*marks(faces), *marks(target[None])]}
            assert shown == {int(video)}


def test_the_same_seed_draws_the_same_batches() -> None:
    first, second = (EpisodeSampler(people(3, pictures=1), train_config(seed=5)) for _ in range(2))
    second.batch(3)  # what was drawn before does not matter
    a, b = first.batch(7), second.batch(7)
    assert all(torch.equal(getattr(a, name), getattr(b, name)) for name in vars(a))


@pytest.mark.parametrize("vary", [False, True])
def test_two_shares_of_a_batch_are_the_batch(vary: bool) -> None:
    sampler = EpisodeSampler(people(3, pictures=2), train_config(batch=4, pictures=0.5, vary_frames=vary))
    for step, update in ((0, 0), (5, 1)):
        whole = sampler.batch(step, update)
        halves = collate([sampler.batch(step, update, range(2)), sampler.batch(step, update, range(2, 4))])
        assert all(torch.equal(getattr(whole, name), getattr(halves, name)) for name in vars(whole))


def test_every_step_update_episode_and_seed_is_another() -> None:
    footage = people(3)
    one, two = (EpisodeSampler(footage, train_config(batch=2, seed=seed)) for seed in (0, 1))
    drawn = [one.batch(0), one.batch(0, 1), one.batch(1), two.batch(0)]
    targets = [target for e in drawn for target in e.target]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(targets, 2))


def test_a_batch_splits_into_parts_in_order() -> None:
    whole = episode(batch=4)
    parts = whole.split(2)
    assert [len(p.target) for p in parts] == [2, 2]
    assert torch.equal(collate(parts).faces, whole.faces)


def test_every_clip_and_picture_has_a_row_of_w() -> None:
    sampler = EpisodeSampler(people(3, pictures=2), train_config(pictures=0.5))
    assert sampler.videos == 5
    assert {int(v) for drawn in itertools.islice(sampler, 40) for v in drawn.videos} == set(range(5))


def test_vary_frames_draws_every_k_from_1_on() -> None:
    sampler = EpisodeSampler(people(2), train_config(frames=3, vary_frames=True))
    assert {drawn.faces.shape[1] for drawn in itertools.islice(sampler, 30)} == {1, 2, 3}


def test_pictures_alone_are_enough() -> None:
    drawn = EpisodeSampler(people(0, pictures=2), train_config()).batch(0)
    assert drawn.faces.shape == (2, 3, 3, SIZE, SIZE)
    assert drawn.faces.isfinite().all()


def test_a_pictures_sources_are_bent_and_its_target_is_not() -> None:
    sampler = EpisodeSampler(people(0, pictures=1), train_config(batch=1))
    drawn = sampler.batch(0)
    moved = (drawn.landmarks - drawn.target_landmarks[:, None]).norm(dim=-1).mean(dim=-1)
    assert (moved > 0.005).all()


def test_nobody_to_learn_from_is_refused() -> None:
    with pytest.raises(UsageError, match="nobody"):
        EpisodeSampler(people(2, frames=2), train_config())


def test_shapes_and_ranges() -> None:
    drawn = EpisodeSampler(people(3), train_config()).batch(0)
    assert drawn.faces.shape == drawn.sketches.shape == (2, 3, 3, SIZE, SIZE)
    assert drawn.landmarks.shape == (2, 3, 68, 2)
    assert drawn.faces.abs().max() <= 1 and drawn.sketches.min() == -1


@pytest.mark.parametrize("mirror", [True, False])
def test_augmentation_moves_points_with_the_picture(mirror: bool) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[19:22, 29:32] = 255
    points = np.tile(np.array([[30.0, 20.0]], np.float32), (68, 1))
    changed, moved = Augmentation(mirror, 1.1, (0.03, -0.02), (1.0, 1.0, 1.0), 0.0).apply(image, points)
    y, x = np.nonzero(changed[:, :, 0] > 60)
    weights = changed[y, x, 0].astype(float)
    assert np.allclose(moved[0], (np.average(x, weights=weights), np.average(y, weights=weights)), atol=0.3)


def test_source_warps_bring_the_nearest_sources() -> None:
    e = episode(count=4)
    chosen, grids = source_warps(e, 2)
    assert chosen.shape == (2, 2, 3, SIZE, SIZE) and grids.shape == (2, 2, SIZE, SIZE, 2)
    known = Episode(e.faces, e.sketches, e.landmarks, e.faces[:, 2], e.sketches[:, 2], e.landmarks[:, 2], e.videos)
    chosen, grids = source_warps(known, 1)
    assert torch.equal(chosen[:, 0], e.faces[:, 2])
    assert torch.allclose(sample(chosen[:, 0], grids[:, 0]), e.faces[:, 2], atol=1e-3)


def test_collate_keeps_the_order() -> None:
    one, two = episode(batch=1, seed=1), episode(batch=1, seed=2)
    assert torch.equal(collate([one, two]).target, torch.cat([one.target, two.target]))


@pytest.mark.usefixtures("unchanged")
def test_an_album_shows_one_person_in_other_photographs_than_the_target() -> None:
    albums = []
    for person in (1, 2):
        shots = [replace(marked(person, shot + 1), picture=True, digest=f"{person}{shot}") for shot in range(4)]
        last = [
            replace(clip, jpegs=clip.jpegs[-1:], landmarks=clip.landmarks[-1:]) for clip in shots
        ]  # frame `shot` alone
        albums.append(PersonFootage(str(person), tuple(last)))
    sampler = EpisodeSampler(tuple(albums), train_config(pictures=1.0, albums=1.0))
    seen = set()
    for drawn in itertools.islice(sampler, 30):
        for faces, target in zip(drawn.faces, drawn.target, strict=True):
            person, shot = marks(target[None])[0]
            assert {p for p, _ in marks(faces)} == {person}
            assert shot not in {s for _, s in marks(faces)}
            seen.add((person, shot))
    assert len(seen) == 8


@pytest.mark.usefixtures("unchanged")
def test_landmark_noise_moves_the_sources_and_leaves_the_target() -> None:
    clip = marked(1, 6)
    exact, noisy = (
        EpisodeSampler((PersonFootage(clip.digest, (clip,)),), train_config(batch=1, landmark_noise=noise)).batch(0)
        for noise in (0.0, 0.01)
    )
    torch.testing.assert_close(exact.target_landmarks, noisy.target_landmarks)
    difference = (exact.landmarks - noisy.landmarks).std()
    assert 0.01 < float(difference) < 0.03  # 0.01 of the width is 0.02 in [-1, 1]


@pytest.mark.usefixtures("unchanged")
def test_open_mouths_are_made_from_closed_ones() -> None:
    clip = marked(1, 8)
    landmarks = clip.landmarks.copy()
    landmarks[:, 66] = landmarks[:, 62] + np.array([0.0, 1.0]) * np.array([3, 0, 6, 1, 7, 2, 5, 4], np.float32)[:, None]
    clip = replace(clip, landmarks=landmarks)
    sampler = EpisodeSampler((PersonFootage(clip.digest, (clip,)),), train_config(open_mouths=1.0, batch=1, frames=2))
    for drawn in itertools.islice(sampler, 20):
        assert marks(drawn.target)[0][1] in {2, 4}  # the widest quarter
        assert {frame for _, frame in marks(drawn.faces[0])} <= {0, 1, 3, 5}  # the closed half
