"""Figures over clips: known means, medians and differences."""

from __future__ import annotations

import pytest

from benchmarks.metrics.figures import figure, statistic, summarise


def test_a_mean_has_its_size_an_interval_and_a_paired_difference() -> None:
    row = figure([0.5, 0.7, 0.9], {"warp": [0.4, 0.6, 0.8]}, "mean")
    assert row is not None and (row.n, row.of) == (3, "mean")
    assert row.value.value == pytest.approx(0.7)
    low, high = row.value.interval or (0, 0)
    assert 0.5 <= low < 0.7 < high <= 0.9
    assert row.versus["warp"] == pytest.approx((0.1, 0.1))  # the same for each clip: no doubt


def test_a_median_is_not_carried_by_one_clip() -> None:
    row = figure([0.8, 0.9, 50.0], {}, "median")
    assert row is not None and row.value.value == 0.9


def test_a_clip_that_one_method_lacks_counts_for_the_figure_and_not_for_the_difference() -> None:
    row = figure([0.5, 0.7, None], {"warp": [0.4, None, 9.0], "copy": [None, None, 1.0]}, "mean")
    assert row is not None and row.n == 2 and row.value.value == pytest.approx(0.6)
    assert row.versus == {"warp": (pytest.approx(0.1), pytest.approx(0.1))}


def test_one_clip_has_no_interval_and_none_no_figure() -> None:
    alone = figure([0.5], {}, "mean")
    assert alone is not None and alone.value.interval is None
    assert figure([None], {"warp": [0.5]}, "mean") is None


def test_what_follows_is_a_median_and_what_is_seen_a_mean() -> None:
    assert [statistic(name) for name in ("mouth_ratio_mesh", "yaw_correlation_dlib", "flicker")] == ["median"] * 3
    assert [statistic(name) for name in ("mouth_ssim", "paint", "csim_source")] == ["mean"] * 3


def test_every_figure_that_some_clip_has_is_there() -> None:
    rows = summarise([{"paint": 0.5}, {"paint": 0.7, "flicker": 1.1}], {"warp": [{"paint": 0.0}, {}]})
    assert {name: row.n for name, row in rows.items()} == {"paint": 2, "flicker": 1}
    assert rows["paint"].versus == {"warp": (0.5, 0.5)} and rows["flicker"].versus == {}
