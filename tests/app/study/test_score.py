"""The rate of a study: counted by hand, sure as the participants and people allow, and careless answers are named."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from detector.evaluation.intervals import rate_bounds
from sfumato.app.study.answers import Answer, Sheet
from sfumato.app.study.key import Key
from sfumato.app.study.score import BY_PARTICIPANTS, BY_PEOPLE, EXACT, TWO_WAY, Score, rate_of, score
from sfumato.errors import UsageError
from tests.study_fixtures import toy_key


def sheet(key: Key, code: int, right: Iterable[bool | None], seconds: float = 4.0, place: int | None = None) -> Sheet:
    """Answers to the first questions; places go round unless `place` is given."""
    answers = [
        Answer(question, given, None if given is None else place or number % key.choices + 1, seconds)
        for number, (question, given) in enumerate(zip(key.questions, right, strict=False))
    ]
    return Sheet(f"{code:016x}", tuple(answers))


def studied(participants: int = 6, questions: int = 12, rate: float = 0.5, seed: int = 0) -> Score:
    key, rng = toy_key(questions), np.random.default_rng(seed)
    return score(key, [sheet(key, code, (rng.random(questions) < rate).tolist()) for code in range(participants)])


def test_rate_and_time_are_those_counted_by_hand() -> None:
    key = toy_key(questions=4, people=2, methods=("a", "b"))
    first = sheet(key, 0, [True, False, True, False], 2.0)
    second = sheet(key, 1, [True, True, True, None], 6.0)
    found = score(key, [first, second])
    assert (found.rate.right, found.rate.of, found.unplayed) == (5, 7, 1)
    assert found.rate.rate == pytest.approx(5 / 7)
    assert found.rate.seconds == 2.0
    assert {name: (rate.right, rate.of) for name, rate in found.methods.items()} == {"a": (4, 4), "b": (1, 3)}
    assert [(each.answered, each.unplayed) for each in found.participants] == [(4, 0), (4, 1)]
    own = found.participants[0].rate
    assert own is not None
    assert own.interval == rate_bounds(2, 4)
    assert own.over == EXACT


def test_an_interval_is_over_what_there_is_enough_of() -> None:
    def over(participants: int, people: int) -> str | None:
        key = toy_key(questions=people, people=people)
        mixed = [sheet(key, code, [(code + n) % 2 == 0 for n in range(people)]) for code in range(participants)]
        return score(key, mixed).rate.over

    assert over(5, 5) == TWO_WAY
    assert over(4, 5) == BY_PEOPLE
    assert over(5, 4) == BY_PARTICIPANTS
    assert over(4, 4) is None
    assert over(1, 5) == EXACT


def test_the_interval_is_wider_than_of_independent_answers_if_people_differ() -> None:
    """Six questions that everybody answers rightly, and six that nobody does."""
    key = toy_key(questions=12)
    sheets = [sheet(key, code, [True] * 6 + [False] * 6) for code in range(20)]
    found = score(key, sheets).rate
    assert found.interval is not None
    low, high = found.interval
    alone = rate_bounds(120, 240)
    assert high - low > 3 * (alone[1] - alone[0])
    assert low < 0.5 < high


def test_the_interval_is_wider_if_participants_differ() -> None:
    key = toy_key(questions=24)
    sheets = [sheet(key, code, [code % 2 == 0] * 24) for code in range(10)]
    found = score(key, sheets).rate
    assert found.interval is not None
    assert found.interval[0] < 0.25
    assert found.interval[1] > 0.75


def test_answers_that_are_all_alike_are_no_certainty() -> None:
    key = toy_key(questions=12)
    found = score(key, [sheet(key, code, [True] * 12) for code in range(6)]).rate
    assert found.interval == rate_bounds(6, 6)
    found = score(key, [sheet(key, code, [False] * 12) for code in range(20)]).rate
    assert found.interval == rate_bounds(0, 12)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Participants and people both differ; 0.95 of 120 intervals would be 114."""
    rng, held, key = np.random.default_rng(1), 0, toy_key(questions=20)
    for _ in range(120):
        eye, ease = rng.normal(0, 0.7, 15), rng.normal(0, 0.7, 20)
        chance = 1 / (1 + np.exp(-(eye[:, None] + ease)))  # 0.5 on average
        given = rng.random((15, 20)) < chance
        sheets = [sheet(key, code, row.tolist()) for code, row in enumerate(given)]
        interval = rate_of([(each.participant, answer) for each in sheets for answer in each.answers]).interval
        assert interval is not None
        held += interval[0] <= 0.5 <= interval[1]
    assert held >= 110


def test_a_rate_is_held_against_chance() -> None:
    assert studied(10, 20, 0.9).rate.against(1 / 3) == "above"
    assert studied(10, 20, 1 / 3).rate.against(1 / 3) == "undecided"
    assert studied(10, 20, 0.02).rate.against(1 / 3) == "below"
    assert studied(2, 3, 0.5).rate.against(1 / 3) is None


def test_a_seed_gives_the_same_interval() -> None:
    assert studied().rate == studied().rate


def test_whoever_takes_one_place_is_named_and_counted() -> None:
    key, rng = toy_key(questions=20), np.random.default_rng(0)
    honest = [sheet(key, code, (rng.random(20) < 0.5).tolist()) for code in range(5)]
    found = score(key, [*honest, sheet(key, 9, [True] * 20, place=2)])
    assert [each.remarks for each in found.participants[:5]] == [()] * 5
    assert found.participants[5].remarks == ("chose clip 2 in 20 of 20 answers, wherever the fake stood",)
    assert found.rate.of == 120
    assert found.careful is not None
    assert found.careful.of == 100


def test_whoever_answers_before_the_clips_were_seen_is_named() -> None:
    key = toy_key(questions=10, seconds=0.5)
    quick, slow = sheet(key, 0, [True] * 10, seconds=0.4), sheet(key, 1, [True] * 10, seconds=0.6)
    found = score(key, [quick, slow])
    assert "10 of 10 answers came within 1 s" in found.participants[0].remarks[0]
    assert found.participants[1].remarks == ()


def test_few_answers_at_one_place_are_no_habit() -> None:
    key = toy_key(questions=6)
    assert score(key, [sheet(key, 0, [True] * 6, place=1)]).participants[0].remarks == ()
    assert score(toy_key(questions=9), [sheet(toy_key(questions=9), 0, [True] * 9, place=1)]).participants[0].remarks


def test_questions_with_the_moments_of_the_fake_are_told_apart() -> None:
    key = toy_key(questions=4, same=(1, 2))
    found = score(key, [sheet(key, 0, [True, True, False, True])])
    assert found.moments is not None
    assert found.other_moments is not None
    assert (found.moments.right, found.moments.of) == (2, 2)
    assert (found.other_moments.right, found.other_moments.of) == (1, 2)
    assert score(toy_key(4), [sheet(toy_key(4), 0, [True])]).moments is None


def test_nothing_answered_is_no_rate() -> None:
    key = toy_key(questions=2)
    with pytest.raises(UsageError, match="No question was answered"):
        score(key, [sheet(key, 0, [None, None]), sheet(key, 1, [])])


def test_thousands_of_participants_are_scored() -> None:
    key, rng = toy_key(questions=30), np.random.default_rng(0)
    sheets = [sheet(key, code, (rng.random(30) < 0.4).tolist()) for code in range(1000)]
    found = rate_of([(each.participant, answer) for each in sheets for answer in each.answers])
    assert found.of == 30_000
    assert found.interval is not None
    assert math.isclose(found.rate, 0.4, abs_tol=0.02)
