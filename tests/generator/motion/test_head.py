"""Heads in space: a turn is found, passed on and undone; what one picture cannot show is held back, smoothly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.motion.head import SolidHead, fit_head, held_back, roll_of, turned_away
from generator.motion.track import Pose
from tests.generator_fixtures import head_turned, solid_face

FACE = solid_face()
Matrix = NDArray[np.float64]
angles = st.floats(-40, 40)


def yaw_of(points: NDArray[np.floating]) -> float:
    rotation = fit_head(FACE, np.asarray(points, np.float64)).rotation
    return float(np.degrees(np.arctan2(rotation[0, 2], rotation[2, 2])))


def pose(points: Matrix) -> Pose:
    return Pose(points[:, :2].astype(np.float32), points[:, 2].astype(np.float32))


@given(angles, angles, angles, st.floats(0.4, 2.0))
def test_the_pose_of_a_rigid_head_is_found(yaw: float, pitch: float, roll: float, scale: float) -> None:
    rotation = head_turned(yaw, pitch, roll)
    found = fit_head(FACE, scale * FACE @ rotation.T + (0.1, -0.2, 0.3))
    assert np.allclose(found.rotation, rotation, atol=1e-6) and found.scale == pytest.approx(scale)
    assert np.allclose(found.place, (0.1, -0.2, 0.3), atol=1e-6)
    assert np.allclose(found.into(found.out(FACE)), FACE, atol=1e-9)


def test_depth_that_shakes_turns_a_head_by_less_than_two_degrees() -> None:
    rng = np.random.default_rng(0)
    shaken = FACE + rng.normal(size=(20, 68, 1)) * (0, 0, 0.01)
    assert max(turned_away(fit_head(FACE, points).rotation) for points in shaken) < 2


@given(angles, angles)
def test_what_is_left_of_a_turn_within_the_picture_is_its_roll(yaw: float, roll: float) -> None:
    assert np.allclose(roll_of(head_turned(yaw, 0, 0)), np.eye(3), atol=1e-7)
    assert np.allclose(roll_of(head_turned(0, 0, roll)), head_turned(0, 0, roll), atol=1e-7)


@given(angles, angles, angles)
def test_turns_within_reach_are_not_held_back(yaw: float, pitch: float, roll: float) -> None:
    rotation = head_turned(yaw / 2, pitch / 3, roll)  # at most 20 and 13.3 degrees, 24 together
    assert np.allclose(held_back(rotation, 27, 40), rotation, atol=1e-9)


def test_beyond_its_reach_a_head_turns_ever_less_without_a_jump_and_never_farther_than_the_limit() -> None:
    held = np.array([turned_away(held_back(head_turned(yaw, 0, 0), 27, 40)) for yaw in range(120)])
    steps = np.diff(held)
    assert np.allclose(steps[:27], 1, atol=1e-6) and (steps[27:] < 1).all() and (np.diff(steps[26:]) <= 1e-9).all()
    assert (steps >= 0).all() and 39 < held[-1] <= 40


def test_what_is_held_back_keeps_its_direction_and_its_roll() -> None:
    rotation = head_turned(50, 30, 20)
    held = held_back(rotation, 27, 40)
    assert np.allclose(roll_of(held), roll_of(rotation), atol=1e-9)
    assert held[0, 2] * rotation[1, 2] == pytest.approx(held[1, 2] * rotation[0, 2])
    assert turned_away(held) < 40 < turned_away(rotation)


def heads(source: Matrix, neutral: Matrix, mode: str = "relative", held: bool = True) -> SolidHead:
    return SolidHead(source, neutral, FACE, mode, held)  # type: ignore[arg-type]


def follow(head: SolidHead, points: Matrix) -> Matrix:
    """The source without an expression, moved as the driver's `points` are."""
    return head.moved(head.source, head.calm(pose(points))[1])


def shown_yaw(head: SolidHead, points: Matrix) -> float:
    rotation = head.pose(head.calm(pose(points))[1]).rotation
    return float(np.degrees(np.arctan2(rotation[0, 2], rotation[2, 2])))


SOURCE = 0.9 * (FACE * (0.95, 1.1, 1.05)) @ head_turned(8, -4, 10).T + (0.05, -0.02, 0)
DRIVER = FACE * (1.1, 0.95, 0.9)


@pytest.mark.parametrize("degrees", [-25, -10, 5, 25])
def test_relative_motion_turns_a_head_by_what_the_driver_turns(degrees: float) -> None:
    upright = 0.9 * FACE * (0.95, 1.1, 1.05)
    head = heads(upright @ head_turned(5).T, DRIVER @ head_turned(-8).T)
    assert shown_yaw(head, DRIVER @ head_turned(-8 + degrees).T) == pytest.approx(5 + degrees, abs=1.5)


