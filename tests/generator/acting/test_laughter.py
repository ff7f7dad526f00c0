"""Laughter: in pieces, weaker and weaker, with eyes that narrow."""

from __future__ import annotations

import numpy as np

from generator.acting.curves import Draw
from generator.acting.laughter import Burst, compose_laughter, laugh
from generator.acting.temperament import TEMPERAMENTS, Temperament

LENGTH = 6.0
TIMES = np.arange(600) / 100


def test_who_does_not_laugh_does_not() -> None:
    assert compose_laughter(Temperament("grave", "", 6.0, 1), Draw("a"), LENGTH) == []
    still = laugh([], TIMES, LENGTH)
    assert not (still.opening.any() or still.mirth.any() or still.back.any() or still.bounce.any())


def test_bursts_lie_within_the_loop_one_after_another() -> None:
    for seed in range(20):
        bursts = compose_laughter(TEMPERAMENTS["cheerful"], Draw(str(seed)), LENGTH)
        assert len(bursts) == 2 and bursts[0].start > 0.5
        assert bursts[0].start + bursts[0].length < bursts[1].start < bursts[1].start + bursts[1].length < LENGTH - 0.5


def test_a_laugh_is_let_out_in_pieces_each_weaker() -> None:
    opening = laugh([Burst(1.0, 2.0, 1.0, 4.5)], TIMES, LENGTH).opening
    peaks = [i for i in range(1, 599) if opening[i - 1] < opening[i] >= opening[i + 1] and opening[i] > 0.03]
    assert 6 <= len(peaks) <= 10
    assert (np.diff(opening[peaks][1:]) < 0).all()
    assert 0.1 < opening.max() < 0.2 and opening[:95].max() == 0


def test_mirth_comes_before_the_sound_and_outlasts_it() -> None:
    made = laugh([Burst(1.5, 1.5, 0.8, 4.5)], TIMES, LENGTH)
    assert made.mirth[145] > 0 and made.opening[145] == 0
    assert made.mirth[350] > 0.1 and made.mirth.max() <= 0.8
