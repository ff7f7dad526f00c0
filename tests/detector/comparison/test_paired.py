"""Paired differences: against a bootstrap written out here, and where the answer is known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from detector.comparison.judged import Judged, panel
from detector.comparison.paired import SAME, rows
from detector.evaluation import intervals
from detector.evaluation.run import EvaluationConfig
from tests.comparison_fixtures import noisy, pair, people, said

CONFIG = EvaluationConfig(frames=0)


def found(judged, config=CONFIG):
    return list(rows(panel(judged, config)))


def test_a_paired_difference_is_that_of_a_bootstrap_over_people_written_out() -> None:
    judged = pair(count=60)
    taken = panel(judged, CONFIG)
    whole = next(iter(rows(taken)))
    names = [item.sample.identity for item in taken.scored]
    owned = [np.flatnonzero(np.array(names) == name) for name in sorted(set(names))]
    rng = np.random.default_rng(7)
    values, alone = [], []
    for _ in range(2000):
        numbers = np.concatenate([owned[i] for i in rng.integers(0, len(owned), len(owned))])
        first, second = (roc_auc_score(taken.labels[numbers], taken.scores[n][numbers]) for n in ("first", "second"))
        values.append(second - first)
        alone.append(second)
    (difference,) = whole.differences
    first, second = (roc_auc_score(taken.labels, taken.scores[n]) for n in ("first", "second"))
    assert difference.metrics["auc"] == pytest.approx(second - first)
    assert difference.intervals["auc"] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.008)
    assert whole.detectors[1].intervals["auc"] == pytest.approx(np.percentile(alone, [2.5, 97.5]), abs=0.008)
    width = np.ptp(difference.intervals["auc"])  # pairing is worth something: unpaired it would be wider
    assert width < 0.8 * np.hypot(*(np.ptp(each.intervals["auc"]) for each in whole.detectors))


def test_people_are_drawn_whole() -> None:
    """One person's thirty videos are no thirty people: copies of videos leave intervals as wide as they were."""
    once = found(pair(count=30))[0]
    first = people(30)
    copies = [item for item in first for _ in range(4)]
    second = [item for item in noisy(first) for _ in range(4)]
    many = found([Judged("first", copies), Judged("second", second)])[0]
    assert many.clusters == once.clusters == 30
    assert many.differences[0].intervals["auc"] == pytest.approx(once.differences[0].intervals["auc"], abs=1e-9)


def test_a_detector_against_itself_differs_by_nothing() -> None:
    first = people(30)
    (difference,) = found([Judged("a", first), Judged("b", first)])[0].differences
    assert set(difference.metrics.values()) == {0.0}
    assert set(difference.intervals.values()) == {(0.0, 0.0)}
    assert not difference.clear("auc")


def test_a_monotone_change_of_scores_changes_no_ranking_metric() -> None:
    first = people(30)
    logits = said(first, lambda score, number: 20 * score - 3)
    (difference,) = found([Judged("a", first), Judged("b", logits)])[0].differences
    assert difference.metrics["auc"] == 0.0
    assert difference.refused["auc"] == SAME  # not the same scores, and yet no spread: that is no certainty


def test_the_better_one_is_clear_and_of_the_right_sign() -> None:
    first = people(60, gap=3.0)
    rng = np.random.default_rng(0)
    guess = said(first, lambda score, number: float(rng.random()))
    (difference,) = found([Judged("guess", guess), Judged("good", first)])[0].differences
    assert difference.against == "guess"
    assert difference.metrics["auc"] > 0.3 and difference.metrics["eer"] < -0.3
    assert difference.clear("auc") and difference.clear("eer")


def test_a_rate_of_one_gets_exact_bounds() -> None:
    perfect = said(people(20), lambda score, number: float(number % 3 > 0))
    (figures,) = found([Judged("perfect", perfect)])[0].detectors
    assert figures.metrics["tpr@0.1"] == 1.0
    assert figures.intervals["tpr@0.1"][0] < 0.9


def test_slices_are_those_of_an_evaluation() -> None:
    told = found(pair(count=12))
    assert [dict(row.slice) for row in told] == [
        {}, {"compression": "c23"}, {"compression": "c40"}, {"family": "blend"}, {"family": "reenact"},
        {"generator": "swap"}, {"generator": "warp"},
    ]  # fmt: skip
    assert [dict(row.videos) for row in told[:4]] == [
        {"real": 12, "fake": 24}, {"real": 6, "fake": 12}, {"real": 6, "fake": 12}, {"real": 12, "fake": 12},
    ]  # fmt: skip


def test_what_too_few_cannot_show_is_refused_with_the_reason(monkeypatch) -> None:
    monkeypatch.setattr(intervals, "DRAWS", 50)
    told = found(pair(count=4))
    assert told[0].refused["intervals"].startswith("The reals come from 4 ")
    assert told[0].refused["tpr@0.01"] == "A false-positive rate of 0.01 cannot be seen on 4 reals"
    assert told[0].detectors[0].intervals == {} and told[0].differences[0].intervals == {}
    alone = [item for item in people(8) if item.sample.label == "fake"]
    assert found([Judged("a", alone)])[0].refused == {
        "all metrics": "All 16 are fake: there is nothing to tell apart",
    }
