"""Whole performances: those that ship can be made again bit for bit, and do what a motion worth watching does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.acting.act import act
from generator.acting.temperament import TEMPERAMENTS
from generator.motion.head import fit_head
from generator.motion.retarget import canonical_depth, canonical_face
from generator.motion.track import Motion, motion_path, read_motion, write_motion
from sfumato.errors import UsageError

REST = np.column_stack([canonical_face(), canonical_depth()]).astype(np.float64)


@pytest.fixture(scope="module", params=sorted(TEMPERAMENTS))
def shipped(request: pytest.FixtureRequest) -> Motion:
    return read_motion(motion_path(request.param))


def opening(motion: Motion) -> NDArray[np.float64]:
    """(F,), in heights of the face, as benchmarks have it."""
    points = motion.landmarks.astype(np.float64)
    lips = np.linalg.norm(points[:, [61, 62, 63]] - points[:, [67, 66, 65]], axis=2).mean(1)
    return np.asarray(lips / np.linalg.norm(points[:, 27] - points[:, 8], axis=1))


def lids(motion: Motion) -> NDArray[np.float64]:
    """(F,): 1 as open as at first."""
    apart = np.linalg.norm(motion.landmarks[:, [37, 38, 43, 44]] - motion.landmarks[:, [41, 40, 47, 46]], axis=2).mean(
        1
    )
    return np.asarray(apart / apart[0], np.float64)


def yaw(motion: Motion) -> NDArray[np.float64]:
    """(F,), degrees."""
    assert motion.depth is not None
    solid = np.concatenate([motion.landmarks, motion.depth[..., None]], axis=2).astype(np.float64)
    turns = [fit_head(REST, points).rotation for points in solid]
    return np.array([np.degrees(np.arctan2(turn[0, 2], turn[2, 2])) for turn in turns])


def blinks(motion: Motion) -> int:
    return int((np.diff((lids(motion) < 0.1).astype(int)) == 1).sum())


def test_what_ships_is_made_again_bit_for_bit(shipped: Motion, tmp_path: Path) -> None:
    write_motion(tmp_path / "again.motion", act(TEMPERAMENTS[shipped.name]))
    assert (tmp_path / "again.motion").read_bytes() == motion_path(shipped.name).read_bytes()


def test_what_ships_has_depth_gaze_blinks_and_a_length_worth_watching(shipped: Motion) -> None:
    assert 5 <= len(shipped) / 25 <= 8 and shipped.neutral == 0
    assert shipped.depth is not None and shipped.gaze is not None
    assert 2 <= blinks(shipped) <= 5
    assert np.ptp(shipped.gaze[:, 0, 0]) > 0.08  # they look about


def test_the_end_leads_to_the_start(shipped: Motion) -> None:
    assert shipped.depth is not None
    solid = np.concatenate([shipped.landmarks, shipped.depth[..., None]], axis=2)
    steps = np.abs(np.diff(solid, axis=0)).max(axis=(1, 2))
    assert np.abs(solid[0] - solid[-1]).max() <= np.percentile(steps, 60)
    assert opening(shipped)[0] < 0.01 and lids(shipped)[-1] > 0.9


def test_eloquent_talks_as_talkers_do_and_turns() -> None:
    motion = read_motion(motion_path("eloquent"))
    eyes = np.linalg.norm(motion.landmarks[:, 42:48].mean(1) - motion.landmarks[:, 36:42].mean(1), axis=1)
    apart = np.linalg.norm(motion.landmarks[:, 66] - motion.landmarks[:, 62], axis=1) / eyes
    assert 0.08 <= apart.std() <= 0.11
    shut = opening(motion) < 0.012
    assert (np.diff(shut.astype(int)) == 1).sum() >= 5  # lips meet while it talks
    assert yaw(motion).max() > 10 and yaw(motion).min() < -10


def test_cheerful_laughs_with_a_wide_mouth_and_narrowed_eyes() -> None:
    motion = read_motion(motion_path("cheerful"))
    wide = np.linalg.norm(motion.landmarks[:, 54] - motion.landmarks[:, 48], axis=1)
    laughing = opening(motion) > 0.1
    assert laughing.sum() > 10
    assert np.median(wide[laughing]) > 1.15 * wide[0] and np.median(lids(motion)[laughing]) < 0.75


def test_serene_keeps_its_mouth_nearly_shut_and_its_head_nearly_still() -> None:
    motion = read_motion(motion_path("serene"))
    assert opening(motion).max() < 0.08 and np.abs(yaw(motion)).max() < 12


@pytest.mark.parametrize("seconds", [3.0, 4.99, 30.0])
@pytest.mark.parametrize("name", sorted(TEMPERAMENTS))
def test_other_seeds_and_lengths_are_performances_too(name: str, seconds: float) -> None:
    first, second = (act(TEMPERAMENTS[name], seed, seconds) for seed in (1, 2))
    assert len(first) == round(seconds * 25) and not np.array_equal(first.landmarks, second.landmarks)
    for motion in (first, second):
        assert np.abs(np.diff(motion.landmarks, axis=0)).max() < 0.1  # nothing jumps
        assert opening(motion).max() < 0.25 and np.abs(yaw(motion)).max() < 24


@pytest.mark.parametrize("seconds", [0.5, 2.9, 121.0, float("nan")])
def test_no_length_for_a_motion_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="3 to 120"):
        act(TEMPERAMENTS["serene"], 1, seconds)
