"""The rule of groups: known values, its validity for each group, no price for small groups alike, what is too few."""

import math

import numpy as np
import pytest

from detector.training.groups import (
    FEWEST,
    OTHER,
    Share,
    conformal_threshold,
    fewest_reals,
    gathered,
    group_of,
    grouped_thresholds,
)
from sfumato.errors import UsageError


@pytest.mark.parametrize(
    ("n", "alpha", "k"),
    [(99, 0.01, 1), (199, 0.01, 2), (100, 0.01, 1), (9, 0.1, 1), (19, 0.1, 2), (999, 0.001, 1), (10, 0.5, 5)],
)
def test_threshold_is_the_kth_largest(n: int, alpha: float, k: int) -> None:
    logits = np.random.default_rng(n).permutation(n).astype(float).tolist()
    assert conformal_threshold(logits, alpha) == n - k


@pytest.mark.parametrize(("n", "alpha"), [(98, 0.01), (998, 0.001), (8, 0.1), (0, 0.1)])
def test_too_few_reals_are_refused_with_the_number_needed(n: int, alpha: float) -> None:
    with pytest.raises(UsageError, match=str(round(1 / alpha) - 1)):
        conformal_threshold([0.0] * n, alpha)


def test_false_positive_rate_holds_on_average() -> None:
    rng = np.random.default_rng(0)
    rates = [(rng.normal(size=400) > conformal_threshold(rng.normal(size=99).tolist(), 0.1)).mean() for _ in range(200)]
    assert np.mean(rates) < 0.1 + 3 * np.std(rates) / np.sqrt(200)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_alpha_outside_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="between"):
        conformal_threshold([1.0], alpha)


def numbers(count: int, start: float = 0.0) -> list[float]:
    """start, start + 1, ..."""
    return [start + i for i in range(count)]


def test_one_group_has_the_kth_largest_logits_and_the_smallest_rates_are_left_out() -> None:
    found = grouped_thresholds({"a": numbers(20)}, (0.001, 0.1, 0.05, 0.01))
    assert (found.thresholds, found.left_out) == ({0.1: 18.0, 0.05: 19.0}, (0.01, 0.001))
    assert found.together == {}
    with pytest.raises(UsageError, match="on 20 real clips"):
        grouped_thresholds({"a": numbers(20)}, (0.01, 0.001))


@pytest.mark.parametrize(("alpha", "count"), [(0.5, 1), (0.1, 9), (0.01, 99), (0.001, 999), (0.03, 33)])
def test_the_fewest_reals_are_enough_and_one_less_is_not(alpha: float, count: int) -> None:
    assert fewest_reals(alpha) == count
    assert conformal_threshold([0.0] * (count - 1) + [1.0], alpha) == 1.0
    with pytest.raises(UsageError, match=f"at least {count}"):
        conformal_threshold([0.0] * (count - 1), alpha)


def test_the_threshold_is_that_of_the_group_that_asks_for_the_highest() -> None:
    """A source whose reals score higher sets it, however many there are of the others."""
    found = grouped_thresholds({"many": numbers(990), "few": numbers(29, 5000.0)}, (0.1,))
    assert found.thresholds == {0.1: 5026.0}  # the third largest of 29
    assert found.shares[0.1] == {"many": Share(990, 891.0, 99 / 991), "few": Share(29, 5026.0, 0.1)}


def test_a_group_that_is_too_small_for_a_rate_has_its_largest_and_says_what_it_carries() -> None:
    found = grouped_thresholds({"many": numbers(99), "few": numbers(24, 200.0)}, (0.01,))
    assert found.thresholds == {0.01: 223.0}
    assert found.shares[0.01]["few"] == Share(24, 223.0, 1 / 25)
    assert found.together == {0.01: Share(24, 223.0, 1 / 25)}


def test_groups_of_fewer_than_a_handful_are_one() -> None:
    small = {f"g{i}": [float(i)] * 3 for i in range(5)}
    found = gathered({**small, "large": numbers(FEWEST), "nearly": numbers(FEWEST - 1)})
    assert {name: len(logits) for name, logits in found.items()} == {"large": FEWEST, OTHER: 15 + FEWEST - 1}
    assert gathered({"the only one": [1.0]}) == {"the only one": [1.0]}


def test_a_stricter_rate_never_has_a_lower_threshold() -> None:
    """Of twenty of 20, one far above: at a tenth it asks for its second largest, at a hundredth not for its third."""
    groups = {f"g{i}": [0.0] * 20 for i in range(19)} | {"high": numbers(20, 100.0)}
    found = grouped_thresholds(groups, (0.1, 0.01))
    assert found.thresholds == {0.1: 118.0, 0.01: 118.0}
    assert [found.shares[alpha]["high"].rate for alpha in (0.1, 0.01)] == [2 / 21, 2 / 21]


@pytest.mark.parametrize(("more", "threshold"), [(30, 90.0), (18, 90.0)])
def test_one_odd_clip_sets_no_threshold(more: int, threshold: float) -> None:
    """Neither alone nor with too few others beside it."""
    groups = {"many": numbers(100), "odd": [9999.0], "more": numbers(more)}
    assert grouped_thresholds(groups, (0.1,)).thresholds == {0.1: threshold}


def test_a_few_odd_clips_carry_little_and_a_group_of_them_that_is_too_high_still_counts() -> None:
    alone = grouped_thresholds({"many": numbers(100), "odd": [9999.0]}, (0.1,)).shares[0.1][OTHER]
    assert alone == Share(1, None, 1.0)
    found = grouped_thresholds({"many": numbers(100), "odd": numbers(9, 9000.0)}, (0.1,))
    assert found.thresholds == {0.1: 9005.0}  # four of nine above would be a surprise at a tenth
    assert found.shares[0.1][OTHER] == Share(9, 9005.0, 4 / 10)


