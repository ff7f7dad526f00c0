"""Of several pictures the mouth is made of those that show it: which they are, how they change over, and what is laid
over the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator.motion.retarget import canonical_face
from generator.networks.warp import nearest
from generator.person.portrait import Portrait, read_portrait
from generator.rendering.animator import Animator
from generator.rendering.regions import MOST, Box, Regions
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import WARP, checkpoint, portrait, talking

FACE = canonical_face()
OPENED = [talking(FACE, by) for by in np.linspace(0, 0.35, 8)]


def shares(regions: Regions, points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """(count,): the weight of each picture."""
    chosen = regions.choose(points, 64)
    assert chosen is not None
    weights = np.zeros(count, np.float32)
    weights[list(chosen.sources)] = chosen.weights
    return weights


@pytest.mark.parametrize("wanted", range(8))
def test_a_mouth_that_a_picture_shows_is_that_picture_s(wanted: int) -> None:
    weights = shares(Regions(np.stack(OPENED)), OPENED[wanted], 8)
    assert weights[wanted] > 0.95


def test_a_mouth_between_pictures_is_made_of_the_nearest_few() -> None:
    weights = shares(Regions(np.stack(OPENED)), (OPENED[3] + OPENED[4]) / 2, 8)
    assert np.isclose(weights.sum(), 1) and 2 <= (weights > 0).sum() <= MOST
    assert np.isclose(weights[3], weights[4], atol=0.05) and weights[3] > 0.3


def test_the_mouth_may_be_another_picture_s_than_the_face() -> None:
    frowning = talking(FACE, 0.12)
    frowning[17:27, 1] -= 0.5  # brows and jaw are elsewhere: a face that nobody asked for
    frowning[1:16, 1] += 0.5
    sources, wanted = np.stack([FACE, frowning]), talking(FACE, 0.12)
    face = nearest(*(torch.from_numpy(x)[None] for x in (sources, wanted)), 1)
    assert int(face[0, 0]) == 0
    assert shares(Regions(sources), wanted, 2)[1] > 0.5


def test_no_picture_comes_or_goes_at_once() -> None:
    rng = np.random.default_rng(0)
    sources = np.stack([talking(FACE, 0.3 * rng.random()) + rng.normal(0, 0.01, (68, 2)) for _ in range(9)])
    regions, steps = Regions(sources), np.linspace(0, 0.3, 301)
    track = np.stack([shares(regions, talking(FACE, by), 9) for by in steps])
    assert np.abs(np.diff(track, axis=0)).max() < 0.05
    assert len(np.unique(track.argmax(axis=1))) > 1


def test_equally_near_pictures_give_one_of_them() -> None:
    assert np.array_equal(np.sort(shares(Regions(np.stack([FACE] * 6)), talking(FACE), 6)), [0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize("by", [5.0, np.inf, np.nan])
def test_a_mouth_that_is_nowhere_in_the_frame_changes_nothing(by: float) -> None:
    def never(sources: Sequence[int], box: Box) -> list[NDArray[np.float32]]:
        raise AssertionError("asked for")

    picture = np.zeros((32, 32, 3), np.float32)
    Regions(np.stack(OPENED)).lay(picture, FACE + np.float32(by), never)
    assert not picture.any()


def laid(light: float, share: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A smooth frame before and after a mouth of the same colours in another light."""
    rows = np.linspace(-0.2, 0.2, 96, dtype=np.float32)
    picture = np.broadcast_to(rows[:, None, None], (96, 96, 3)).copy()

    def bent(sources: Sequence[int], box: Box) -> list[NDArray[np.float32]]:
        left, top, right, bottom = box
        layer = np.full((bottom - top, right - left, 4), share, np.float32)
        layer[..., :3] = (before[top:bottom, left:right] + 1) * light - 1
        return [layer] * len(sources)

    before = picture.copy()
    Regions(np.stack(OPENED)).lay(picture, FACE, bent)
    return before, picture


@pytest.mark.parametrize("light", [0.7, 1.0, 1.4])
def test_a_mouth_comes_into_the_light_of_the_frame(light: float) -> None:
    before, after = laid(light)
    assert np.abs(after - before).max() < 1e-3


def test_light_is_changed_no_more_than_can_be_meant() -> None:
    before, after = laid(0.2)
    changed = np.abs(after - before).max(axis=2) > 1e-6
    assert 0.02 < changed.mean() < 0.3 and after.min() < -0.3
    assert not changed[0].any() and not changed[:, 0].any()


def test_what_is_not_the_person_is_not_laid_over_the_frame() -> None:
    before, after = laid(0.2, share=0.0)
    assert np.array_equal(before, after)


@pytest.fixture(scope="module")
def sitter() -> Portrait:
    return read_portrait(portrait(), FaceDetector(), load_backend("mesh"), 128)


def test_a_picture_that_is_there_twice_gives_what_it_gives_alone(sitter: Portrait) -> None:
    frames = []
    for several in ([sitter], [sitter, sitter]):
        animator = Animator(checkpoint(WARP, awake=False), backend="torch")
        animator.set_identity(several)
        frames.append(animator.render(talking(sitter.landmarks, 0.05)).astype(int))
    assert np.abs(frames[0] - frames[1]).max() <= 1


def test_a_frame_shows_the_mouth_of_the_picture_that_has_it(sitter: Portrait) -> None:
    opened = talking(sitter.landmarks, 0.1)
    pixels = ((opened[60:68].mean(axis=0) + 1) * 64).astype(int)
    painted = sitter.large.copy()
    painted[pixels[1] - 3 : pixels[1] + 4, pixels[0] - 3 : pixels[0] + 4] = (0, 255, 0)
    frowning = opened.copy()
    frowning[17:27, 1] -= 0.3
    other = replace(sitter, large=painted, landmarks=frowning)
    animator = Animator(checkpoint(WARP, awake=False), backend="torch")
    animator.set_identity([sitter, other])
    red, green, _ = animator.render(opened)[pixels[1], pixels[0]].astype(int)
    alone = Animator(checkpoint(WARP, awake=False), backend="torch")
    alone.set_identity([sitter])
    assert green - red > 60 > np.abs(np.subtract(*alone.render(opened)[pixels[1], pixels[0], :2].astype(int)))


@pytest.mark.parametrize("size", [80, 160])
def test_both_paths_lay_the_same_mouth(sitter: Portrait, size: int) -> None:
    other = replace(sitter, large=sitter.large[:, ::-1].copy(), landmarks=talking(sitter.landmarks, 0.1))
    animator = Animator(checkpoint(WARP), backend="onnxruntime")
    animator.set_identity([sitter, other])
    wanted = talking(sitter.landmarks, 0.06)
    difference = np.abs(animator.render(wanted, size).astype(int) - animator.render_plainly(wanted, size))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01
