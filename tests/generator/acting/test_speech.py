"""Talk: how fast, how the lips meet, and that a mouth is shut where nothing is said."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from generator.acting.curves import Draw
from generator.acting.speech import Phrase, Syllable, compose_speech, speak
from generator.acting.temperament import TEMPERAMENTS, Temperament

LENGTH = 8.0
TIMES = np.arange(800) / 100
TALKER = TEMPERAMENTS["eloquent"]


def test_who_does_not_talk_says_nothing() -> None:
    silent = Temperament("silent", "", 8.0, 1)
    assert compose_speech(silent, Draw("a"), LENGTH) == []
    assert not speak([], silent, TIMES, LENGTH).opening.any()


def test_syllables_follow_each_other_three_to_six_a_second_with_pauses_between_phrases() -> None:
    for seed in range(20):
        phrases = compose_speech(TALKER, Draw(str(seed)), LENGTH)
        assert len(phrases) > 1 and phrases[0].start >= 0.3 and phrases[-1].end < LENGTH
        assert all(later.start - earlier.end > 0.3 for earlier, later in pairwise(phrases))
        lengths = [syllable.length for phrase in phrases for syllable in phrase.syllables]
        assert 3 < 1 / np.mean(lengths) < 6 and len(lengths) > 15


def said(consonant: str, vowel: str = "a") -> Phrase:
    return Phrase((Syllable(2.0, 0.25, "t", "a", 1.0), Syllable(2.25, 0.25, consonant, vowel, 1.0)))


def test_lips_meet_for_m_while_the_jaw_stays_open_and_do_not_for_t() -> None:
    closed, narrow = (speak([said(consonant)], TALKER, TIMES, LENGTH) for consonant in ("m", "t"))
    at = 228
    assert closed.opening[at] < 0.002 < 0.02 < narrow.opening[at]
    assert closed.jaw[at] > 0.02 and closed.pressing[at] > 0.5 > narrow.pressing[at]
    assert closed.opening[240] > 0.08  # the vowel


def test_a_rounded_vowel_rounds_the_lips_before_it_is_said() -> None:
    round_, flat = (speak([said("t", vowel)], TALKER, TIMES, LENGTH).rounding for vowel in ("u", "i"))
    assert round_[239] > 0.5 > 0.1 > flat[239]
    assert round_[228] > 0.1  # with the consonant
    assert speak([said("t", "i")], TALKER, TIMES, LENGTH).spread[239] > 0.5


def test_a_voice_opens_the_mouth() -> None:
    quiet = Temperament("quiet", "", 8.0, 1, talk=0.5, voice=0.5)
    loud = Temperament("loud", "", 8.0, 1, talk=0.5, voice=1.0)
    widest = [speak([said("t")], one, TIMES, LENGTH).opening.max() for one in (quiet, loud)]
    assert widest[1] == 2 * widest[0]


def test_the_mouth_is_shut_in_silence() -> None:
    mouth = speak([said("m")], TALKER, TIMES, LENGTH)
    silent = (TIMES < 1.6) | (TIMES > 2.8)
    assert mouth.opening[silent].max() < 1e-9 and mouth.jaw[silent].max() < 0.01
