"""Intervals at 95 %, each against values known from tables or from the shape of the numbers: none at 90 % passes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.metrics.intervals import paired_interval, percentile_interval, ratio, student_interval, wilson
from benchmarks.rows.row import Estimate


def test_the_middle_95_percent_of_a_ruler() -> None:
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))


def test_a_paired_interval_is_1_96_standard_errors_to_each_side() -> None:
    spread = np.linspace(-1, 1, 400)
    error = float(spread.std()) / 20
    low, high = paired_interval(spread, draws=20_000)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.03)


def test_the_interval_of_equal_differences_is_a_point() -> None:
    assert paired_interval(np.full(5, 0.25)) == (0.25, 0.25)


def test_the_interval_holds_the_mean_and_narrows_with_more_clips() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.normal(0.1, 0.05, 6), rng.normal(0.1, 0.05, 200)
    low, high = paired_interval(few)
    assert low < few.mean() < high
    assert np.subtract(*reversed(paired_interval(many))) < high - low
    assert paired_interval(few) == (low, high)


def test_students_t_of_three_and_of_five_values() -> None:
    """4.3027 with two degrees of freedom, 2.7764 with four (any table)."""
    assert student_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5), abs=1e-4)
    half = 2.77645 * 2.5**0.5 / 5**0.5
    assert student_interval([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx((3 - half, 3 + half), abs=1e-4)


def test_a_ratio_of_equal_rounds_has_no_width() -> None:
    assert ratio([4.0, 8.0, 2.0], [1.0, 2.0, 0.5]) == Estimate(4.0, (4.0, 4.0))


def test_a_ratio_of_two_rounds_reaches_12_7062_errors() -> None:
    """Twice and four times: logarithms ln 2 and ln 4, error ln 2 / 2, one degree of freedom."""
    half = 12.7062 * np.log(2) / 2
    found = ratio([2.0, 4.0], [1.0, 1.0])
    low, high = found.interval
    assert found.value == pytest.approx(8**0.5, abs=1e-3)
    assert low == pytest.approx(8**0.5 * np.exp(-half), abs=1e-3)
    assert high == pytest.approx(8**0.5 * np.exp(half), rel=1e-3)


def test_wilson_of_known_rates() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[0] == pytest.approx(0.7225, abs=1e-3)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-3)
