"""Bounds of a rate by known values; the bootstrap resamples clusters and says when it cannot."""

import numpy as np
import pytest

from detector.evaluation.intervals import bootstrap, cluster, largest_rate, rate_bounds
from detector.evaluation.metrics import Curve
from sfumato.errors import UsageError


def test_rate_bounds_known_values() -> None:
    from scipy.stats import binomtest

    for flagged, of in ((0, 50), (3, 40), (40, 40)):
        expected = binomtest(flagged, of).proportion_ci(method="exact")
        assert rate_bounds(flagged, of) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert largest_rate(0, 300) == pytest.approx(3 / 300, rel=0.01)  # the rule of three
    with pytest.raises(UsageError):
        rate_bounds(0, 0)


def people(*names: str) -> list[frozenset[str]]:
    return [frozenset(name) for name in names]


def test_videos_that_share_a_source_are_one_cluster() -> None:
    found = cluster(people("a", "ab", "cd", "d", "e", "e", "f", "g"), list("aacdeefg"))
    assert found.unit == "source"
    assert found.count == 5
    assert found.of[0] == found.of[1]
    assert found.of[2] == found.of[3] != found.of[4]


def test_clusters_are_numbered_as_recorded_intervals_had_them() -> None:
    """Draws of a seed go by number: another order would move every interval that was written down."""
    found = cluster(
        [frozenset(names.split()) for names in ("a z", "c", "b", "z y", "d c", "e")], list("acbyde"), "source"
    )
    assert found.of.tolist() == [3, 1, 0, 3, 1, 2]


def test_a_chain_through_everybody_falls_back_to_identities() -> None:
    found = cluster(people("ab", "bc", "cd", "da"), list("abca"))
    assert (found.unit, found.count) == ("identity", 3)
    assert cluster(people("ab", "bc"), list("ab"), "video").count == 2


def interval(labels, scores, clusters):
    return bootstrap(lambda weights: {"auc": Curve(labels, scores, weights).auc()}, labels, clusters)["auc"]


def test_interval_holds_the_estimate_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    scores = rng.normal(labels * 1.8, 1)
    names = people(*map(chr, range(200, 300)))
    clusters = cluster(names, [str(i) for i in range(100)])
    low, high = interval(labels, scores, clusters)
    assert low < Curve(labels, scores).auc()[0] < high
    assert 0.06 < high - low < 0.16  # 50 + 50 clips at an AUC of .9 give about .10
    assert interval(labels, scores, clusters) == (low, high)


def test_videos_of_one_person_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    labels, person = np.repeat([0, 1], 100), np.tile(np.repeat(np.arange(10), 10), 2) + np.repeat([0, 10], 100)
    scores = labels + rng.normal(0, 1, 20)[person]  # all videos of a person score alike
    alone = cluster([frozenset([str(i)]) for i in range(200)], [str(i) for i in range(200)])
    together = cluster([frozenset([f"p{p}"]) for p in person], [f"p{p}" for p in person])
    narrow, wide = interval(labels, scores, alone), interval(labels, scores, together)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_too_few_people_give_no_interval() -> None:
    labels = [0] * 6 + [1] * 4
    with pytest.raises(UsageError, match="fakes come from 1 source"):
        interval(labels, range(10), cluster(people(*"abcdefxxxx"), list("abcdefxxxx"), "source"))


def test_a_bootstrap_interval_is_1_96_standard_errors_to_each_side() -> None:
    """The mean of a score over 400 fakes, a person each: what a table of the normal distribution says of 95 %."""
    values = np.linspace(0, 1, 400)
    labels = np.repeat([0, 1], 400)
    alone = cluster([frozenset({str(i)}) for i in range(800)], [str(i) for i in range(800)], "video")

    def mean(weights):
        return {"mean": (weights[:, 400:] * values).sum(1) / weights[:, 400:].sum(1)}

    low, high = bootstrap(mean, labels, alone)["mean"]
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.06)  # 1.645 at 90 %
