"""Every metric against scikit-learn and torchmetrics, with ties, to 1e-9; what cannot be measured is refused with its
reason.
"""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, roc_auc_score, roc_curve
from sklearn.metrics import log_loss as sklearn_log_loss

from detector.evaluation import metrics
from detector.evaluation.metrics import Curve
from sfumato.errors import UsageError

NEAR = 1e-9


def draw(seed: int, size: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores with many ties: thirteen values between 0 and 1; every other seed almost none."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, size)
    labels[:2] = 0, 1
    scores = np.clip(rng.normal(0.4 + 0.15 * labels, 0.25), 0, 1)
    return labels, np.round(scores * 12) / 12 if seed % 2 else scores


@pytest.fixture(params=range(6))
def drawn(request) -> tuple[np.ndarray, np.ndarray]:
    return draw(request.param)


@pytest.fixture(scope="module")
def torchmetrics() -> Any:
    """Loaded with the first test that asks it: collecting these tests need not wait seconds for it."""
    from torchmetrics.functional import classification

    return classification


@pytest.fixture(autouse=True)
def double_precision():
    """torchmetrics sums in torch's default type; in 32 bits it is itself wrong by 1e-7."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def tensors(labels, scores):
    return torch.as_tensor(scores, dtype=torch.float64), torch.as_tensor(labels)


def test_auc(torchmetrics, drawn) -> None:
    labels, scores = drawn
    found = Curve(labels, scores).auc()[0]
    assert found == pytest.approx(roc_auc_score(labels, scores), abs=NEAR)
    assert found == pytest.approx(metrics.auc(scores[labels == 1], scores[labels == 0]), abs=NEAR)
    assert found == pytest.approx(float(torchmetrics.binary_auroc(*tensors(labels, scores))), abs=NEAR)


def test_average_precision(torchmetrics, drawn) -> None:
    labels, scores = drawn
    found = Curve(labels, scores).average_precision()[0]
    assert found == pytest.approx(average_precision_score(labels, scores), abs=NEAR)
    assert found == pytest.approx(float(torchmetrics.binary_average_precision(*tensors(labels, scores))), abs=NEAR)


def test_eer(drawn) -> None:
    from scipy.interpolate import interp1d
    from scipy.optimize import brentq

    labels, scores = drawn
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    distance = np.abs(1 - tpr - fpr)
    assert metrics.eer_deepfakebench(labels, scores) == pytest.approx(fpr[np.argmin(distance)], abs=NEAR)
    along = np.linspace(0, 1, fpr.size)  # the curve by its length, since fpr alone has jumps
    crossing = brentq(lambda t: float(interp1d(along, fpr + tpr)(t)) - 1, 0, 1, xtol=1e-14)
    assert Curve(labels, scores).eer()[0] == pytest.approx(float(interp1d(along, fpr)(crossing)), abs=NEAR)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.25, 0.5])
def test_tpr_at_fpr(torchmetrics, drawn, rate) -> None:
    labels, scores = drawn
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    found = Curve(labels, scores).tpr_at(rate)[0]
    assert found == pytest.approx(tpr[fpr <= rate].max(), abs=NEAR)
    sensitivity = torchmetrics.binary_sensitivity_at_specificity(
        *tensors(labels, scores), min_specificity=1 - rate - 1e-6
    )[0]
    assert found == pytest.approx(float(sensitivity), abs=NEAR)


def test_threshold_and_probability_metrics(drawn) -> None:
    labels, scores = drawn
    assert metrics.accuracy(labels, scores, 0.5) == pytest.approx(accuracy_score(labels, scores > 0.5), abs=NEAR)
    assert metrics.brier(labels, scores) == pytest.approx(brier_score_loss(labels, scores), abs=NEAR)
    inside = 0.01 + 0.98 * scores
    assert metrics.log_loss(labels, inside) == pytest.approx(sklearn_log_loss(labels, inside), abs=NEAR)
    assert metrics.partial_auc(labels, scores, 0.1) == pytest.approx(
        roc_auc_score(labels, scores, max_fpr=0.1), abs=NEAR
    )


def test_calibration_error(torchmetrics, drawn) -> None:
    labels, scores = drawn
    inside = (
        np.clip(scores, 1e-3, 1 - 1e-3) * 0.997 + 0.001
    )  # off the borders between bins, where the rounding of either would decide
    expected = float(torchmetrics.binary_calibration_error(*tensors(labels, inside), n_bins=15, norm="l1"))
    assert metrics.calibration_error(labels, inside) == pytest.approx(expected, abs=NEAR)


def test_calibration_error_of_equal_mass_known_value() -> None:
    assert metrics.calibration_error([0, 0, 1, 1], [0.1, 0.3, 0.6, 1.0], bins=2, equal_mass=True) == pytest.approx(0.2)


def test_log_loss_is_clipped_as_dfdc_did() -> None:
    assert metrics.log_loss([1, 0], [0.0, 0.0]) == pytest.approx(-np.log(1e-15) / 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(-4, 4), st.integers(0, 3)), min_size=2, max_size=40))
def test_weights_are_the_same_as_repeated_rows(rows) -> None:
    labels, scores, counts = (np.array(column) for column in zip(*rows, strict=True))
    if labels.all() or not labels.any() or not (counts * labels).sum() or not (counts * ~labels).sum():
        return
    weighted = Curve(labels, scores, counts[None].astype(float))
    repeated = Curve(np.repeat(labels, counts), np.repeat(scores, counts))
    assert weighted.auc()[0] == pytest.approx(repeated.auc()[0], abs=NEAR)
    assert weighted.average_precision()[0] == pytest.approx(repeated.average_precision()[0], abs=NEAR)
    assert weighted.eer()[0] == pytest.approx(repeated.eer()[0], abs=NEAR)
    assert weighted.tpr_at(0.2)[0] == pytest.approx(repeated.tpr_at(0.2)[0], abs=NEAR)


@pytest.mark.parametrize(
    ("labels", "scores", "reason"),
    [([], [], "no scores"), ([1, 1], [0.1, 0.2], "All 2 are fake"), ([0, 0, 0], [0.1, 0.2, 0.3], "All 3 are real"),
     ([0, 1], [0.1, float("nan")], "1 of 2 scores"), ([0, 1], [float("inf"), float("nan")], "2 of 2 scores"),
     ([0, 2], [0.1, 0.2], "neither 0"), ([0, 1, 1], [0.1, 0.2], "labels")],
)  # fmt: skip
def test_degenerate_inputs_are_refused_with_a_reason(labels, scores, reason) -> None:
    for metric in (Curve, metrics.eer_deepfakebench, metrics.log_loss, metrics.brier, metrics.calibration_error):
        with pytest.raises(UsageError, match=reason):
            metric(labels, scores)
    with pytest.raises(UsageError, match=reason):
        metrics.accuracy(labels, scores, 0.5)


def test_scores_that_are_no_probabilities_are_refused_where_it_matters() -> None:
    assert Curve([0, 1], [-3.0, 7.0]).auc()[0] == 1
    for metric in (metrics.log_loss, metrics.brier, metrics.calibration_error):
        with pytest.raises(UsageError, match="-3 to 7"):
            metric([0, 1], [-3.0, 7.0])


@pytest.mark.parametrize(
    ("rate", "reals", "fits"), [(0.01, 100, True), (0.01, 99, False), (0.1, 10, True), (0.001, 999, False)]
)
def test_rates_that_cannot_be_seen_are_refused(rate, reals, fits) -> None:
    if fits:
        metrics.check_rate(rate, reals)
    else:
        with pytest.raises(UsageError, match=f"on {reals} reals"):
            metrics.check_rate(rate, reals)


def test_one_sided_auc_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        metrics.auc([1.0], [])


def test_precision_at_a_prevalence_known_value() -> None:
    assert metrics.precision_at(0.001, 0.8, 0.01) == pytest.approx(0.0741, abs=5e-5)
    assert metrics.precision_at(0.1, 0.0, 0.0) is None


def test_a_rate_needs_exactly_as_many_reals_as_the_refusal_says() -> None:
    with pytest.raises(UsageError) as refused:
        metrics.check_rate(0.01, 50)
    assert "at least 100" in str(refused.value.advice)
    for rate in (0.0, 1.0, -0.5, 1.5):
        with pytest.raises(UsageError, match="is none"):
            metrics.check_rate(rate, 10**6)


def test_curve_of_three_scores_known_points() -> None:
    curve = Curve([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    assert curve.thresholds.tolist() == [0.9, 0.5, 0.1]
    assert curve.hits.tolist() == [[1.0, 2.0, 2.0]]
    assert curve.alarms.tolist() == [[0.0, 1.0, 2.0]]
    tpr, fpr = curve.rates()
    assert (tpr.tolist(), fpr.tolist()) == ([[0.0, 0.5, 1.0, 1.0]], [[0.0, 0.0, 0.5, 1.0]])
    assert curve.tpr_at(0.5).tolist() == [1.0]
    assert curve.tpr_at(0.49).tolist() == [0.5]
    assert curve.eer().tolist() == pytest.approx([0.25])


def test_a_draw_without_one_class_is_no_number() -> None:
    curve = Curve([1, 1, 0, 0], [0.9, 0.2, 0.4, 0.1], np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]))
    for found in (curve.auc(), curve.eer()):
        assert np.isfinite(found).tolist() == [False, False, True]


def test_draws_that_skip_the_highest_score_have_a_precision_of_zero_there() -> None:
    curve = Curve([0, 1, 0, 1], [0.9, 0.8, 0.3, 0.2], np.array([[0.0, 1, 1, 1]]))
    assert curve.average_precision().tolist() == pytest.approx([0.5 * 1 + 0.5 * 2 / 3])


def test_a_score_on_the_threshold_is_not_flagged() -> None:
    assert metrics.accuracy([0, 1], [0.5, 0.5], 0.5) == 0.5


def test_probabilities_may_reach_both_ends() -> None:
    assert metrics.brier([0, 1], [0.0, 1.0]) == 0.0
    for low, high in ((-0.01, 1.0), (0.0, 1.01)):
        with pytest.raises(UsageError, match="no probabilities"):
            metrics.checked_probabilities([0, 1], [low, high])


def test_bins_of_calibration_are_open_to_the_left() -> None:
    """.5 of two bins belongs to the lower one, 0 and 1 to the outer ones."""
    assert metrics.calibration_error([0, 0, 1, 1], [0.0, 0.5, 0.6, 1.0], bins=2) == pytest.approx(
        (2 * abs(0 - 0.25) + 2 * abs(1 - 0.8)) / 4
    )


def test_equal_mass_never_makes_more_bins_than_scores() -> None:
    assert metrics.calibration_error([0, 1], [0.2, 0.6], equal_mass=True) == pytest.approx((0.2 + 0.4) / 2)


def test_partial_area_is_refused_where_the_reals_cannot_show_it() -> None:
    with pytest.raises(UsageError, match="on 4 reals"):
        metrics.partial_auc([0, 0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5], 0.1)


def test_auc_of_ties_is_half() -> None:
    assert metrics.auc([1.0, 2.0], [1.0, 1.0, 3.0]) == pytest.approx((0.5 + 0.5 + 0 + 1 + 1 + 0) / 6)
    for sides in (([], [1.0]), ([1.0], [])):
        with pytest.raises(ValueError, match="at least one"):
            metrics.auc(*sides)


def test_labels_and_scores_of_more_than_one_rank_are_refused() -> None:
    with pytest.raises(UsageError, match="labels"):
        metrics.checked([[0, 1]], [[0.1, 0.2]])


def test_precision_counts_both_kinds_by_their_share() -> None:
    assert metrics.precision_at(0.25, 0.8, 0.1) == pytest.approx(0.2 / 0.275)


def test_log_loss_is_clipped_at_the_upper_end_too() -> None:
    assert metrics.log_loss([0, 1], [1.0, 1.0]) == pytest.approx(-np.log(1e-15) / 2, rel=0.01)


@pytest.mark.parametrize("kind", ["auc", "average_precision", "eer", "tpr_at"])
def test_a_draw_in_which_a_class_has_no_weight_has_no_value(kind: str) -> None:
    labels, scores = [0, 1, 0, 1], [0.1, 0.4, 0.3, 0.8]
    draws = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]])
    curve = Curve(labels, scores, draws)
    found = curve.tpr_at(0.1) if kind == "tpr_at" else getattr(curve, kind)()
    assert np.isnan(found).tolist() == [False, True, True]
