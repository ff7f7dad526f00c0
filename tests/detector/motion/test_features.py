"""The measures of a moving face: what changes none of them, what changes one, and what cannot be measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.motion.features import FEATURES, GAP, motion_features
from tests.detector_fixtures import landmarks

Floats = NDArray[np.float64]
LOWER_LIP, BROWS, UPPER_LIDS, NOSE = [55, 56, 57, 58, 59, 65, 66, 67], range(17, 27), [37, 38, 43, 44], [30, 33]
TURNED = [  # what is told of lengths and of the angle, the same for a face that lies on its side
    number
    for number, name in enumerate(FEATURES)
    if name.split()[0] in ("lips", "mouth", "lids", "roll", "size", "jitter") and "with" not in name
]


def clock(seconds: float = 2.0, rate: float = 25.0) -> Floats:
    """(T,) the times of a steady video."""
    return np.arange(round(seconds * rate) + 1) / rate


def talking(times: Floats, lips: float = 4.0) -> Floats:
    """(T, 68, 2): a face 200 px wide that nods, sways, blinks and speaks; `lips`: how far it opens them, px."""

    def wave(hertz: float, phase: float = 0.0) -> Floats:
        return np.asarray(np.sin(2 * np.pi * hertz * times + phase))

    points = np.repeat(landmarks(200)[None].astype(np.float64), len(times), axis=0)
    points[:, LOWER_LIP, 1] += lips * (1 + wave(2.5))[:, None]
    points[:, UPPER_LIDS, 1] += 1.5 * (1 + wave(0.6, 1.0))[:, None]
    points[:, BROWS, 1] += 2.0 * wave(0.8, 2.0)[:, None]
    points[:, NOSE] += 3.0 * np.stack([wave(0.7), wave(0.9, 0.5)], axis=1)[:, None]
    middle = landmarks(200).mean(0)
    points = (points - middle) * (1 + 0.05 * wave(0.4))[:, None, None]
    angle = 0.1 * wave(0.5, 0.3)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    return np.asarray(points @ turn + middle + 5.0 * np.stack([wave(0.3), wave(0.4)], axis=1)[:, None])


def measured(points: Floats, times: Floats) -> dict[str, float]:
    found = motion_features(points, times)
    assert found is not None
    return dict(zip(FEATURES, found.tolist(), strict=True))


def test_each_measure_has_a_name_and_is_finite() -> None:
    found = motion_features(talking(clock()), clock())
    assert found is not None and found.shape == (len(FEATURES),) == (len(set(FEATURES)),)
    assert np.isfinite(found).all()


@given(st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(0.1, 10), st.floats(0, 1e5))
def test_neither_place_nor_scale_nor_start_changes_a_measure(x: float, y: float, scale: float, start: float) -> None:
    moved = motion_features(talking(clock()) * scale + [x, y], clock() + start)
    assert moved == pytest.approx(motion_features(talking(clock()), clock()), abs=1e-3)


@given(st.floats(-np.pi, np.pi))
def test_no_length_or_angle_changes_for_a_face_that_lies_on_its_side(angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned, upright = (motion_features(points, clock()) for points in (talking(clock()) @ turn, talking(clock())))
    assert turned is not None and upright is not None
    assert turned[TURNED] == pytest.approx(upright[TURNED], abs=1e-6)


@pytest.mark.parametrize("rate", [50.0, 100.0])
def test_a_multiple_of_the_rate_changes_no_measure(rate: float) -> None:
    twice = motion_features(talking(clock(rate=rate)), clock(rate=rate))
    assert twice == pytest.approx(motion_features(talking(clock()), clock()), abs=1e-6)


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
def test_other_rates_give_nearly_the_same_pace(rate: float) -> None:
    other, usual = (measured(talking(clock(rate=each)), clock(rate=each)) for each in (rate, 25.0))
    names = [name for name in FEATURES if name.endswith(("spread", "speed"))]
    assert [other[name] for name in names] == pytest.approx([usual[name] for name in names], abs=0.1)


def test_a_variable_rate_gives_nearly_the_same_pace() -> None:
    rng = np.random.default_rng(0)
    uneven = np.sort(rng.uniform(0, 2, 70))
    other, usual = measured(talking(uneven), uneven), measured(talking(clock()), clock())
    assert other["lips speed"] == pytest.approx(usual["lips speed"], abs=0.2)


def test_a_frame_that_is_stamped_back_is_passed_over() -> None:
    times, points = clock(), talking(clock())
    places = np.insert(np.arange(len(times)), 30, [29, 10, 12])  # shown twice, then two of earlier
    assert motion_features(points[places], times[places]) == pytest.approx(motion_features(points, times))


def test_lips_that_move_are_faster_than_lips_at_rest() -> None:
    speaking, silent = measured(talking(clock()), clock()), measured(talking(clock(), lips=0.0), clock())
    assert speaking["lips speed"] > silent["lips speed"] + 1
    assert speaking["lips widest"] > silent["lips widest"]
    assert speaking["brows speed"] == pytest.approx(silent["brows speed"], abs=0.1)


def test_even_motion_keeps_its_direction_and_noise_does_not() -> None:
    noise = np.random.default_rng(0).normal(0, 2, (51, 68, 2))
    even, trembling = measured(talking(clock()), clock()), measured(landmarks(200) + noise, clock())
    assert even["lips persistence"] > 0.5 > -0.2 > trembling["lips persistence"]
    assert even["jitter"] < trembling["jitter"]
    assert even["lips roughness"] < trembling["lips roughness"]


def test_a_blink_lowers_the_lids() -> None:
    points = talking(clock())
    points[20:24, UPPER_LIDS, 1] += 5.0
    assert measured(points, clock())["lids lowest"] < measured(talking(clock()), clock())["lids lowest"]


def test_brows_that_move_with_the_lips_are_told() -> None:
    together = np.repeat(landmarks(200)[None].astype(np.float64), 51, axis=0)
    opening = 4.0 * np.abs(np.sin(5 * clock() ** 1.5))[:, None]
    together[:, LOWER_LIP, 1] += opening
    together[:, BROWS, 1] -= opening
    assert measured(together, clock())["lips with brows"] > 0.9


def test_a_face_on_its_head_does_not_spin() -> None:
    over = 2 * talking(clock()).mean((0, 1)) - talking(clock())
    assert measured(over, clock())["roll spread"] == pytest.approx(measured(talking(clock()), clock())["roll spread"])


def test_a_face_that_does_not_move_at_all_is_measured() -> None:
    found = motion_features(np.repeat(landmarks(200)[None], 51, axis=0), clock())
    assert found is not None and np.isfinite(found).all()


@pytest.mark.parametrize("frames", [0, 1, 2, 19])
def test_too_few_frames_say_nothing(frames: int) -> None:
    assert motion_features(talking(clock())[:frames], clock()[:frames]) is None


def test_twenty_frames_are_enough() -> None:
    assert motion_features(talking(clock())[:20], clock()[:20]) is not None


def test_many_frames_of_a_short_time_say_nothing() -> None:
    times = clock(0.5, rate=240)
    assert motion_features(talking(times), times) is None


@pytest.mark.parametrize("gap", [2 * GAP, 3600.0, 1e12, np.inf])
def test_nothing_is_told_over_a_gap(gap: float) -> None:
    times = clock()
    times[25:] += gap
    assert motion_features(talking(clock()), times) is None


@pytest.mark.parametrize(("rate", "told"), [(4.0, False), (12.0, False), (15.0, True), (25.0, True)])
def test_too_few_frames_a_second_say_nothing(rate: float, told: bool) -> None:
    times = clock(6.0, rate)
    assert (motion_features(talking(times), times) is not None) == told


def test_what_comes_after_a_time_that_is_none_is_passed_over() -> None:
    times = clock()
    times[30] = np.nan
    assert motion_features(talking(clock()), times) == pytest.approx(
        motion_features(talking(clock())[:30], clock()[:30])
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_points_that_are_none_say_nothing(value: float) -> None:
    points = talking(clock())
    points[7, 3, 1] = value
    assert motion_features(points, clock()) is None


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3])
def test_a_face_without_size_says_nothing(size: float) -> None:
    assert motion_features(talking(clock()) * size, clock()) is None
