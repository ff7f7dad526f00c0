"""Lip-syncs made of real crops: what lies outside the mask stays, the mask keeps to the lower face, the mouth
differs.
"""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.data.fakes import lip_sync as lip_sync_module
from detector.data.fakes.lip_sync import Outline, lip_mask, lip_sync, mouth_opening, opened, spoken
from tests.detector_fixtures import face_picture, landmarks

LOWER = [outline for outline in get_args(Outline) if outline != "face-box"]
MOUTH = (slice(60, 70), slice(40, 57))  # rows and columns of the lips in a picture of 96 px


def other(seed: int, opening: float = 0.4, side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Another moment: another picture, the mouth open."""
    return face_picture(seed + 1, side), opened(landmarks(side), opening, 0.5)


@pytest.mark.parametrize("moment", [False, True])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_outside_the_mask_nothing_changes(moment: bool, seed: int) -> None:
    forged = lip_sync(
        face_picture(seed), landmarks(96), np.random.default_rng(seed), 0.3, other(seed) if moment else None
    )
    assert forged.fake.dtype == forged.real.dtype == np.uint8
    assert forged.fake.shape == forged.real.shape == (96, 96, 3)
    assert np.array_equal(forged.fake[forged.mask == 0], forged.real[forged.mask == 0])
    assert forged.mask.min() >= 0 and forged.mask.max() <= 1 and (forged.mask == 0).any()


@pytest.mark.parametrize("outline", LOWER)
@pytest.mark.parametrize("side", [48, 96, 288])
def test_the_mask_keeps_to_the_lower_face_and_holds_the_mouth(outline, side: int) -> None:
    points = landmarks(side)
    goal = opened(points, 0.4, 0.5 if outline == "box" else 0.0)
    for seed in range(20):
        mask = lip_mask((side, side), points, goal, outline, np.random.default_rng(seed))
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        assert rows.min() > points[36:48, 1].max() - 1 - side / 48  # below the eyes, but for a bend of the edge
        assert rows.max() < goal[8, 1] + 0.12 * side
        assert columns.min() > points[0, 0] - 0.1 * side and columns.max() < points[16, 0] + 0.1 * side
        x, y = np.rint(points[[62, 66]].mean(0)).astype(int)
        assert mask[y, x] > 0.95


def test_the_box_of_a_whole_face_reaches_over_the_brows() -> None:
    points = landmarks(96)
    tops = [
        np.flatnonzero(lip_mask((96, 96), points, points, "face-box", np.random.default_rng(seed)).any(axis=1)).min()
        for seed in range(20)
    ]
    assert max(tops) < points[36:48, 1].min() and min(tops) < points[17:27, 1].min() - 3


@pytest.mark.parametrize("moment", [False, True])
def test_the_mouth_differs(moment: bool) -> None:
    changes = []
    for seed in range(20):
        forged = lip_sync(
            face_picture(seed), landmarks(96), np.random.default_rng(seed), 0.5, other(seed) if moment else None
        )
        changes.append(np.abs(forged.fake.astype(int) - forged.real)[MOUTH].mean())
    assert min(changes) > 0 and np.mean(np.array(changes) > 1) > 0.8


def test_edges_are_hard_or_fade_and_outlines_are_all_drawn() -> None:
    masks = [lip_sync(face_picture(1), landmarks(96), np.random.default_rng(seed), 0.3).mask for seed in range(60)]
    hard = np.mean([set(np.unique(mask)) <= {0, 1} for mask in masks])
    assert 0.1 < hard < 0.7
    areas = [float((mask > 0).mean()) for mask in masks]
    assert max(areas) > 5 * min(areas)


def test_same_seed_same_lip_sync() -> None:
    first, second = (
        lip_sync(face_picture(1), landmarks(96), np.random.default_rng(5), 0.3, other(1)).fake for _ in range(2)
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize("side", [48, 288])
def test_any_size(side: int) -> None:
    for seed in range(6):
        forged = lip_sync(
            face_picture(0, side), landmarks(side), np.random.default_rng(seed), 0.3, other(seed, side=120)
        )
        assert forged.fake.shape == (side, side, 3) and (forged.fake != forged.real).any()


@pytest.mark.parametrize("offset", [(0, 40), (-40, 0), (-45, 45), (30, -60), (200, 200), (-200, 0)])
def test_a_face_beyond_the_border_is_survived(offset) -> None:
    points = (landmarks(96) + np.float32(offset)).astype(np.float32)
    for seed in range(12):
        forged = lip_sync(face_picture(0), points, np.random.default_rng(seed), 0.4, other(seed) if seed % 2 else None)
        assert forged.fake.shape == (96, 96, 3)
        assert np.array_equal(forged.fake[forged.mask == 0], forged.real[forged.mask == 0])


@pytest.mark.parametrize("points", [np.zeros((68, 2), np.float32), np.full((68, 2), 50, np.float32)])
def test_landmarks_that_are_all_one_point_are_survived(points) -> None:
    for seed in range(12):
        forged = lip_sync(face_picture(0), points, np.random.default_rng(seed), 0.4, (face_picture(1), points))
        assert forged.fake.shape == (96, 96, 3)


def test_a_grey_picture_has_no_colour_outside_the_mask() -> None:
    grey = np.ascontiguousarray(np.repeat(face_picture(2)[:, :, :1], 3, axis=2))
    for seed in range(12):
        forged = lip_sync(grey, landmarks(96), np.random.default_rng(seed), 0.4, (grey, landmarks(96)))
        assert np.ptp(forged.fake[forged.mask == 0].astype(int), axis=-1).max() == 0
        assert np.ptp(forged.real.astype(int), axis=-1).max() == 0


def test_the_picture_around_is_the_softer_one_now_and_then() -> None:
    image = face_picture(1)
    kept = [
        np.array_equal(lip_sync(image, landmarks(96), np.random.default_rng(seed), 0.3).real, image)
        for seed in range(60)
    ]
    assert 0.5 < np.mean(kept) < 0.95


def test_an_autoencoders_texture_shows_in_some_mouths_and_nowhere_else() -> None:
    image = face_picture(1)
    asked = []

    def reconstruct(picture: np.ndarray) -> np.ndarray:
        asked.append(picture)
        return np.full_like(picture, 255)

    shown = 0
    for seed in range(40):
        asked.clear()
        forged = lip_sync(image, landmarks(96), np.random.default_rng(seed), 0.3, reconstruct=reconstruct)
        shown += bool(asked) and bool(forged.fake[MOUTH].mean() > 200)
        assert np.array_equal(forged.fake[forged.mask == 0], forged.real[forged.mask == 0])
    assert 4 <= shown <= 24


def test_another_moments_mouth_is_what_shows(monkeypatch) -> None:
    """A face of one colour, and a moment of it with stripes: the stripes are in the mouth."""
    monkeypatch.setattr(lip_sync_module, "_WITH_MOMENT", (("moment", 1.0),))
    flat, striped = (np.full((96, 96, 3), 128, np.uint8) for _ in range(2))
    striped[:, ::8] = 90
    for seed in range(8):
        forged = lip_sync(flat, landmarks(96), np.random.default_rng(seed), 0.3, (striped, landmarks(96)))
        assert forged.fake[MOUTH].std(axis=1).mean() > 0.3
        assert forged.real.std() == 0


def test_a_mouth_opens_and_shuts_as_far_as_it_is_told() -> None:
    points = opened(landmarks(96), 0.3, 0.0)
    for opening in (0.0, 0.1, 0.3, 0.5):
        goal = opened(points, opening, 0.0)
        assert mouth_opening(goal) == pytest.approx(opening, abs=0.01)
        assert np.array_equal(goal[:48], points[:48])


def test_the_chin_goes_along_as_far_as_it_is_told() -> None:
    points = landmarks(96)
    still, half, whole = (opened(points, mouth_opening(points) + 0.2, follow)[8, 1] for follow in (0.0, 0.5, 1.0))
    assert still == points[8, 1]
    assert whole - still == pytest.approx(2 * (half - still), rel=0.01) and half > still


def test_lips_of_another_moment_come_without_its_pose() -> None:
    """The known answer: the same head elsewhere, larger and rolled, its mouth open, gives the open mouth in place."""
    points = landmarks(96)
    open_mouth = opened(points, 0.35, 0.0)
    turn = 1.3 * np.array([[0.98, -0.199], [0.199, 0.98]], np.float32)
    goal = spoken(points, open_mouth @ turn + np.float32([20, -7]), 0.0)
    assert np.abs(goal - open_mouth).max() < 0.1


def test_lips_of_a_pose_too_unlike_stay_near() -> None:
    points = landmarks(96)
    goal = spoken(points, landmarks(96)[::-1].copy(), 1.0)
    assert np.linalg.norm(goal - points, axis=1).max() <= 0.21 * np.linalg.norm(points[16] - points[0])
