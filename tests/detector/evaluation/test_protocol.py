"""Scores under a protocol: aggregators by known values, levels, what is done without a face, and what an identifier
tells apart.
"""

import dataclasses

import numpy as np
import pytest

from detector.datasets.sample import Sample
from detector.evaluation.protocol import _AGGREGATE, Protocol, Scored, are_probabilities, coverage, units
from detector.inference.fusion import pooled, probability
from sfumato.errors import UsageError
from tests.evaluation_fixtures import sample, scored


def aggregate(name: str, scores) -> float:
    return _AGGREGATE[name](np.asarray(scores, float))


def test_aggregators_known_values() -> None:
    scores = [0.9, 0.1, 0.5, 0.3]
    assert aggregate("mean", scores) == pytest.approx(0.45)
    assert aggregate("max", scores) == 0.9
    assert aggregate("top-k", scores) == 0.9  # a tenth of four, at least one
    assert aggregate("top-k", np.linspace(0, 1, 21)) == pytest.approx(
        np.mean([1, 0.95, 0.9])
    )  # a tenth of 21, rounded up
    assert aggregate("logit-mean", [0.9, 0.1]) == pytest.approx(0.5)
    assert aggregate("logit-mean", [0.0, 1.0]) == pytest.approx(0.5, abs=1e-4)  # the ends do not overflow
    logits = np.array([2.0, -1.0, 0.5])
    assert aggregate("top-third", probability(logits)) == pytest.approx(float(probability(pooled(logits))))


def test_confident_aggregator_of_the_dfdc_winner() -> None:
    fake = [0.9] * 14 + [0.1] * 16
    assert aggregate("confident", fake) == pytest.approx(0.9)  # 14 of 30 are sure, more than 12 and more than 11
    assert aggregate("confident", [0.9] * 11 + [0.3] * 5) == pytest.approx(
        np.mean([0.9] * 11 + [0.3] * 5)
    )  # eleven are not enough
    assert aggregate("confident", [0.1] * 28 + [0.7]) == pytest.approx(0.1)
    assert aggregate("confident", [0.1] * 9 + [0.7]) == pytest.approx(0.16)  # nine tenths are not more than nine tenths


TWO_PEOPLE = Scored(sample("v", "fake"), "ok", (((0.0, 0.2), (1.0, 0.4)), ((1.0, 0.8), (2.0, 0.6))), faceless=1)


@pytest.mark.parametrize(
    ("level", "no_face", "expected"),
    [
        ("frame", "drop", [0.2, 0.8, 0.6]),
        ("frame", "half", [0.2, 0.8, 0.6, 0.5]),
        ("video", "half", [1.6 / 3]),
        ("track", "half", [0.7]),
    ],
)
def test_levels(level, no_face, expected) -> None:
    found = units([TWO_PEOPLE], Protocol(level, "mean", no_face))
    assert found.scores.tolist() == pytest.approx(expected)
    assert found.labels.tolist() == [1] * len(expected)


@pytest.mark.parametrize(("no_face", "expected"), [("drop", [0.7]), ("half", [0.5, 0.7]), ("abstain", [0.7])])
def test_a_video_without_a_face(no_face, expected) -> None:
    nobody = Scored(sample("n", "real"), "abstain", faceless=3)
    found = units([nobody, scored("f", "fake", 0.7)], Protocol("video", "mean", no_face))
    assert found.scores.tolist() == expected
    assert found.of[-1] == 1
    assert units([nobody], Protocol("frame", "mean", "half")).scores.tolist() == [0.5] * 3


def test_coverage() -> None:
    found = coverage([Scored(sample("n", "real"), "abstain", faceless=3), scored("r", "real", 0.1), TWO_PEOPLE])
    assert found == {"real": 0.5, "fake": 1.0, "frames": pytest.approx(4 / 8)}


def test_other_scores_than_probabilities() -> None:
    raw = [scored("a", "fake", 7.5), scored("b", "real", -2.0)]
    assert not are_probabilities(raw)
    assert units(raw, Protocol("video", "mean", "abstain")).scores.tolist() == [7.5, -2.0]
    for protocol in (Protocol("video", "mean", "half"), Protocol("video", "logit-mean", "abstain")):
        with pytest.raises(UsageError, match="means nothing"):
            units(raw, protocol)


def test_identifier_tells_apart_what_is_not_comparable() -> None:
    rows = [scored("a", "fake", 0.9), scored("b", "real", 0.1)]
    base = Protocol()
    others = [
        dataclasses.replace(base, **change)
        for change in (
            {"level": "track"},
            {"aggregator": "max"},
            {"no_face": "drop"},
            {"frames": 16},
            {"unit": "video"},
        )
    ]
    found = {base.identifier(rows), *(other.identifier(rows) for other in others), base.identifier(rows[:1])}
    assert len(found) == 7
    assert base.identifier(rows) == base.identifier(rows[::-1])  # the order of files is no protocol
    assert base.identifier([scored("a", "fake", 0.2), rows[1]]) == base.identifier(rows)  # nor are the scores
    assert base.identifier(rows).startswith("s1-video-mean-half-")


@pytest.mark.parametrize("wrong", [{"level": "clip"}, {"aggregator": "median"}, {"no_face": "zero"}])
def test_unknown_words_are_refused(wrong) -> None:
    with pytest.raises(UsageError, match="There is no"):
        Protocol(**wrong)


def test_group_key_keeps_methods_apart() -> None:
    """The four fakes of one FaceForensics++ pair share a folder's name; merged, an AUC of .798 reads .833."""
    keys = {sample("071_054", "fake", method=method).key for method in ("Deepfakes", "Face2Face")}
    assert len(keys) == 2
    assert (
        len(
            {
                Sample("d", "v", sample("v", "fake").path, "fake", "m", "blend", "p", compression=c).key
                for c in ("c23", "c40")
            }
        )
        == 2
    )
