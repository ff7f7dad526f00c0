"""Pseudo-motion: other poses of one picture, plausible and repeatable."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from generator.data.pose_augmentation import random_pose
from generator.motion.retarget import canonical_face

FACE = torch.from_numpy(canonical_face())


@given(st.integers(0, 2000))
def test_poses_are_finite_and_stay_a_face(seed: int) -> None:
    pose = random_pose(FACE, np.random.default_rng(seed))
    assert pose.shape == (68, 2) and pose.isfinite().all()
    assert (pose - FACE).norm(dim=1).mean() < 0.6
    assert pose[8, 1] > pose[27, 1]  # the chin stays below the nose
    assert pose[16, 0] > pose[0, 0]


def test_the_same_seed_gives_the_same_pose() -> None:
    assert torch.equal(random_pose(FACE, np.random.default_rng(3)), random_pose(FACE, np.random.default_rng(3)))


def test_the_picture_is_not_changed() -> None:
    before = FACE.clone()
    random_pose(FACE, np.random.default_rng(0))
    assert torch.equal(before, FACE)


def test_mouths_open_and_eyes_close_in_some() -> None:
    poses = [random_pose(FACE, np.random.default_rng(i)) for i in range(60)]
    mouths = [float((p[66] - p[62]).norm()) for p in poses]
    eyes = [float((p[41] - p[37]).norm()) for p in poses]
    assert max(mouths) > 1.5 * float((FACE[66] - FACE[62]).norm()) + 0.01
    assert min(eyes) < 0.6 * float((FACE[41] - FACE[37]).norm())
