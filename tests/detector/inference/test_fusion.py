"""Joining two kinds of evidence: known values, monotone, stable, an untrained head left out."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.inference.fusion import Lines, Stack, pooled, probability
from detector.inference.quality_norm import QUALITIES

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
    assert np.isfinite(Stack().logit(np.array([[900.0, 900.0], [-600.0, -600.0], [-900.0, -900.0]]))).all()


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


EVERY_HEAD = ("blend", "synthesis", "blend-layers", "synthesis-layers", "motion")


def test_a_number_for_each_head_is_needed() -> None:
    with pytest.raises(ValueError, match="2 heads, 3 scales, 2 offsets"):
        Stack.from_json(Stack().as_json() | {"scale": [1.0, 1.0, 1.0]})


@pytest.mark.parametrize(
    "heads", [("synthesis", "blend"), ("blend", "synthesis", "gait"), ("blend", "synthesis", "motion", "motion")]
)
def test_heads_that_nothing_is_known_of_are_refused(heads: tuple[str, ...]) -> None:
    ones = [1.0] * len(heads)
    with pytest.raises(ValueError, match="heads"):
        Stack.from_json({"heads": list(heads), "scale": ones, "offset": ones, "norm": None})


@pytest.mark.parametrize(
    "changed",
    [{"gain": 0.0}, {"gain": -1.0}, {"gain": float("inf")}, {"shift": float("nan")}, {"scale": [1.0, float("nan")]}],
)
def test_numbers_that_no_fit_gives_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the stack's"):
        Stack.from_json(Stack().as_json() | changed)


def test_lines_of_pictures_are_of_every_head() -> None:
    with pytest.raises(ValueError, match="2 heads, 1 scales, 1 offsets"):
        Stack.from_json(Stack().as_json() | {"pictures": {"scale": [1.0], "offset": [0.0]}})


def test_a_picture_and_a_video_are_judged_by_lines_of_their_own() -> None:
    stack = Stack((1.0, 0.0), (-1.0, 0.0), gain=0.5, shift=0.25, pictures=Lines((0.0, 2.0), (0.0, 3.0)))
    picture, video = (np.array([0.0] * (len(QUALITIES) - 1) + [last]) for last in (0.0, 1.0))
    said = np.array([4.0, 5.0])
    assert stack.at(video).logit(said) == pytest.approx(0.5 * 3 + 0.25)
    assert stack.at(picture).logit(said) == pytest.approx(0.5 * 13 + 0.25)
    assert np.isneginf(stack.at(picture).each(said)[0])


def test_json_keeps_every_head() -> None:
    numbers = (0.1, 0.2, 0.3, 0.4, 0.5)
    stack = Stack((1.0, 2.0, 3.0, 4.0, 5.0), numbers, None, 0.5, -1.0, EVERY_HEAD, Lines(numbers, numbers))
    assert Stack.from_json(json.loads(json.dumps(stack.as_json()))) == stack


def test_what_was_not_looked_at_adds_nothing() -> None:
    two, five = (
        Stack((1.0, 2.0), (0.5, -0.5)),
        Stack((1.0, 2.0, 3.0, 1.0, 4.0), (0.5, -0.5, 9.0, 9.0, 9.0), heads=EVERY_HEAD),
    )
    seen = np.random.default_rng(0).normal(size=(6, 2))
    assert five.logit(seen) == pytest.approx(two.logit(seen))
    assert np.isneginf(five.each(seen)[:, 2:]).all()
    assert (five.weights(seen)[:, 2:] == 0).all()


def test_every_head_that_looked_can_raise_the_score() -> None:
    stack = Stack((1.0,) * 5, (0.0,) * 5, heads=EVERY_HEAD)
    rest = np.full(5, -3.0)
    for head in range(5):
        assert stack.logit(np.where(np.arange(5) == head, 4.0, rest)) > stack.logit(rest) + 3


def test_known_value_of_two_scaled_heads() -> None:
    stack = Stack(scale=(2.0, 0.5), offset=(-1.0, 0.25), gain=3.0, shift=-0.5)
    first, second = 1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(-0.75))  # of 2 x 1 - 1 and 0.5 x 1 + 0.25
    both = 1 - (1 - first) * (1 - second)
    expected = 3 * np.log(both / (1 - both)) - 0.5
    assert stack.logit(np.ones(2)) == pytest.approx(expected)
    assert stack.logit(np.ones((4, 3, 2))).shape == (4, 3)


def test_each_head_alone_is_scaled_shifted_and_never_above_both() -> None:
    stack = Stack(scale=(2.0, 0.5), offset=(-1.0, 0.25), gain=3.0, shift=-0.5)
    assert stack.each(np.ones(2)) == pytest.approx([3 * 1 - 0.5, 3 * 0.75 - 0.5])
    assert stack.each(np.ones(2)).max() < stack.logit(np.ones(2))
    assert Stack(scale=(0.0, 1.0)).each(np.array([5.0, 2.0])).tolist() == [-np.inf, 2.0]


@pytest.mark.parametrize("evidence", [(-3.0, 1.0), (0.0, 0.0), (2.0, -2.0), (4.0, 4.0)])
def test_weights_are_the_gradient_of_the_logit(evidence: tuple[float, float]) -> None:
    stack, at, step = Stack((1.5, 0.7), (0.2, -0.4), gain=2.0, shift=1.0), np.array(evidence), 1e-5
    slopes = [(stack.logit(at + step * axis) - stack.logit(at - step * axis)) / (2 * step) for axis in np.eye(2)]
    assert stack.weights(at) == pytest.approx(slopes, rel=1e-4)


def test_weights_of_a_head_left_out_are_none_and_hopeless_evidence_is_finite() -> None:
    assert Stack(scale=(0.0, 2.0)).weights(np.array([1.0, 1.0])) == pytest.approx([0.0, 2.0])
    assert np.isfinite(Stack().weights(np.array([-900.0, -900.0]))).all()


def test_no_head_used_is_even_odds_for_every_frame() -> None:
    assert Stack(scale=(0.0, 0.0)).logit(np.ones((3, 2))).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("value", [-20.0, -3.0, 29.0, 29.9999, 30.0, 31.0, 100.0])
def test_one_head_alone_is_its_own_logit_at_both_ends(value: float) -> None:
    assert Stack(scale=(1.0, 0.0)).logit(np.array([value, 0.0])) == pytest.approx(value, abs=1e-6)


def test_without_a_norm_quality_changes_nothing() -> None:
    stack = Stack((1.5, 0.7))
    assert stack.at([0.1, 0.2, 0.3]) == stack


def test_probability_known_values() -> None:
    assert probability(np.log(3.0)) == pytest.approx(0.75)
    assert probability(-np.log(3.0)) == pytest.approx(0.25)