@pytest.mark.parametrize("degrees", [-25, -10, 5, 25])
def test_absolute_motion_takes_the_drivers_turn_whatever_its_neutral_frame_is(degrees: float) -> None:
    head = heads(SOURCE, DRIVER @ head_turned(15).T, "absolute")
    assert shown_yaw(head, DRIVER @ head_turned(degrees).T) == pytest.approx(degrees, abs=1.5)


@given(angles, angles, angles)
def test_a_head_that_has_come_back_is_as_it_was(yaw: float, pitch: float, roll: float) -> None:
    neutral = DRIVER @ head_turned(yaw, pitch, roll).T
    assert np.allclose(follow(heads(SOURCE, neutral), neutral), SOURCE, atol=1e-6)


def test_a_turn_is_undone_by_the_opposite_one() -> None:
    there = follow(heads(SOURCE, DRIVER, held=False), DRIVER @ head_turned(20).T)
    back = follow(heads(there, DRIVER, held=False), DRIVER @ head_turned(-20).T)
    assert np.allclose(back[:, :2], SOURCE[:, :2], atol=0.02)
    assert yaw_of(there) - yaw_of(back) == pytest.approx(20, abs=1.5)


def test_the_calm_face_of_a_driver_that_only_turns_is_its_neutral_one() -> None:
    head = heads(SOURCE, DRIVER)
    assert np.allclose(head.calm(pose(DRIVER @ head_turned(30, 10, 20).T))[0], head.neutral, atol=1e-5)


def test_an_expression_is_read_in_the_heads_own_frame_whatever_depth_says_of_it() -> None:
    head, talking, rotation = heads(SOURCE, DRIVER), DRIVER.copy(), head_turned(30, 0, 10)
    talking[48:, 1] += 0.05
    flat = talking @ rotation.T
    flat[48:, 2] = 0.3  # of lips; the skull's tells the turn
    opened = head.calm(pose(flat))[0] - head.calm(pose(DRIVER @ rotation.T))[0]
    assert np.allclose(opened[48:], (0, 0.05), atol=1e-2) and np.abs(opened[:48]).max() < 1e-5


def test_a_head_held_back_stays_where_the_drivers_is() -> None:
    head, turned = heads(FACE, FACE), FACE @ head_turned(60).T
    assert np.allclose(head.pose(head.calm(pose(turned))[1]).place[:2], turned[[0, 16], :2].mean(0), atol=1e-4)


@pytest.mark.parametrize("degrees", [-35, -25, 25, 35])
def test_the_far_jaw_stays_outside_the_eye_that_moves_before_it(degrees: float) -> None:
    shown = follow(heads(FACE, FACE), FACE @ head_turned(degrees).T)
    hidden = follow(heads(FACE, FACE, held=False), FACE @ head_turned(degrees).T)
    ear, eye = (0, 36) if degrees > 0 else (16, 45)
    outwards = -np.sign(degrees)
    assert outwards * (shown[ear, 0] - shown[eye, 0]) > 0.05
    assert outwards * (hidden[ear, 0] - hidden[eye, 0]) < 0.02  # or this would be for nothing
    assert np.allclose(shown[17:, :2], hidden[17:, :2], atol=0.02)


@pytest.mark.parametrize("degrees", [15, 25])
def test_a_portrait_that_looks_away_is_turned_no_farther_than_its_nose_allows(degrees: float) -> None:
    head = heads(FACE @ head_turned(25).T, FACE)
    assert 37 < shown_yaw(head, FACE @ head_turned(degrees).T) < 42
    assert shown_yaw(head, FACE @ head_turned(-20).T) == pytest.approx(5, abs=0.1)
    assert head.excess(head.calm(pose(FACE @ head_turned(degrees).T))[1]) > 1
    assert head.excess(head.calm(pose(FACE @ head_turned(-20).T))[1]) == pytest.approx(0, abs=1e-3)


def test_a_pose_without_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="without depth"):
        heads(SOURCE, DRIVER).calm(Pose(DRIVER[:, :2].astype(np.float32)))


@pytest.mark.parametrize("flat", [np.zeros((68, 3)), FACE * (1, 1, 0), FACE * (0, 0, 1)])
def test_faces_without_extent_give_finite_ones(flat: Matrix) -> None:
    for source, neutral, points in ((flat, FACE, FACE), (FACE, flat, FACE), (FACE, FACE, flat), (flat, flat, flat)):
        head = heads(source, neutral)
        calm, place = head.calm(pose(points))
        assert np.isfinite(calm).all() and np.isfinite(head.moved(head.source, place)).all()
