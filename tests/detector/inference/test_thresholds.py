"""Thresholds: bands, the one place where a file is flagged, rates that a calibration lacks, JSON."""

import pytest

from detector.inference.fusion import probability
from detector.inference.thresholds import Band, Thresholds, in_words

KNOWN = Thresholds({0.1: 1.0, 0.01: 2.0, 0.001: 3.0}, 999, "abc")


@pytest.mark.parametrize(
    ("logit", "band"),
    [(None, Band.NONE), (0.0, Band.LOW), (1.5, Band.RAISED), (2.5, Band.FLAGGED), (3.5, Band.STRONG)],
)
def test_a_band_lies_between_two_thresholds(logit, band) -> None:
    assert KNOWN.band(logit, 0.01) == band


def test_bands_are_five_and_rise() -> None:
    assert [band.name for band in sorted(Band)] == ["NONE", "LOW", "RAISED", "FLAGGED", "STRONG"]
    assert [band.flagged for band in sorted(Band)] == [False, False, False, True, True]


def test_only_a_rate_that_is_asked_for_or_a_stricter_one_flags() -> None:
    """A score above the threshold of one false alarm in ten must not flag at one in a hundred."""
    flagged = {fpr: [KNOWN.band(logit, fpr).flagged for logit in (0.5, 1.5, 2.5, 3.5)] for fpr in (0.1, 0.01, 0.001)}
    assert flagged[0.1] == [False, True, True, True]
    assert flagged[0.01] == [False, False, True, True]
    assert flagged[0.001] == [False, False, False, True]


def test_a_logit_at_the_threshold_does_not_exceed_it() -> None:
    assert KNOWN.exceeded(2.0) == (0.1,)


def test_exceeded_rates_come_strictest_first() -> None:
    assert KNOWN.exceeded(99.0) == (0.001, 0.01, 0.1)


def test_a_rate_stricter_than_strong_flags_as_strong() -> None:
    assert Thresholds({0.0001: 1.0}).band(2.0, 0.0001) == Band.STRONG


def test_without_a_calibration_every_score_is_low() -> None:
    assert Thresholds().band(99.0, 0.01) == Band.LOW


def test_a_rate_that_was_not_calibrated_has_no_threshold() -> None:
    assert (KNOWN.logit(0.05), KNOWN.score(0.05)) == (None, None)


def test_a_threshold_is_told_as_a_score_too() -> None:
    assert KNOWN.score(0.01) == pytest.approx(float(probability(2.0)))


def test_json_holds_scores_logits_and_where_they_come_from() -> None:
    assert KNOWN.as_json() == {
        **{rate: float(probability(logit)) for rate, logit in (("0.1", 1.0), ("0.01", 2.0), ("0.001", 3.0))},
        "logit": {"0.1": 1.0, "0.01": 2.0, "0.001": 3.0},
        "n_real": 999,
        "calibration": "abc",
    }


def test_in_words_a_threshold_is_a_score_at_its_rate() -> None:
    assert in_words({"0.1": 0.0, "0.010": 2.0}) == "0.500 at 0.1, 0.881 at 0.01"
