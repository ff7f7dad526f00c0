"""Blinks and looks: how fast a lid falls, that a frame shows it shut, and that eyes stay on what they look at."""

from __future__ import annotations

import numpy as np
import pytest

from generator.acting.curves import Draw
from generator.acting.eyes import Look, compose_blinks, compose_looks, gaze, lids
from generator.acting.temperament import TEMPERAMENTS

LENGTH = 8.0
TIMES = np.arange(800) / 100
FRAMES = np.arange(200) / 25
STILL = np.zeros(800)


def test_a_lid_falls_faster_than_it_rises() -> None:
    opening = lids([2.0], np.zeros((800, 2)), STILL, TIMES, LENGTH)
    shut = np.flatnonzero(opening < 1e-6)
    assert shut[0] / 100 == pytest.approx(2.08) and shut[-1] / 100 == pytest.approx(2.11)
    moving = np.flatnonzero(opening < 1 - 1e-6)
    assert moving[-1] / 100 == pytest.approx(2.3, abs=0.03) and moving[0] / 100 == pytest.approx(2.0, abs=0.03)


def test_every_blink_is_shut_in_some_frame_and_none_comes_right_after_another() -> None:
    for seed in range(20):
        blinks = compose_blinks(TEMPERAMENTS["eloquent"], Draw(str(seed)), LENGTH, [1.3, 2.0, 4.1, 6.2], 1 / 25)
        assert 2 <= len(blinks) <= 6 and all(np.diff(blinks) > 0.8)
        opening = lids(blinks, np.zeros((200, 2)), np.zeros(200), FRAMES, LENGTH)
        assert (np.diff((opening < 0.05).astype(int)) == 1).sum() == len(blinks)


def test_mirth_and_looking_down_narrow_the_eyes() -> None:
    down = np.full((800, 2), [0.0, 0.08])
    assert lids([], down, STILL, TIMES, LENGTH)[0] == pytest.approx(0.87, abs=0.02)
    assert lids([], 0 * down, STILL + 1, TIMES, LENGTH)[0] < 0.7


def test_eyes_turn_back_in_a_head_that_turns_so_that_they_stay_on_what_they_look_at() -> None:
    looking = gaze([Look(0.0, 0.0, 0.0)], STILL + 10, STILL - 5, TIMES, LENGTH)
    assert np.allclose(looking[:, 0], -0.4 * np.sin(np.radians(10)))
    assert np.allclose(looking[:, 1], 0.4 * np.sin(np.radians(5)))


def test_a_look_is_a_jump_and_a_rest() -> None:
    right = gaze([Look(0.0, 0.0, 0.0), Look(2.0, 10.0, 0.0), Look(5.0, 0.0, 0.0)], STILL, STILL, TIMES, LENGTH)[:, 0]
    assert right[200] == 0 and np.allclose(right[206:500], 0.4 * np.sin(np.radians(10))) and (right[506:] == 0).all()


def test_no_eye_turns_out_of_its_socket() -> None:
    assert np.abs(gaze([Look(0.0, 60.0, -60.0)], STILL, STILL, TIMES, LENGTH)).max() < 0.2


def test_looks_are_in_order_and_begin_and_end_ahead() -> None:
    for seed in range(20):
        looks = compose_looks(TEMPERAMENTS["serene"], Draw(str(seed)), LENGTH, [(1.0, 8.0, 0.0), (4.0, -8.0, 1.0)])
        assert len(looks) > 4 and all(np.diff([look.at for look in looks]) >= 0)
        assert (looks[-1].right, looks[-1].down) == (0.0, 0.0) == (looks[0].right, looks[0].down)
