"""Fakes against their own twins: who is compared with whom, and what the numbers are on scores whose answer is
known.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.metrics.comparison import (
    compare,
    compare_reals,
    family_of,
    latest,
    protocol_for,
    reals_for,
    shuffled_auc,
    trained_on,
)
from benchmarks.rows.comparison import BarRow
from detector.evaluation.intervals import rate_bounds
from detector.evaluation.rows import clusters_of
from tests.evaluation_fixtures import sample, scored


def pairs(count: int = 12, gap: float = 0.3, coverage: int | None = None, method: str = "swap-alpha"):
    """`count` people, each with a real and a fake of it; only the first `coverage` of the fakes show a face."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(count):
        values = [float(np.clip(rng.normal(m, 0.1), 0.01, 0.99)) for m in (0.4, 0.4 + gap)]
        about = {"identity": f"p{i}"}
        made.append(scored(f"r{i}", "real", values[0], flagged={"0.1": values[0] > 0.55}, **about))
        seen = [values[1]] if coverage is None or i < coverage else []
        flags = {"0.1": bool(seen) and values[1] > 0.55}
        made.append(
            scored(f"f{i}", "fake", *seen, method=method, flagged=flags, pair_of=Path(f"/nowhere/r{i}.mp4"), **about)
        )
    return made


def numbers(made):
    return [[i for i, item in enumerate(made) if item.sample.label == kind] for kind in ("fake", "real")]


def test_fakes_meet_their_own_twins_else_all_reals() -> None:
    made = [item.sample for item in pairs(3)]
    assert reals_for(made, [1]) == [0]
    alone = [sample("a", "real"), sample("b", "real"), sample("c", "fake")]
    assert reals_for(alone, [2]) == [0, 1]


def test_a_tuned_generator_is_no_family_of_its_own() -> None:
    assert family_of(sample("a", "fake", "zakharov2019-tuned")) == "zakharov2019"


def test_what_was_trained_on_is_told_by_method_then_generator_then_family() -> None:
    made = [sample("a", "fake", "warp", generator_digest="1" * 64), sample("b", "fake", "swap-alpha", family="blend")]
    assert trained_on(made, {"training": {"methods": ["self-blend"], "families": ["blend"]}}) == {"self-blend"}
    assert trained_on(made, {"training": {"generators": ["1" * 64], "families": ["blend"]}}) == {"warp"}
    assert trained_on(made, {"training": {"families": ["blend"]}}) == {"swap-alpha"}


def test_the_same_scores_change_nothing_and_worse_ones_lose() -> None:
    made, worse = pairs(), pairs(gap=0.0)
    clusters = clusters_of(made)
    protocol = protocol_for(12, clusters)
    fakes, reals = numbers(made)
    same = compare(made, fakes, reals, clusters, protocol, made)
    assert (same.change.value, same.change.interval) == (0, (0, 0)) and same.auc.value > 0.9
    lost = compare(worse, fakes, reals, clusters, protocol, made)
    assert lost.change.value == pytest.approx(lost.auc.value - same.auc.value)
    assert lost.change.interval[1] < 0
    assert lost.flagged["0.1"].fpr.of[1] == 12 and lost.protocol_id == same.protocol_id


def test_videos_without_a_face_count_as_half_and_the_coverage_says_so() -> None:
    made = pairs(coverage=6)
    clusters = clusters_of(made)
    row = compare(made, *numbers(made), clusters, protocol_for(12, clusters), pairs())
    assert row.coverage["fake"] == 0.5 and row.coverage["real"] == 1
    assert row.change.value < row.change.covered == pytest.approx(0, abs=1e-12)
    assert row.flagged["0.1"].tpr.value <= 0.5


def test_false_positives_are_held_against_the_interval_of_the_untouched() -> None:
    before = [scored(f"r{i}", "real", 0.4, flagged={"0.1": i < 2}) for i in range(20)]
    reals = list(range(20))
    clusters = clusters_of(before)
    most = int(rate_bounds(2, 20)[1] * 20)
    for flags, within in ((most, True), (most + 1, False)):
        after = [scored(f"r{i}", "real", 0.4, flagged={"0.1": i < flags}) for i in range(20)]
        row = compare_reals(after, reals, clusters, protocol_for(12, clusters), before)
        assert row.within == {"0.1": within}
        change = row.changes["0.1"]
        assert change.value == pytest.approx((flags - 2) / 20)
        assert change.interval[0] < change.value < change.interval[1]


def test_shuffled_labels_tell_nothing_apart() -> None:
    made = pairs(30)
    clusters = clusters_of(made)
    row = shuffled_auc(made, *numbers(made), clusters, protocol_for(12, clusters))
    assert row.met and row.auc.value == pytest.approx(0.5, abs=0.03)
    assert compare(made, *numbers(made), clusters, protocol_for(12, clusters)).auc.value > row.auc.interval[1]


def test_what_cannot_be_measured_says_why() -> None:
    made = pairs(3)
    clusters = clusters_of(made)
    few = compare(made, *numbers(made), clusters, protocol_for(12, clusters))
    assert few.auc is not None and few.auc.interval is None and "3 " in few.refused["intervals"]
    none = compare(made, [], numbers(made)[1], clusters, protocol_for(12, clusters))
    assert none.auc is None and none.refused["auc"]


def test_of_two_measurements_the_later_one_is_shown() -> None:
    before, after = (BarRow(bar="a", value=value, met=True) for value in (1.0, 2.0))
    other = dataclasses.replace(before, set_name="grid")
    assert latest([before, other, after]) == [after, other]
