"""ROC and DET as paths: places that are known, and points that nobody can tell apart."""

import re
from statistics import NormalDist

import numpy as np
import pytest

from detector.comparison.curves import BOTTOM, LEFT, MARGIN, SIDE, curve_of, det, roc

TOP, FLOOR, RIGHT = MARGIN, SIDE - BOTTOM, SIDE - MARGIN


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def test_a_perfect_detector_goes_up_and_then_across() -> None:
    picture = roc([curve_of(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]))])
    found = places(picture.paths[0])
    assert (found[0], found[-1]) == ((LEFT, FLOOR), (RIGHT, TOP))
    assert (LEFT, TOP) in found


def test_equal_scores_are_one_straight_line_of_chance() -> None:
    curve = curve_of(np.array([0, 1, 0, 1]), np.full(4, 0.5))
    picture = roc([curve])
    assert places(picture.paths[0]) == [(LEFT, FLOOR), (RIGHT, TOP)]
    assert picture.diagonal == (LEFT, FLOOR, RIGHT, TOP)


def test_det_is_linear_in_quantiles() -> None:
    """Scores of two normal distributions of equal spread lie on a straight line there (Martin et al. 1997)."""
    share = np.arange(1, 2000) / 2000
    quantiles = np.array([NormalDist().inv_cdf(each) for each in share])
    labels = np.repeat([0, 1], share.size)
    picture = det([curve_of(labels, np.concatenate([quantiles, quantiles + 1.5]))], share.size, share.size)
    inner = np.array([place for place in places(picture.paths[0]) if all(110 < value < 260 for value in place)])
    slope, start = np.polyfit(inner[:, 0], inner[:, 1], 1)
    assert len(inner) > 50
    assert np.abs(slope * inner[:, 0] + start - inner[:, 1]).max() < 1.5


def test_det_ends_at_its_edges_and_names_what_can_be_seen() -> None:
    labels, scores = np.array([0] * 20 + [1] * 20), np.r_[np.linspace(0, 0.6, 20), np.linspace(0.4, 1, 20)]
    picture = det([curve_of(labels, scores)], 20, 20)
    found = places(picture.paths[0])
    assert (found[0], found[-1]) == ((LEFT, TOP), (RIGHT, FLOOR))
    assert [label for _, label in picture.x_ticks] == ["0.01", "0.05", "0.2", "0.5", "0.8", "0.95", "0.99"]
    assert {label: place for place, label in picture.x_ticks}["0.5"] == pytest.approx((LEFT + RIGHT) / 2, abs=0.1)


def test_a_large_set_is_no_large_page() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 100_000)
    curve = curve_of(labels, labels + rng.normal(0, 1, labels.size))
    assert len(roc([curve]).paths[0]) < 20_000
    assert len(det([curve], 50_000, 50_000).paths[0]) < 20_000
