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


@pytest.mark.parametrize(("flagged", "of"), [(-1, 10), (11, 10), (1, 0)])
def test_counts_that_are_no_rate_are_refused(flagged: int, of: int) -> None:
    with pytest.raises(UsageError, match=f"{flagged} of {of} is no rate"):
        rate_bounds(flagged, of)


def test_bounds_widen_with_the_level_and_one_flag_has_a_lower_bound() -> None:
    from scipy.stats import binomtest

    for flagged, of, level in ((1, 20, 0.9), (19, 20, 0.99), (1, 1, 0.95)):
        expected = binomtest(flagged, of).proportion_ci(level, method="exact")
        assert rate_bounds(flagged, of, level) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert largest_rate(3, 40) == pytest.approx(binomtest(3, 40, alternative="less").proportion_ci(0.95).high, abs=1e-9)


def test_some_videos_keep_their_clusters_numbered_anew() -> None:
    found = cluster(people("a", "ab", "cd", "d", "e"), list("aacde"), "source")
    part = found.narrowed([4, 2, 3, 2])
    assert (part.unit, part.count) == ("source", 2)
    assert part.of[1] == part.of[2] == part.of[3] != part.of[0]
    assert sorted(set(part.of.tolist())) == [0, 1]
    assert found.narrowed([]).count == 0


def test_no_videos_are_no_clusters() -> None:
    for unit in ("auto", "source", "identity", "video"):
        assert cluster([], [], unit).count == 0


def test_a_chain_through_exactly_half_is_still_a_source() -> None:
    half = cluster(people("ab", "bc", "d", "e"), list("abde"))
    assert (half.unit, half.count) == ("source", 3)
    more = cluster(people("ab", "bc", "cx", "d", "e"), list("abcde"))
    assert (more.unit, more.count) == ("identity", 5)
    assert cluster(people("a"), list("a")).unit == "source"  # one video is no chain


def test_a_unit_that_was_asked_for_is_kept_whatever_hangs_together() -> None:
    everybody = people("ab", "bc", "cd", "da")
    assert (cluster(everybody, list("abca"), "source").count, cluster(everybody, list("abca"), "source").unit) == (
        1,
        "source",
    )
    assert cluster(people("a", "b", "c"), list("xxy"), "identity").count == 2
    assert cluster(everybody, list("abca"), "video").of.tolist() == [0, 1, 2, 3]


def people_of(count: int, prefix: str) -> list[frozenset[str]]:
    return [frozenset([f"{prefix}{i}"]) for i in range(count)]


def test_five_people_of_a_kind_are_enough_and_four_are_not() -> None:
    def count(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"weight": weights.sum(1)}

    for reals, fakes, kind in ((5, 5, ""), (4, 5, "reals come from 4 videos"), (5, 4, "fakes come from 4 videos")):
        names = people_of(reals, "r") + people_of(fakes, "f")
        clusters = cluster(names, ["x"] * len(names), "video")
        labels = [0] * reals + [1] * fakes
        if kind:
            with pytest.raises(UsageError, match=kind):
                bootstrap(count, labels, clusters)
        else:
            assert bootstrap(count, labels, clusters) == {"weight": (10.0, 10.0)}


def test_reals_and_fakes_are_drawn_among_themselves() -> None:
    labels = np.array([0] * 8 + [1] * 6)
    clusters = cluster(people_of(14, "p"), ["x"] * 14, "video")
    found = bootstrap(
        lambda w: {"reals": w[:, labels == 0].sum(1), "fakes": w[:, labels == 1].sum(1)}, labels, clusters
    )
    assert found == {"reals": (8.0, 8.0), "fakes": (6.0, 6.0)}


def test_people_with_both_kinds_are_drawn_as_one() -> None:
    """Five people, each with a real and a fake: a draw weighs both alike."""
    labels, names = [0, 1] * 5, [frozenset([f"p{i // 2}"]) for i in range(10)]
    clusters = cluster(names, ["x"] * 10, "source")
    found = bootstrap(lambda w: {"apart": np.abs(w[:, ::2] - w[:, 1::2]).sum(1)}, labels, clusters)
    assert found == {"apart": (0.0, 0.0)}


def test_another_seed_is_another_draw_and_metrics_keep_their_names() -> None:
    rng = np.random.default_rng(3)
    labels, values = np.repeat([0, 1], 20), rng.normal(size=40)
    clusters = cluster(people_of(40, "p"), ["x"] * 40, "video")

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": weights @ values / 40, "ten times": weights @ values / 4}

    first, second = bootstrap(metrics, labels, clusters), bootstrap(metrics, labels, clusters, seed=1)
    assert first != second
    assert first == bootstrap(metrics, labels, clusters, seed=0)
    assert first["ten times"] == pytest.approx(np.multiply(first["mean"], 10))


def test_one_draw_in_twenty_may_fail_and_no_more() -> None:
    labels, clusters = [0] * 5 + [1] * 5, cluster(people_of(10, "p"), ["x"] * 10, "video")

    def failing(share: float):
        def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
            values = np.ones(len(weights))
            values[: round(share * len(weights))] = np.nan
            return {"one": values}

        return metrics

    assert bootstrap(failing(0.05), labels, clusters) == {"one": (1.0, 1.0)}
    with pytest.raises(UsageError, match="102 of 2000 draws"):
        bootstrap(failing(0.051), labels, clusters)


def test_a_large_set_is_drawn_in_parts() -> None:
    """2,600 videos: their 2,000 draws do not fit into one part; all are drawn and none twice."""
    labels, parts = np.arange(2600) % 2, []
    clusters = cluster([frozenset([str(i)]) for i in range(2600)], [""] * 2600, "video")

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        parts.append(len(weights))
        return {"total": weights.sum(1)}

    assert bootstrap(metrics, labels, clusters) == {"total": (2600.0, 2600.0)}
    assert sum(parts) == 2000
    assert max(parts) == 769  # of at most two million weights


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
