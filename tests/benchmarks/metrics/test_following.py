"""How a face follows, on landmarks that are moved by known amounts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.metrics.following import LEAST, follow, lid_closure, mouth_opening, yaw
from generator.motion.retarget import canonical_face

FRAMES = 60
TIME = np.linspace(0, 4 * np.pi, FRAMES)


def speaking(share: float = 1.0, delay: int = 0) -> NDArray[np.float64]:
    """(F, 68, 2): the lower inner lip goes up and down by a tenth of the face's height, times `share`."""
    face = canonical_face().astype(np.float64)
    shapes = np.repeat(face[None], FRAMES, axis=0)
    middle = (face[[61, 62, 63]] + face[[67, 66, 65]]) / 2
    height = np.linalg.norm(face[8] - face[27])
    opening = share * 0.1 * height * (1 - np.cos(np.roll(TIME, delay))) / 2
    for upper, lower, place in zip((61, 62, 63), (67, 66, 65), middle, strict=True):
        shapes[:, upper] = place
        shapes[:, lower] = place + np.stack([np.zeros(FRAMES), opening], axis=1)
    return shapes


def blinking(closed: float) -> NDArray[np.float64]:
    """(F, 68, 2): the lids fall for four frames, to `closed` of the way."""
    shapes = np.repeat(canonical_face()[None].astype(np.float64), FRAMES, axis=0)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        middle = (shapes[20:24, upper] + shapes[20:24, lower]) / 2
        shapes[20:24, upper] += closed * (middle - shapes[20:24, upper])
        shapes[20:24, lower] += closed * (middle - shapes[20:24, lower])
    return shapes


def turning(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F, 68, 2): eye corners and a nose that stands out by half their distance, turned about the upright axis."""
    shapes = np.repeat(canonical_face()[None].astype(np.float64), len(degrees), axis=0)
    angle = np.radians(degrees)
    shapes[:, 36] = np.stack([-np.cos(angle), np.zeros_like(angle)], axis=1)
    shapes[:, 45] = -shapes[:, 36]
    shapes[:, 30] = np.stack([np.sin(angle), np.full_like(angle, 0.6)], axis=1)
    return shapes


def test_the_opening_is_a_share_of_the_faces_height() -> None:
    opening = mouth_opening(speaking())
    assert (opening.min(), opening.max()) == pytest.approx((0.0, 0.1), abs=1e-3)


def test_the_opening_does_not_see_size_and_place() -> None:
    assert mouth_opening(speaking() * 80 + 20) == pytest.approx(mouth_opening(speaking()))


def test_a_mouth_that_opens_half_as_far_has_a_ratio_of_a_half_and_keeps_time() -> None:
    found = follow(speaking(0.5), speaking())["mouth"]
    assert (found.ratio, found.correlation) == pytest.approx((0.5, 1.0), abs=1e-6)


def test_a_mouth_that_comes_late_moves_enough_and_not_in_time() -> None:
    found = follow(speaking(delay=15), speaking())["mouth"]  # half a period
    assert found.ratio == pytest.approx(1, abs=1e-6) and found.correlation < -0.9


def test_a_mouth_that_stays_shut_follows_nothing() -> None:
    found = follow(speaking(0), speaking())["mouth"]
    assert (found.ratio, found.correlation) == (pytest.approx(0, abs=1e-9), 0.0)


def test_a_driver_who_does_not_speak_measures_no_mouth() -> None:
    silent = speaking(0.9 * LEAST["mouth"] / 0.1)
    assert "mouth" not in follow(speaking(), silent)


def test_frames_in_which_no_face_was_found_are_left_out() -> None:
    made = speaking(0.5)
    made[::7] = np.nan
    assert follow(made, speaking())["mouth"].correlation == pytest.approx(1)
    made[7:] = np.nan
    assert follow(made, speaking()) == {}


def test_closed_lids_are_1_and_open_ones_0() -> None:
    closure = lid_closure(blinking(1.0))
    assert closure[:20] == pytest.approx(0) and closure[20:24] == pytest.approx(1)


def test_lids_that_close_halfway_have_a_ratio_of_a_half() -> None:
    found = follow(blinking(0.5), blinking(1.0))["lids"]
    assert (found.ratio, found.correlation) == pytest.approx((0.5, 1.0), abs=1e-6)


def test_a_turned_head_is_read_in_degrees() -> None:
    degrees = np.array([-25.0, 0.0, 10.0, 25.0])
    assert yaw(turning(degrees)) == pytest.approx(degrees, abs=1e-6)


def test_yaw_beyond_25_degrees_does_not_count() -> None:
    wanted = np.linspace(-40, 40, 81)
    made = np.where(np.abs(wanted) <= 25, 0.9 * wanted, 0)
    found = follow(turning(made), turning(wanted))["yaw"]
    assert (found.ratio, found.correlation) == pytest.approx((0.9, 1.0), abs=1e-6)
