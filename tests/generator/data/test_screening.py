"""The measures by which frames are kept: sharpness, turn of the head, a second face, another person; and cuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.data.screening import find_shots, odd_ones, overlap, sharpness, turn
from generator.motion.retarget import canonical_face
from sfumato.media.faces import Crop
from tests.generator_fixtures import SIZE, astronaut, drawn_face, moving, portrait, pose


def face_points() -> np.ndarray:
    return (canonical_face() + 1) * 128


def turned(degrees: float) -> np.ndarray:
    """The canonical face on a head of which the nose stands out by .6 of half its width, turned."""
    points = face_points().astype(np.float64)
    middle, half = (points[0] + points[16]) / 2, np.linalg.norm(points[16] - points[0]) / 2
    depth = np.zeros(68)
    depth[30] = 0.6 * half
    angle = np.radians(degrees)
    points[:, 0] = middle[0] + (points[:, 0] - middle[0]) * np.cos(angle) + depth * np.sin(angle)
    return points


@pytest.mark.parametrize("degrees", [0, 20, 45, 70])
def test_the_turn_of_a_head_is_estimated(degrees: float) -> None:
    straight = turn(turned(0))
    assert turn(turned(degrees)) == pytest.approx(degrees, abs=max(4.0, 2 * straight))
    assert turn(turned(-degrees)) == pytest.approx(degrees, abs=max(4.0, 2 * straight))


def test_landmarks_in_one_point_count_as_turned_away() -> None:
    assert turn(np.zeros((68, 2))) == 90


def test_blur_lowers_the_sharpness_whatever_the_size() -> None:
    image, points = astronaut(), face_points() / 2 + [160, 30]
    small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(image, (0, 0), 4)
    assert sharpness(image, points) > 5 * sharpness(blurred, points)
    assert sharpness(small, points / 2) > 5 * sharpness(blurred, points)


def test_an_even_picture_is_not_sharp() -> None:
    assert sharpness(np.full((64, 64, 3), 90, np.uint8), face_points() / 4) == pytest.approx(0, abs=1e-6)


def test_landmarks_outside_the_picture_still_give_a_number() -> None:
    assert np.isfinite(sharpness(drawn_face(0, pose(0)), pose(0) + 2 * SIZE))


def test_the_share_of_a_square_that_a_face_covers() -> None:
    square = Crop(10, 10, 100)
    assert overlap(square, (60, 60, 100, 100)) == pytest.approx(0.25)
    assert overlap(square, (10, 10, 50, 10)) == pytest.approx(0.05)
    assert overlap(square, (200, 0, 50, 50)) == 0


def test_frames_of_another_person_are_the_odd_ones() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 128)).astype(np.float32)
    frames = np.stack([a, a, b, a, b, a]) + rng.normal(size=(6, 128)).astype(np.float32) * 0.2
    frames /= np.linalg.norm(frames, axis=1, keepdims=True)
    assert odd_ones(frames.astype(np.float32), 0.35).tolist() == [False, False, True, False, True, False]


def small(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)


def test_cuts_divide_a_video() -> None:
    first, second = [small(i) for i in moving(astronaut(), 5)], [small(i) for i in moving(portrait(), 4)]
    assert find_shots([*first, *second, *first]) == [range(5), range(5, 9), range(9, 14)]


def test_movement_and_a_change_of_light_are_no_cuts() -> None:
    pictures = [small(i) for i in moving(astronaut(), 6, reach=120)]
    dimmed = [np.asarray(p * f, np.uint8) for p, f in zip(pictures, np.linspace(1, 0.7, 6), strict=True)]
    assert find_shots(dimmed) == [range(6)]


def test_no_frames_are_no_shots() -> None:
    assert find_shots([]) == []