def test_the_few_that_are_left_over_carry_no_rate() -> None:
    assert grouped_thresholds({"a": numbers(95), "b": numbers(4)}, (0.1, 0.01)).left_out == (0.01,)


def test_groups_that_are_too_small_are_held_to_together() -> None:
    """Of four times 50 the second largest counts at a hundredth, not the largest of each."""
    rng = np.random.default_rng(0)
    groups = {f"g{i}": rng.normal(size=50).tolist() for i in range(4)}
    everybody = sorted(logit for logits in groups.values() for logit in logits)
    found = grouped_thresholds(groups, (0.01,))
    assert found.thresholds == {0.01: everybody[-2]}
    assert found.together[0.01] == Share(200, everybody[-2], 2 / 201)
    assert {share.rate for share in found.shares[0.01].values()} == {2 / 51}


def test_a_small_group_that_lies_above_the_others_raises_the_threshold_by_its_own_bound() -> None:
    """Its third largest: three of 50 above would be a surprise at a hundredth, among 19 groups alike even four."""
    groups = {f"g{i}": [0.0] * 50 for i in range(19)} | {"high": numbers(50, 100.0)}
    found = grouped_thresholds(groups, (0.01,))
    order = 10  # of 1000 together
    assert found.together[0.01].logit == 150.0 - order
    j = next(j for j in range(1, 51) if tail(j, 50, 0.01) <= 0.05 / 20)
    assert found.thresholds == {0.01: 150.0 - j}
    assert found.shares[0.01]["high"].rate == j / 51


def tail(j: int, n: int, rate: float) -> float:
    return 1 - sum(math.comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(j))


def test_each_group_is_promised_no_more_than_it_gets() -> None:
    """Drawn: of new reals of each source no more exceed the threshold than its rate says, whatever the others are."""
    rng = np.random.default_rng(1)
    sources = {"low": (200, 0.0), "middle": (60, 0.7), "high": (40, 1.5), "a": (12, 1.0), "b": (12, 1.0)}
    above: dict[str, list[float]] = {name: [] for name in ("low", "middle", "high")}
    for _ in range(300):
        found = grouped_thresholds(
            {name: rng.normal(mean, 1, n).tolist() for name, (n, mean) in sources.items()}, (0.1, 0.01)
        )
        for alpha in (0.1, 0.01):
            for name in above:
                fresh = rng.normal(sources[name][1], 1, 200) > found.thresholds[alpha]
                above[name].append(float(fresh.mean()) - found.shares[alpha][name].rate)
    for name, excess in above.items():
        assert np.mean(excess) < 3 * np.std(excess) / np.sqrt(len(excess)), name


@pytest.mark.parametrize(
    ("sizes", "means", "alpha", "flagged", "worst", "found"),
    [
        ([200] * 3, [0.0] * 3, 0.1, 0.082, 0.082, 0.94),
        ([200] * 3, [0.0] * 3, 0.01, 0.0045, 0.0045, 0.63),
        ([20] * 20, [0.0] * 20, 0.1, 0.0154, 0.0154, 0.77),
        ([20] * 20, [0.0] * 20, 0.01, 0.0097, 0.0097, 0.73),
        ([100] * 8, [-1.07, -0.62, -0.34, -0.11, 0.11, 0.34, 0.62, 1.07], 0.1, 0.023, 0.098, 0.73),
        ([50] * 10, [0.0] * 9 + [1.5], 0.1, 0.0123, 0.097, 0.56),
        ([50] * 20, [0.0] * 19 + [1.5], 0.01, 0.0055, 0.074, 0.51),
    ],
)
def test_what_groups_cost_is_what_the_docs_say(sizes, means, alpha, flagged, worst, found) -> None:
    """Normal logits of a spread of one: the rates of reals above the threshold, and of fakes at 3, in expectation."""
    rng = np.random.default_rng(2)
    rates = []
    for _ in range(100):
        groups = {
            f"g{i}": rng.normal(mean, 1, n).tolist() for i, (n, mean) in enumerate(zip(sizes, means, strict=True))
        }
        threshold = grouped_thresholds(groups, (alpha,)).thresholds[alpha]
        above = [math.erfc((threshold - mean) / math.sqrt(2)) / 2 for mean in (*means, 3.0)]
        rates.append((np.mean(above[:-1]), max(above[:-1]), above[-1]))
    assert np.mean(rates, axis=0) == pytest.approx((flagged, worst, found), rel=0.15)


def test_the_record_has_a_line_for_each_group_and_for_the_small_ones_together() -> None:
    found = grouped_thresholds({"many": numbers(99), "few": numbers(24, 200.0)}, (0.1, 0.01)).as_json()
    assert found["groups"]["few"] == {
        "n": 24,
        "thresholds": {"0.1": 222.0, "0.01": 223.0},
        "rates": {"0.1": 2 / 25, "0.01": 1 / 25},
    }
    assert sorted(found["groups"]) == ["few", "many"]
    assert found["together"] == {"0.01": {"n": 24, "threshold": 223.0, "rate": 1 / 25}}


def test_a_group_is_the_collection_or_what_the_list_calls_ones_own_footage() -> None:
    assert group_of("ffhq", "photo") == "ffhq"
    assert group_of(None, "webcam") == "webcam"
