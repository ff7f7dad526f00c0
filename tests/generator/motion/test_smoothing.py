"""Smoothing over time: constants stay, jitter goes, and what jumps is hardly touched where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from generator.motion.smoothing import blur, steady


@pytest.mark.parametrize("count", [1, 2, 30, 2001])
def test_a_constant_stays(count: int) -> None:
    still = np.repeat(np.array([[[0.1, -0.2], [0.3, 0.4]]], np.float32), count, axis=0)
    times = np.arange(count) / 25
    assert np.allclose(blur(still, times, 0.05), still, atol=1e-6)
    assert np.allclose(steady(still, times, 0.06, 0.018, 0.1), still, atol=1e-6)


def test_a_long_track_is_smoothed_as_a_short_one() -> None:
    values = np.random.default_rng(0).normal(size=(2100, 1, 1)).astype(np.float32)
    times = np.arange(2100) / 25
    assert np.allclose(blur(values, times, 0.05)[900:1100], blur(values[800:1200], times[800:1200], 0.05)[100:300])


def test_what_rests_is_calmed_and_what_jumps_is_kept() -> None:
    rng, times = np.random.default_rng(0), np.arange(100) / 25
    track = (np.arange(100) >= 50).astype(np.float32)[:, None, None] + 0.01 * rng.normal(size=(100, 1, 1))
    found = steady(track.astype(np.float32), times, 0.06, 0.018, 0.1)
    light = blur(track.astype(np.float32), times, 0.018)
    assert np.allclose(found[49:51], light[49:51], atol=0.02)  # the jump as sharp as lightly smoothed
    assert np.diff(found[:45], axis=0).std() < 0.6 * np.diff(light[:45], axis=0).std()
