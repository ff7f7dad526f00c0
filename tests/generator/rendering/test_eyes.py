"""Lids and irises of a finished frame: nothing changes at rest, lids close over the eyeball, and irises move."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.motion.eyes import LIDS
from generator.rendering.eyes import Eyes
from tests.generator_fixtures import drawn_eyes

Image = NDArray[np.uint8]
SIZE = 256
FACE, PIXELS = drawn_eyes()
POINTS = ((2 * PIXELS + 1) / SIZE - 1).astype(np.float32)


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return Eyes([FACE], [POINTS])


def blinking(share: float) -> NDArray[np.float32]:
    """The landmarks with eyes `share` as far open."""
    points = POINTS.copy()
    for upper, lower in (pair for eye in LIDS for pair in eye):
        middle, half = (points[upper] + points[lower]) / 2, share * (points[lower] - points[upper]) / 2
        points[upper], points[lower] = middle - half, middle + half
    return points


def dark(image: Image) -> tuple[float, float]:
    """How many pixels of the first eye are as dark as an iris, and the mean x (px) of those."""
    left, right = PIXELS[36], PIXELS[39]
    top, bottom = int(left[1] - 14), int(left[1] + 14)
    region = image[top:bottom, int(left[0]) : int(right[0]) + 1].mean(axis=2) < 60
    return float(region.sum()), float(np.nonzero(region)[1].mean()) if region.any() else 0.0


def white(image: Image) -> int:
    """How many pixels of the first eye are as light as its white."""
    left, right = PIXELS[36], PIXELS[39]
    region = image[int(left[1] - 14) : int(left[1] + 14), int(left[0]) : int(right[0]) + 1]
    return int((region.min(axis=2) > 195).sum())


def test_eyes_as_in_the_portrait_change_nothing(eyes: Eyes) -> None:
    assert eyes.paint(FACE, POINTS) is FACE
    assert eyes.paint(FACE, POINTS, np.zeros((2, 2), np.float32)) is FACE
    assert eyes.for_warp(POINTS) is POINTS


def test_a_warp_is_never_asked_to_close_eyes(eyes: Eyes) -> None:
    lids = [37, 38, 40, 41, 43, 44, 46, 47]
    for share in (0.0, 0.2, 0.9):
        assert np.allclose(eyes.for_warp(blinking(share))[lids], POINTS[lids], atol=1e-5)
    wide = blinking(1.3)
    assert eyes.for_warp(wide) is wide


def test_a_closed_eye_shows_neither_iris_nor_white(eyes: Eyes) -> None:
    closed = eyes.paint(FACE, blinking(0.0))
    assert white(closed) < 0.05 * white(FACE)
    assert dark(closed)[0] < 0.4 * dark(FACE)[0]  # the line of the lashes


@pytest.mark.parametrize("off", [-1, 2])
def test_a_closed_eye_shows_no_white_where_it_lies_above_or_below_its_landmarks(eyes: Eyes, off: int) -> None:
    moved = np.roll(FACE, off, axis=0)
    assert white(eyes.paint(moved, blinking(0.0))) < 0.1 * white(moved)


def test_a_lid_is_never_lit_beyond_white(eyes: Eyes) -> None:
    light, middle = np.full_like(FACE, 250), int(PIXELS[36:48, 1].mean())
    light[:middle] = 120  # skin that gains light as it comes down ...
    light[:middle, ::6] = 255  # ... with lights on it that can gain none
    closed, half = eyes.paint(light, blinking(0.0)), eyes.paint(light // 2, blinking(0.0))
    assert np.abs(np.minimum(2 * half.astype(int), 255) - closed).max() <= 8


def test_lids_close_little_by_little(eyes: Eyes) -> None:
    left = [white(eyes.paint(FACE, blinking(share))) for share in (1.0, 0.7, 0.4, 0.1)]
    assert left[0] > left[1] > left[2] > left[3]


def test_the_eyeball_stays_where_it_is_seen(eyes: Eyes) -> None:
    lower = eyes.paint(FACE, blinking(0.7))
    x, y = np.round(PIXELS[[36, 39]].mean(0)).astype(int)
    seen = np.s_[y : y + 2, x - 2 : x + 3]
    assert np.array_equal(lower[seen], FACE[seen])


@pytest.mark.parametrize("shift", [-0.12, 0.12])
def test_irises_move_by_their_gaze_and_leave_white_behind(eyes: Eyes, shift: float) -> None:
    moved = eyes.paint(FACE, POINTS, np.array([[shift, 0], [shift, 0]], np.float32))
    width = float(PIXELS[39, 0] - PIXELS[36, 0])
    assert dark(moved)[1] - dark(FACE)[1] == pytest.approx(shift * width, abs=1.2)
    assert 0.6 < dark(moved)[0] / dark(FACE)[0] < 1.3  # more of it is hidden beside the middle
    assert white(moved) > 0.6 * white(FACE)


def test_nothing_moves_beside_the_eyes(eyes: Eyes) -> None:
    gaze = np.array([[0.2, 0.05], [0.2, 0.05]], np.float32)
    changed = (eyes.paint(FACE, blinking(0.3), gaze) != FACE).any(axis=2)
    width = float(PIXELS[39, 0] - PIXELS[36, 0])
    for corners in (PIXELS[[36, 39]], PIXELS[[42, 45]]):
        left, top = np.floor(corners.mean(0) - 0.76 * width).astype(int)
        right, bottom = np.ceil(corners.mean(0) + 0.76 * width).astype(int)
        assert changed[top:bottom, left:right].any()
        changed[top:bottom, left:right] = False
    assert not changed.any()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8])
def test_beside_its_corners_the_skin_of_a_closing_eye_stays(eyes: Eyes, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, FACE.shape).astype(np.uint8)
    changed = (np.abs(eyes.paint(noise, blinking(share)).astype(int) - noise) > 4).any(axis=2)  # more than rounding
    for left, right in (PIXELS[[36, 39]], PIXELS[[42, 45]]):
        changed[:, int(left[0]) - 1 : int(right[0]) + 3] = False
    assert not changed.any()


def test_a_frame_of_another_size_closes_alike(eyes: Eyes) -> None:
    large, pixels = drawn_eyes(size=512)
    closed = eyes.paint(large, blinking(0.0))
    middle = np.round(pixels[[36, 39]].mean(0)).astype(int)
    assert large[middle[1], middle[0]].max() < 100 < closed[middle[1] - 4, middle[0]].min()  # skin over the iris


def test_portraits_with_closed_eyes_are_left_alone() -> None:
    blank = np.full((SIZE, SIZE, 3), (205, 165, 140), np.uint8)
    closed, _ = drawn_eyes(0.0)
    for image in (blank, closed):
        frame = Eyes([image], [POINTS]).paint(image, POINTS, np.zeros((2, 2), np.float32))
        assert np.array_equal(frame, image)


def test_the_gaze_is_that_of_the_first_portrait_whichever_is_nearest() -> None:
    other, _ = drawn_eyes(gaze=(0.12, 0.0))
    talking = POINTS.copy()
    talking[55:60, 1] += 0.1
    ahead = Eyes([FACE, other], [POINTS, talking]).paint(other, talking, np.zeros((2, 2), np.float32))
    assert abs(dark(ahead)[1] - dark(FACE)[1]) < 0.7 * abs(dark(other)[1] - dark(FACE)[1])


@pytest.mark.parametrize("wild", [np.zeros((68, 2)), np.full((68, 2), 9.0), 40 * POINTS])
def test_landmarks_that_are_no_face_end_nothing(eyes: Eyes, wild: NDArray[np.float64]) -> None:
    points = wild.astype(np.float32)
    assert eyes.paint(FACE, eyes.for_warp(points), np.full((2, 2), 0.1, np.float32)).shape == FACE.shape
