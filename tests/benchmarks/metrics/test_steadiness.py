"""Flicker and background, on pictures that change by known amounts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.metrics.steadiness import Background, Flicker, outside
from generator.motion.retarget import canonical_face

SIZE = 96
POINTS = (((canonical_face() + 1) * SIZE - 1) / 2).astype(np.float32)


def grey(level: float) -> NDArray[np.uint8]:
    return np.full((SIZE, SIZE, 3), round(level), np.uint8)


def flicker_of(levels: list[int]) -> float | None:
    found = Flicker()
    for level in levels:
        found.add(grey(level), POINTS)
    return found.value


def test_a_face_that_blinks_every_other_frame_flickers_by_four_times_its_deviation() -> None:
    assert flicker_of([100, 110, 100, 110]) == pytest.approx(20, abs=1e-3)


@pytest.mark.parametrize("levels", [[100] * 5, [100, 104, 108, 112]], ids=["still", "steadily brighter"])
def test_what_stands_still_or_changes_steadily_does_not_flicker(levels: list[int]) -> None:
    assert flicker_of(levels) == pytest.approx(0, abs=1e-3)


def test_two_frames_have_no_flicker() -> None:
    assert flicker_of([100, 110]) is None


def test_a_missing_frame_starts_anew() -> None:
    found = Flicker()
    for level in (100, 110):
        found.add(grey(level), POINTS)
    found.interrupt()
    for level in (200, 210):
        found.add(grey(level), POINTS)
    assert found.value is None


def test_a_face_that_moves_as_a_whole_does_not_flicker() -> None:
    ramp = np.repeat((np.arange(SIZE) * 2).astype(np.uint8)[None, :, None], SIZE, axis=0).repeat(3, axis=2)
    found = Flicker()
    for shift in (0, 3, 0, 3):
        found.add(np.roll(ramp, shift, axis=1), POINTS + np.float32([shift, 0]))
    assert found.value == pytest.approx(0, abs=1.0)


def test_background_is_above_the_chin_and_away_from_the_face() -> None:
    there = outside(POINTS * 0.5 + SIZE / 4, SIZE)
    assert there[0, 0] and there[0, -1] and not there[SIZE // 2, SIZE // 2] and not there[-1, 0]


def test_a_background_at_rest_has_no_deviation_whatever_the_face_does() -> None:
    points = POINTS * 0.5 + SIZE / 4
    found = Background(points, SIZE)
    for level in (0, 255, 0):
        image = grey(100)
        image[~outside(points, SIZE)] = level
        found.add(image)
    assert found.value == 0


def test_a_background_that_jumps_by_ten_levels_deviates_by_five() -> None:
    found = Background(POINTS * 0.5 + SIZE / 4, SIZE)
    for level in (100, 110, 100, 110):
        found.add(grey(level))
    assert found.value == pytest.approx(5)


def test_a_face_that_fills_the_picture_leaves_no_background() -> None:
    found = Background(POINTS * 2 - SIZE / 2, SIZE)
    for level in (100, 110):
        found.add(grey(level))
    assert found.value is None
