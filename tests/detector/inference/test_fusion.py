"""Joining two kinds of evidence: known values, monotone, stable, an untrained head left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.inference.fusion import Stack, pooled, probability

LOGITS = st.floats(-200, 200)


def test_two_even_odds_make_three_quarters() -> None:
    assert probability(Stack().logit(np.zeros(2))) == pytest.approx(0.75)


@given(LOGITS, LOGITS, st.floats(0, 50))
def test_more_evidence_never_lowers_the_score(blend: float, synthesis: float, more: float) -> None:
    base = Stack().logit(np.array([blend, synthesis]))
    assert Stack().logit(np.array([blend + more, synthesis])) >= base - 1e-9
    assert Stack().logit(np.array([blend, synthesis + more])) >= base - 1e-9


@given(LOGITS)
def test_a_head_left_out_changes_nothing(value: float) -> None:
    logit = Stack(scale=(1.0, 0.0)).logit(np.array([value, 123.0]))
    assert logit == pytest.approx(value, abs=1e-6)


def test_extremes_are_finite() -> None:
    assert np.isfinite(Stack().logit(np.array([[900.0, 900.0], [-600.0, -600.0]]))).all()


def test_probability_does_not_overflow() -> None:
    assert probability(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("logits", "expected"),
    [([2.0], 2.0), ([1.0, 5.0], 5.0), ([0.0, 3.0, -1.0, 5.0], 4.0), ([-4.0, 2.0, 4.0, 0.0, 0.0, -9.0], 3.0)],
)
def test_the_highest_third_of_the_frames_speaks(logits: list[float], expected: float) -> None:
    assert pooled(logits) == pytest.approx(expected)


def test_no_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        pooled([])


def test_a_stack_comes_back_from_its_json() -> None:
    stack = Stack((0.5, 0.0), (-1.0, 2.0))
    assert Stack.from_json(stack.as_json()) == stack
    assert stack.as_json()["heads"] == ["blend", "synthesis"]


def test_json_of_three_heads_is_refused() -> None:
    with pytest.raises(ValueError, match="too many values"):
        Stack.from_json(Stack().as_json() | {"scale": [1.0, 1.0, 1.0]})
