"""Early warnings: each sign of a known death is told once, when it has held long enough, and again when it comes
back.
"""

from __future__ import annotations

import pytest

from generator.training.divergence import TrainingDied, Watch, require_finite

WELL = {"spread": 0.3, "critic": 1.0, "margin": 0.5}


def told(watch: Watch, steps: int, **values: float) -> list[tuple[int, str]]:
    """The steps, from 1, at which something is said."""
    return [(step, text) for step in range(1, steps + 1) for text in watch.look(WELL | values)]


@pytest.mark.parametrize(
    ("values", "after", "words"),
    [
        ({"spread": 1e-5}, 5, "embedder"),
        ({"critic": 0.0, "margin": 9.0}, 100, "has won"),
        ({"critic": 2.0, "margin": -1e-5}, 100, "collapsed"),
    ],
)
def test_a_sign_is_told_once_after_its_steps(values: dict[str, float], after: int, words: str) -> None:
    said = told(Watch(), 3 * after, **values)
    assert [step for step, _ in said] == [after]
    assert words in said[0][1] and "Try" in said[0][1]


def test_a_run_that_is_well_is_left_alone() -> None:
    assert told(Watch(), 300) == []


def test_one_good_step_starts_the_count_again() -> None:
    watch = Watch()
    assert told(watch, 4, spread=0.0) == [] == told(watch, 1) == told(watch, 4, spread=0.0)
    assert len(told(watch, 1, spread=0.0)) == 1


def test_what_comes_back_is_told_again() -> None:
    watch = Watch()
    assert len(told(watch, 9, spread=0.0)) == 1
    told(watch, 1)
    assert len(told(watch, 9, spread=0.0)) == 1


def test_steps_without_the_adversary_say_nothing_about_it() -> None:
    watch = Watch()
    assert not [text for _ in range(300) for text in watch.look({"spread": 0.3, "loss": 0.0})]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(TrainingDied, match="Losses are not finite at step 7: match"):
        require_finite({"loss": 1.0, "match": value}, "Losses", 7)
