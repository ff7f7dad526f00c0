"""Smoothing of tracks: landmarks and depth are calmer, and a blink is kept on eyes of any size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.motion.retarget import Retargeter, canonical_face, without_likeness
from generator.motion.track import smooth_depth, smooth_track
from tests.generator_fixtures import motion

FACE = canonical_face()


def track(count: int) -> NDArray[np.float32]:
    return (FACE + 0.02 * np.random.default_rng(0).normal(size=(count, 68, 2))).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 30, 2001])
def test_smoothing_leaves_a_constant_track_alone(count: int) -> None:
    still = np.repeat(FACE[None], count, axis=0)
    assert np.allclose(smooth_track(still, np.arange(count) / 25), still, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_smoothing_leaves_constant_depth_alone(count: int) -> None:
    depth = np.linspace(-0.2, 0.3, 68, dtype=np.float32)[None].repeat(count, axis=0)
    assert np.allclose(smooth_depth(depth, np.arange(count) / 25), depth, atol=1e-6)


def test_depth_is_smoothed_as_the_skull_is() -> None:
    shaky, times = np.random.default_rng(0).normal(size=(100, 68)).astype(np.float32), np.arange(100) / 25
    left = [np.abs(np.diff(smooth_depth(shaky, times, amount), axis=0)).mean() for amount in (0, 1)]
    assert left[1] < 0.5 * left[0]


def test_smoothing_takes_jitter_out_and_keeps_the_blink() -> None:
    shaky = track(100)
    smooth = smooth_track(shaky, np.arange(100) / 25)
    assert np.abs(np.diff(smooth[:, :36], axis=0)).mean() < 0.5 * np.abs(np.diff(shaky[:, :36], axis=0)).mean()
    blink = np.repeat(FACE[None], 21, axis=0)
    blink[9:12, [37, 38, 43, 44]] = blink[9:12, [41, 40, 47, 46]]
    opening = np.linalg.norm(smooth_track(blink, np.arange(21) / 25)[:, 37] - FACE[41], axis=1)
    assert opening[10] < 0.25 * opening[0]


UPPER, LOWER = [37, 38, 43, 44], [41, 40, 47, 46]


def face_with_eyes(scale: float) -> NDArray[np.float32]:
    """The canonical face, its eyes opened `scale` times as far and as wide."""
    points = FACE.copy()
    for eye in (slice(36, 42), slice(42, 48)):
        points[eye] = points[eye].mean(0) + scale * (points[eye] - points[eye].mean(0))
    return points


def openings(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the eyes are open: (F, 68, 2) to (F,)."""
    return np.linalg.norm(points[:, UPPER] - points[:, LOWER], axis=2).mean(1)


@pytest.mark.parametrize("amount", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(("driver", "source"), [(1.0, 1.0), (0.8, 1.3), (1.3, 0.7)])
@pytest.mark.parametrize("shipped", [False, True])
def test_a_blink_closes_eyes_of_another_size_after_smoothing_and_retargeting(
    driver: float, source: float, amount: float, shipped: bool
) -> None:
    frames = np.repeat(face_with_eyes(driver)[None], 30, axis=0)
    for at, share in ((13, 0.6), (14, 1.0), (15, 1.0), (16, 0.5)):  # a blink of 160 ms at 25 frames a second
        frames[at, UPPER] += share * (frames[at, LOWER] - frames[at, UPPER])
    moved = motion(list(smooth_track(frames, np.arange(30) / 25, amount)))
    moved = without_likeness(moved, FACE) if shipped else moved
    eyes = face_with_eyes(source)
    found = openings(np.stack([Retargeter(eyes, moved).frame(i) for i in range(30)])) / openings(eyes[None])
    assert found[14:16].max() < 0.15  # near closed,
    assert abs(found[:10] - 1).max() < 0.02 and abs(found[20:] - 1).max() < 0.02  # and open before and after
    wanted = openings(frames) / openings(frames[:1])
    assert np.abs(found - wanted).max() < 0.25  # and in between as the driver's


def test_more_smoothing_is_calmer_and_none_leaves_the_track_alone() -> None:
    shaky, times = track(100), np.arange(100) / 25
    jitter = [float(np.abs(np.diff(smooth_track(shaky, times, amount), 2, axis=0)).mean()) for amount in (0, 1, 2)]
    assert jitter[1] < 0.7 * jitter[0] and jitter[2] < 0.7 * jitter[1]
    assert np.array_equal(smooth_track(shaky, times, 0), shaky)


def test_eyes_keep_their_place_as_calmly_as_the_nose() -> None:
    shaky, times = track(100), np.arange(100) / 25
    found = smooth_track(shaky, times)
    nose, eyes = (
        float(np.abs(np.diff(part, 2, axis=0)).mean()) for part in (found[:, 27:36], found[:, [36, 39, 42, 45]])
    )
    assert eyes < 1.3 * nose


def test_a_long_track_is_smoothed_as_a_short_one_is() -> None:
    whole = track(2600)
    times = np.arange(2600) / 25
    long = smooth_track(whole, times)
    assert long.shape == whole.shape
    for start in (950, 1950):  # across the borders of the pieces
        part = smooth_track(whole[start - 50 : start + 150], times[start - 50 : start + 150])
        assert np.allclose(long[start : start + 100], part[50:150], atol=1e-6)
