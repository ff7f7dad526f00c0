"""The head: as far as it may turn, back at the end, and nods on what is stressed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from generator.acting.bearing import Turn, bear, compose_turns
from generator.acting.curves import Draw
from generator.acting.speech import Phrase, Syllable
from generator.acting.temperament import TEMPERAMENTS

LENGTH = 8.0
TIMES = np.arange(800) / 100
TALKER = TEMPERAMENTS["eloquent"]
CALM = replace(TALKER, sway=0.0)


def test_turns_stay_within_the_temperament_and_the_last_leads_back() -> None:
    for seed in range(20):
        turns = compose_turns(TALKER, Draw(str(seed)), LENGTH, [])
        assert max(abs(turn.yaw) for turn in turns) <= TALKER.turn
        assert (turns[-1].yaw, turns[-1].pitch, turns[-1].roll) == (0, 0, 0)
        assert min(turn.yaw for turn in turns) < 0 < max(turn.yaw for turn in turns)  # to both sides
        assert all(np.diff([turn.at for turn in turns]) > 0) and turns[-1].at <= LENGTH - 1


def test_a_turn_waits_for_the_phrase() -> None:
    phrase = Phrase((Syllable(0.7, 0.2, "t", "a", 1.0),))
    firsts = {compose_turns(TALKER, Draw(str(seed)), LENGTH, [phrase])[0].at for seed in range(20)}
    assert firsts == {0.7}


def test_the_head_goes_where_it_is_to_and_stays() -> None:
    head = bear([Turn(1.0, 12.0, 3.0, -2.0), Turn(4.0, 0.0, 0.0, 0.0)], [], CALM, Draw("a"), TIMES, LENGTH)
    assert np.allclose(head.yaw[200:400], 12) and np.allclose(head.roll[200:400], -2)
    assert head.pitch[250] == pytest.approx(3, abs=0.5)  # breath
    assert np.allclose(head.yaw[500:], 0) and (head.yaw[:100] == 0).all()


def test_a_larger_turn_takes_longer() -> None:
    small, large = (
        bear([Turn(1.0, yaw, 0, 0), Turn(6.0, 0, 0, 0)], [], CALM, Draw("a"), TIMES, LENGTH).yaw for yaw in (4.0, 20.0)
    )
    on_the_way = [
        np.sum((track[:500] > 0.01 * track.max()) & (track[:500] < 0.99 * track.max())) for track in (small, large)
    ]
    assert on_the_way[1] > 1.4 * on_the_way[0]


def test_speakers_nod_on_what_they_stress() -> None:
    stressed, not_stressed = (
        bear(
            [Turn(5.0, 0, 0, 0)], [Phrase((Syllable(2.0, 0.2, "t", "a", stress),))], CALM, Draw("a"), TIMES, LENGTH
        ).pitch
        for stress in (1.0, 0.2)
    )
    assert (stressed - not_stressed).max() > 1.0
    assert np.argmax(stressed - not_stressed) == pytest.approx(212, abs=3)
