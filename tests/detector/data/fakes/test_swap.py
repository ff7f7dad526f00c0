"""Face swaps and composites: what lies outside the mask stays, what lies inside is the other's face, in the colours
asked for.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.data.fakes.composite import composite
from detector.data.fakes.swap import METHODS, swap_face, transfer_colours, warp_face
from tests.detector_fixtures import face_picture, landmarks


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_outside_the_mask_nothing_changes(method, seed: int) -> None:
    forged = swap_face(
        face_picture(seed),
        landmarks(96),
        face_picture(seed + 1, 120),
        landmarks(120),
        np.random.default_rng(seed),
        method,
    )
    assert forged.fake.dtype == np.uint8 and forged.fake.shape == (96, 96, 3)
    assert np.array_equal(forged.fake[forged.mask == 0], forged.real[forged.mask == 0])
    assert forged.mask.min() >= 0 and forged.mask.max() <= 1 and (forged.mask == 0).any()
    assert (forged.fake != forged.real).any()


def test_a_face_warped_onto_itself_stays() -> None:
    """The known answer: equal landmarks, an identity warp, on every pixel of the face."""
    image, points = face_picture(3), landmarks(96)
    warped = warp_face(image, points, points, (96, 96))
    inside = swap_face(image, points, image, points, np.random.default_rng(0), "alpha", "none").mask > 0
    assert np.abs(warped.astype(int) - image)[inside].max() <= 1


def test_a_moved_face_lands_on_the_targets_landmarks() -> None:
    image, points = face_picture(3), landmarks(96)
    shifted = np.roll(image, (5, -7), (0, 1))
    warped = warp_face(shifted, points + np.float32([-7, 5]), points, (96, 96))
    rows, columns = slice(45, 70), slice(35, 60)
    assert np.abs(warped.astype(int) - image)[rows, columns].max() <= 1


@pytest.mark.parametrize("colour", ["lab", "histogram"])
def test_colours_are_the_targets(colour) -> None:
    rng = np.random.default_rng(0)
    face = rng.integers(20, 90, (64, 64, 3), dtype=np.uint8)
    target = rng.integers(110, 220, (64, 64, 3), dtype=np.uint8)
    where = np.zeros((64, 64), bool)
    where[10:50, 10:50] = True
    pictures = face, transfer_colours(face, target, where, colour)
    before, after = (np.abs(picture[where].mean(0) - target[where].mean(0)) for picture in pictures)
    assert (after < 8).all() and (after < before).all()


def test_same_seed_same_swap() -> None:
    pair = [
        swap_face(face_picture(1), landmarks(96), face_picture(2), landmarks(96), np.random.default_rng(5)).fake
        for _ in range(2)
    ]
    assert np.array_equal(*pair)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("offset", [-40, 200])
def test_a_face_beyond_the_border_is_survived(method, offset) -> None:
    points = (landmarks(96) + offset).astype(np.float32)
    assert swap_face(
        face_picture(0), points, face_picture(1), landmarks(96), np.random.default_rng(0), method
    ).fake.shape == (96, 96, 3)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_composite_shows_the_generated_face_inside_only(seed: int) -> None:
    real, generated = face_picture(seed), face_picture(seed + 1)
    forged = composite(real, generated, landmarks(96), np.random.default_rng(seed))
    assert np.array_equal(forged.fake[forged.mask == 0], real[forged.mask == 0])
    core = forged.mask > 0.999
    assert core.any() and np.array_equal(forged.fake[core], generated[core])
