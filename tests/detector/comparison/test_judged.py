"""The videos that all detectors judged: what leaves one out, for whom, and what is told of it."""

import pytest

from detector.comparison.judged import Judged, panel
from detector.evaluation.predictions import LACKING
from detector.evaluation.protocol import Scored
from detector.evaluation.run import EvaluationConfig
from sfumato.errors import UsageError
from tests.comparison_fixtures import people, said

CONFIG = EvaluationConfig(frames=0)


def abstaining(items, numbers, reason="no score"):
    return [
        Scored(item.sample, "abstain", reason=reason) if number in numbers else item
        for number, item in enumerate(items)
    ]


def test_a_video_at_which_any_failed_is_left_out_for_all() -> None:
    first = people(10)
    second = said(first, lambda score, number: None if number in (3, 4) else score)
    third = abstaining(first, {4, 5}, LACKING)
    found = panel([Judged("a", first), Judged("b", second), Judged("c", third)], CONFIG)
    assert [item.sample.video_id for item in found.scored] == [
        item.sample.video_id for number, item in enumerate(first) if number not in (3, 4, 5)
    ]
    assert {name: scores.size for name, scores in found.scores.items()} == {"a": 27, "b": 27, "c": 27}
    assert [(each.judged, each.abstained, each.failed) for each in found.tallies] == [
        (30, 0, 0),
        (28, 0, 2),
        (28, 0, 2),
    ]
    assert found.tallies[1].failures[0] == (str(first[3].sample.path), "ValueError: <no>")
    assert found.of == 30


@pytest.mark.parametrize(("policy", "common"), [("half", 30), ("abstain", 28), ("drop", 28)])
def test_an_abstention_counts_half_or_leaves_the_video_out(policy, common) -> None:
    first = people(10)
    found = panel(
        [Judged("a", first), Judged("b", abstaining(first, {1, 2}))], EvaluationConfig(frames=0, no_face=policy)
    )
    assert found.labels.size == common
    assert found.tallies[1].abstained == 2
    if policy == "half":
        assert found.scores["b"][[1, 2]].tolist() == [0.5, 0.5]


def test_an_abstention_among_scores_that_are_no_probabilities_leaves_the_video_out() -> None:
    first = people(10)
    logits = said(first, lambda score, number: 10 * score - 5)
    found = panel([Judged("a", first), Judged("b", abstaining(logits, {0}))], CONFIG)
    assert found.labels.size == 29
    assert [each.protocol.split("-")[3] for each in found.tallies] == ["half", "abstain"]


def test_frames_of_a_video_are_put_together_before_they_are_compared() -> None:
    first = people(5)
    frames = [Scored(item.sample, "ok", (((0.0, 0.2), (1.0, 0.6)),)) for item in first]
    found = panel([Judged("a", first), Judged("b", frames)], CONFIG)
    assert found.scores["b"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("judged", "config", "message"),
    [
        ([Judged("a", people(5)), Judged("a", people(5))], CONFIG, "Two detectors are called 'a'"),
        ([Judged("a", people(5))], EvaluationConfig(level="frame"), "same frames"),
        (
            [Judged("a", people(5)), Judged("b", said(people(5), lambda score, number: None))],
            CONFIG,
            r"No video was judged by all.*a judged 15; b judged 0",
        ),
        (
            [Judged("odd", said(people(5), lambda score, number: 7.0), frames=1)],
            EvaluationConfig(frames=1, aggregator="confident"),
            "odd: 'confident' means nothing",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(judged, config, message) -> None:
    with pytest.raises(UsageError, match=message):
        panel(judged, config)
