"""Rows of an evaluation: slices, operating points with exact bounds, and refusals that say why."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from detector.evaluation.protocol import Protocol
from detector.evaluation.rows import clusters_of, measure, measure_slice, slices
from tests.evaluation_fixtures import crowd, scored


def test_a_row_says_what_was_measured() -> None:
    found = crowd()
    row = measure(found, clusters_of(found), Protocol())
    means = [float(item.frames().mean()) for item in found]
    expected = roc_auc_score([item.sample.label == "fake" for item in found], means)
    assert row.metrics["auc"] == pytest.approx(expected, abs=1e-9)
    low, high = row.intervals["auc"]
    assert low < expected < high
    assert row.videos == {"real": 40, "fake": 40}
    assert row.coverage == {"real": 1.0, "fake": 1.0, "frames": 1.0}
    assert (row.unit, row.clusters) == ("source", 80)
    assert row.protocol == Protocol().identifier(found)
    assert set(row.refused) == {"tpr@0.01", "tpr@0.001"}  # 40 reals show no rate below .025
    assert "tpr@0.1" in row.metrics


def test_slices() -> None:
    found = [*crowd(4, compression="c23"), *crowd(4, seed=1, compression="c40", dataset="other")]
    named = {"/".join(name.values()): numbers for name, numbers in slices(found)}
    assert set(named) == {"", "set", "other", "c23", "c40", "reenact", "swap", "warp"}
    assert {found[i].sample.compression for i in named["c40"]} == {"c40"}  # with its own reals
    assert sum(found[i].sample.label == "real" for i in named["swap"]) == 8  # against all reals
    assert {found[i].sample.method for i in named["swap"]} == {"real", "swap"}


def test_a_slice_without_reals_is_refused_not_left_out() -> None:
    found = [*crowd(10), *[scored(f"x{i}", "fake", 0.5, dataset="fakes only") for i in range(10)]]
    numbers = next(part for name, part in slices(found) if name == {"dataset": "fakes only"})
    row = measure_slice(found, clusters_of(found), numbers, Protocol())
    assert row.refused["all metrics"] == "All 10 are fake: there is nothing to tell apart"
    assert row.metrics == {}


def test_no_interval_from_few_people() -> None:
    found = crowd(10, identity="one and the same")
    row = measure(found, clusters_of(found), Protocol())
    assert "1 identity" in row.refused["intervals"]
    assert row.intervals == {}


def test_operating_points_count_abstentions_as_not_flagged() -> None:
    found = [scored(f"r{i}", "real", 0.2, flagged={"0.01": False}) for i in range(50)]
    found += [scored(f"f{i}", "fake", 0.9, flagged={"0.01": True}) for i in range(8)] + [
        scored(f"n{i}", "fake") for i in range(2)
    ]
    row = measure(found, clusters_of(found), Protocol(no_face="abstain"), threshold=0.5)
    for rates in (row.operating["fpr 0.01"], row.operating["score 0.5"]):
        assert (rates.tpr.flagged, rates.tpr.of) == (8, 10)
        assert (rates.fpr.flagged, rates.fpr.of) == (0, 50)
        assert rates.fpr_at_most == pytest.approx(1 - 0.05 ** (1 / 50))
        assert rates.precision["0.1"] == 1.0
    assert row.units == {"real": 50, "fake": 8}  # rankings are of those with a score
    assert row.coverage["fake"] == 0.8
    half = measure(found, clusters_of(found), Protocol(no_face="half"), threshold=0.4)
    assert half.operating["score 0.4"].tpr.flagged == 10  # .5 is above .4


def test_a_precision_has_the_bounds_that_both_rates_leave_possible() -> None:
    found = [scored(f"r{i}", "real", 0.2) for i in range(17)] + [scored(f"f{i}", "fake", 0.9) for i in range(12)]
    rates = measure(found, clusters_of(found), Protocol(no_face="abstain"), threshold=0.5).operating["score 0.5"]
    assert rates.precision["0.001"] == 1.0
    low, high = rates.precision_bounds["0.001"]
    missed, false = 1 - 0.0125 ** (1 / 12), 1 - 0.0125 ** (1 / 17)  # Clopper-Pearson of all and of none, at 97.5 %
    assert low == pytest.approx((1 - missed) * 0.001 / ((1 - missed) * 0.001 + false * 0.999))
    assert (low < 0.01, high) == (True, 1.0)
    told = rates.as_json()
    assert (told["accuracy_of"], told["precision_interval"]["0.001"]) == ([29, 29], [low, high])


def test_a_rate_that_no_draw_changes_gets_exact_bounds() -> None:
    found = [scored(f"r{i}", "real", 0.2) for i in range(20)] + [scored(f"f{i}", "fake", 0.9) for i in range(10)]
    row = measure(found, clusters_of(found), Protocol())
    assert (row.metrics["tpr@0.1"], row.metrics["eer"]) == (1.0, 0.0)
    assert row.intervals["tpr@0.1"] == pytest.approx((0.025 ** (1 / 10), 1.0))
    assert row.intervals["eer"] == pytest.approx((0.0, 1 - 0.025 ** (1 / 10)))


def test_frames_of_a_person_are_resampled_together() -> None:
    rng = np.random.default_rng(0)
    means = [float(np.clip(rng.normal(0.4 + 0.2 * (i % 2), 0.2), 0, 1)) for i in range(30)]
    found = [scored(f"v{i}", ("real", "fake")[i % 2], *[mean] * 30) for i, mean in enumerate(means)]
    frames = measure(found, clusters_of(found), Protocol(level="frame"))
    videos = measure(found, clusters_of(found), Protocol())
    assert frames.units == {"real": 450, "fake": 450}
    assert frames.intervals["auc"] == pytest.approx(videos.intervals["auc"], abs=0.01)


def test_raw_scores_have_no_calibration() -> None:
    found = [scored(f"v{i}", ("real", "fake")[i % 2], float(i)) for i in range(40)]
    row = measure(found, clusters_of(found), Protocol(no_face="abstain"))
    assert "brier" not in row.metrics
    assert row.refused["log_loss, brier, ece"] == "The scores are no probabilities"
