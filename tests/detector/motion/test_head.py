"""The head on motion: a line with bounds, its record, and what is refused as one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detector.motion.features import FEATURES
from detector.motion.head import MotionHead
from tests.detector_fixtures import motion_head

HEAD = motion_head(0.5, lips_speed=2.0, jitter=-1.0)


def measures(**values: float) -> np.ndarray:
    return np.array([values.get(name.replace(" ", "_"), 0.0) for name in FEATURES])


def test_the_logit_is_a_line() -> None:
    assert float(HEAD.logit(measures(lips_speed=3.0, jitter=1.0, yaw_speed=9.0))) == 0.5 + 6.0 - 1.0


def test_measures_count_in_deviations_from_the_mean() -> None:
    head = replace(HEAD, mean=(1.0,) * len(FEATURES), deviation=(2.0,) * len(FEATURES))
    assert float(head.logit(measures(lips_speed=5.0, jitter=1.0))) == 0.5 + 2.0 * 2.0


def test_a_measure_counts_within_its_bounds_only() -> None:
    assert HEAD.logit(measures(lips_speed=1e9)) == HEAD.logit(measures(lips_speed=100.0))


def test_many_are_judged_as_one_by_one() -> None:
    many = np.random.default_rng(0).normal(size=(3, 2, len(FEATURES)))
    assert HEAD.logit(many).shape == (3, 2)
    assert float(HEAD.logit(many)[2, 1]) == pytest.approx(float(HEAD.logit(many[2, 1])))


def test_of_two_lines_the_one_that_says_more_counts() -> None:
    both = replace(HEAD, acted=motion_head(-1.0, yaw_spread=4.0))
    found = both.logit(np.array([measures(), measures(yaw_spread=1.0), measures(lips_speed=2.0, yaw_spread=1.0)]))
    assert found.tolist() == [0.5, 3.0, 4.5]


@pytest.mark.parametrize("head", [HEAD, replace(HEAD, acted=motion_head(-1.0, yaw_spread=4.0))])
def test_a_record_gives_the_same_head(head: MotionHead) -> None:
    assert MotionHead.from_json(json.loads(json.dumps(head.as_json()))) == head


@pytest.mark.parametrize(
    "change",
    [
        {"features": list(FEATURES[:-1])},
        {"features": list(reversed(FEATURES))},
        {"features": None},
        {"weight": [0.0] * (len(FEATURES) - 1)},
        {"weight": [0.0] * (len(FEATURES) + 1)},
        {"weight": []},
        {"weight": None},
        {"weight": ["heavy"] * len(FEATURES)},
        {"weight": [10**400] * len(FEATURES)},
        {"mean": [float("nan")] * len(FEATURES)},
        {"highest": [float("inf")] * len(FEATURES)},
        {"bias": 1e7},
        {"acted": {}},
        {"acted": [1.0]},
        {"acted": HEAD.as_json() | {"weight": [float("nan")] * len(FEATURES)}},
        {"acted": HEAD.as_json() | {"deviation": [0.0] * len(FEATURES)}},
        {"bias": float("nan")},
        {"bias": None},
        {"deviation": [0.0] * len(FEATURES)},
        {"deviation": [-1.0] * len(FEATURES)},
        {"lowest": [101.0] * len(FEATURES)},
    ],
)
def test_a_broken_record_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, OverflowError)):
        MotionHead.from_json(HEAD.as_json() | change)


@pytest.mark.parametrize("name", ["features", "lowest", "highest", "mean", "deviation", "weight", "bias"])
def test_a_record_without_a_part_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        MotionHead.from_json({key: value for key, value in HEAD.as_json().items() if key != name})


@pytest.mark.parametrize("record", [None, [], "a head", 3.0])
def test_what_is_no_record_is_refused(record: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        MotionHead.from_json(record)
