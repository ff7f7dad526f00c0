"""The face that acts: at rest it is the canonical one; parts go where they should; turned, it is turned in space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.acting.bearing import Bearing
from generator.acting.face import Expression, pose_face
from generator.motion.head import fit_head
from generator.motion.retarget import canonical_depth, canonical_face

REST = np.column_stack([canonical_face(), canonical_depth()]).astype(np.float64)
ZERO, ONE = np.zeros(1), np.ones(1)
AHEAD = Bearing(ZERO, ZERO, ZERO, ZERO)
CALM = Expression(ZERO, ZERO, ZERO, ZERO, ZERO, np.zeros((1, 2)), np.zeros((1, 2)), ONE)


def face(bearing: Bearing = AHEAD, **parts: Any) -> NDArray[np.float64]:
    shape = pose_face(replace(CALM, **parts), bearing)
    assert shape.shape == (1, 68, 3)
    return np.asarray(shape[0])


def opening(shape: NDArray[np.float64]) -> float:
    lips = np.linalg.norm(shape[[61, 62, 63], :2] - shape[[67, 66, 65], :2], axis=1).mean()
    return float(lips / np.linalg.norm(shape[8, :2] - shape[27, :2]))


def test_at_rest_it_is_nobody() -> None:
    assert np.allclose(face(), REST)


def test_the_mouth_opens_as_far_as_it_is_told_and_the_chin_drops() -> None:
    wide = face(opening=ONE * 0.12, jaw=ONE * 0.12)
    assert opening(wide) == pytest.approx(0.12, abs=0.02)
    assert wide[8, 1] > REST[8, 1] + 0.03 and wide[48, 1] > REST[48, 1]
    assert np.allclose(wide[27:36], REST[27:36])  # the nose stays


@pytest.mark.parametrize(("part", "by"), [("spread", 1), ("rounding", -1)])
def test_the_mouth_is_spread_and_rounded(part: str, by: int) -> None:
    parts: dict[str, Any] = {part: ONE}
    change = (face(**parts)[54, 0] - face(**parts)[48, 0]) - (REST[54, 0] - REST[48, 0])
    assert by * change > 0.03


def test_pressed_lips_are_thinner() -> None:
    pressed = face(pressing=ONE)
    assert pressed[57, 1] - pressed[51, 1] < REST[57, 1] - REST[51, 1] - 0.01
    assert opening(pressed) == pytest.approx(opening(REST), abs=1e-6)


def test_a_smile_lifts_the_corners_on_the_side_it_is_on() -> None:
    left = face(smile=np.array([[1.0, 0.0]]))
    assert left[48, 1] < REST[48, 1] - 0.02 and left[48, 0] < REST[48, 0] - 0.02
    assert np.allclose(left[[54, 45, 35, 12]], REST[[54, 45, 35, 12]])


def test_brows_rise_each_by_itself() -> None:
    right = face(brows=np.array([[0.0, 1.0]]))
    assert (right[23:26, 1] < REST[23:26, 1] - 0.02).all() and np.allclose(right[17:22], REST[17:22])


def test_what_is_alike_on_both_sides_is_mirrored() -> None:
    both = face(
        opening=ONE * 0.1, jaw=ONE * 0.1, spread=ONE, rounding=ONE * 0.3, pressing=ONE * 0.2, smile=np.ones((1, 2)),
        brows=np.ones((1, 2)), lids=ONE * 0.5,
    )  # fmt: skip
    mirrored = face(smile=np.ones((1, 2)))[[54, 48]] * [[-1, 1, 1]]
    assert np.allclose(mirrored, face(smile=np.ones((1, 2)))[[48, 54]], atol=1e-6)
    pairs = [(48, 54), (60, 64), (61, 63), (67, 65), (59, 55), (19, 24), (37, 44), (41, 46), (5, 11), (31, 35)]
    for left, right in pairs:
        assert np.allclose(both[left] * [-1, 1, 1], both[right], atol=1e-6), (left, right)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.2])
def test_lids_are_as_far_open_as_they_are_told(share: float) -> None:
    lids = face(lids=ONE * share)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        assert np.linalg.norm(lids[upper] - lids[lower]) == pytest.approx(
            share * np.linalg.norm(REST[upper] - REST[lower])
        )


@pytest.mark.parametrize("angle", [-15.0, 20.0])
def test_a_turned_face_is_turned_in_space(angle: float) -> None:
    turned = face(Bearing(ONE * angle, ZERO, ZERO, ZERO))
    rotation = fit_head(REST, turned).rotation
    assert np.degrees(np.arccos((np.trace(rotation) - 1) / 2)) == pytest.approx(abs(angle), abs=0.01)
    nose = turned[30, 0] - (turned[36, 0] + turned[45, 0]) / 2
    assert np.sign(nose) == np.sign(angle)  # right is right


def test_a_nod_goes_down_a_tilt_clockwise_and_a_breath_up() -> None:
    def nose(shape: NDArray[np.float64]) -> float:
        return float(shape[30, 1] - shape[[36, 45], 1].mean())

    assert nose(face(Bearing(ZERO, ONE * 10, ZERO, ZERO))) > nose(REST)
    tilted = face(Bearing(ZERO, ZERO, ONE * 10, ZERO))
    assert tilted[45, 1] > tilted[36, 1]
    assert (face(Bearing(ZERO, ZERO, ZERO, ONE * 0.1))[:, 1] < REST[:, 1]).all()
