"""Curves on a loop: where they begin and end, that they rest between moves, and that a seed stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

from generator.acting.curves import Draw, blended, bump, ease, since, steps, through, wander

LENGTH = 4.0
TIMES = np.arange(400) / 100


def test_a_seed_gives_the_same_numbers_for_ever() -> None:
    draw = Draw("eloquent 7")
    assert [draw.between(0, 1) for _ in range(3)] == pytest.approx(
        [0.363639515739871, 0.190034883359193, 0.022658665814544], abs=1e-12
    )
    assert Draw("eloquent 8").between(0, 1) != Draw("eloquent 7").between(0, 1)


def test_a_way_begins_and_ends_at_rest_and_is_symmetric() -> None:
    share = np.linspace(-0.5, 1.5, 201)
    way = ease(share)
    assert way[0] == 0 and way[-1] == 1 and (np.diff(way) >= 0).all()
    assert np.allclose(way + ease(1 - share), 1)
    assert ease(0.01) < 1e-4  # slowly off


def test_time_since_goes_the_shorter_way_round() -> None:
    assert since(np.array([0.1, 3.9, 2.0]), 3.8, LENGTH) == pytest.approx([0.3, 0.1, -1.8])


def test_a_bump_rises_holds_and_falls() -> None:
    assert bump(np.array([-0.1, 0.0, 0.1, 0.3, 0.5, 0.7]), 0.1, 0.3, 0.2) == pytest.approx(
        [0, 0, 1, 1, 0.5, 0], abs=0.01
    )


def test_keys_are_met_and_the_end_leads_to_the_start() -> None:
    keys = [(0.5, 1.0), (1.5, -2.0), (3.5, 0.5)]
    track = through(TIMES, LENGTH, keys)
    assert track[[50, 150, 350]] == pytest.approx([1.0, -2.0, 0.5])
    assert track[0] == pytest.approx(0.75)  # half way from the last key to the first
    assert abs(track[0] - track[-1]) < 0.03
    assert (through(TIMES, LENGTH, []) == 0).all()


def test_what_moves_rests_between_its_moves() -> None:
    track = steps(TIMES, LENGTH, [(0.5, 0.3, 10.0), (2.0, 0.5, 0.0)])
    assert (track[:51] == 0).all() and np.allclose(track[80:201], 10) and (track[250:] == 0).all()


def test_slow_parts_are_early_and_late() -> None:
    track = blended(TIMES, LENGTH, [(2.0, 1.0, 1.0)], 0.1)
    assert track[180] > 0.3 and track[220] > 0.3 and track[200] > 0.8 and track[100] < 0.01


def test_what_wanders_goes_round() -> None:
    track = wander(TIMES, LENGTH, Draw("a"))
    assert 0.3 < np.abs(track).max() < 3
    assert abs(track[0] - track[-1]) < 3 * np.abs(np.diff(track)).max()
