"""Self-blends: only the masked region differs, and it does differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.data.fakes.self_blend import face_mask, self_blend
from tests.detector_fixtures import face_picture, landmarks


@given(st.integers(0, 10_000))
def test_outside_the_mask_nothing_changes(seed: int) -> None:
    blend = self_blend(face_picture(seed), landmarks(96), np.random.default_rng(seed))
    assert blend.fake.dtype == blend.real.dtype == np.uint8
    assert blend.fake.shape == blend.real.shape == (96, 96, 3)
    assert np.array_equal(blend.fake[blend.mask == 0], blend.real[blend.mask == 0])
    assert blend.mask.min() >= 0
    assert blend.mask.max() <= 1
    assert (blend.mask == 0).any()


def test_inside_the_mask_most_blends_differ() -> None:
    differ = 0
    for seed in range(20):
        blend = self_blend(face_picture(seed), landmarks(96), np.random.default_rng(seed))
        differ += bool((blend.fake != blend.real).any())
    assert differ >= 18


def test_same_seed_same_blend() -> None:
    first, second = (self_blend(face_picture(1), landmarks(96), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.fake, second.fake)


def test_hull_reaches_over_the_brows() -> None:
    points = landmarks(96)
    tops = []
    for seed in range(30):
        rows = np.flatnonzero(face_mask((96, 96), points, np.random.default_rng(seed)).any(axis=1))
        tops.append(rows.min())
    assert min(tops) < points[17:27, 1].min() - 3


def test_face_at_the_border_is_survived() -> None:
    points = landmarks(96) - 40
    assert self_blend(face_picture(0), points.astype(np.float32), np.random.default_rng(0)).fake.shape == (96, 96, 3)


@pytest.mark.parametrize("side", [48, 200])
def test_any_size(side: int) -> None:
    assert self_blend(face_picture(0, side), landmarks(side), np.random.default_rng(0)).fake.shape == (side, side, 3)


def test_some_seams_are_solved_away() -> None:
    solved = [
        set(np.unique(self_blend(face_picture(1), landmarks(96), np.random.default_rng(seed)).mask)) <= {0, 1}
        for seed in range(60)
    ]
    assert 0.1 < np.mean(solved) < 0.5
