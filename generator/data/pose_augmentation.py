"""Pseudo-motion: plausible other poses of a single picture, so that people of whom there is one photograph can
teach.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def random_pose(points: Tensor, rng: np.random.Generator) -> Tensor:
    """Random head motion and expression: points (68, 2) in [-1, 1] turned a little in three dimensions, mouth and eyes
    moved.
    """
    centre = points.mean(0)
    local = points - centre
    reach = local.norm(dim=1).max()
    depth = -((local[:, 0] / reach) ** 2) * 0.7 * reach  # the face as a cylinder: ears lie behind the nose
    depth[27:36] += 0.25 * reach
    yaw, pitch, roll = (float(v) for v in rng.normal(0, [0.20, 0.12, 0.08]))
    x = local[:, 0] * np.cos(yaw) + depth * np.sin(yaw)
    y = local[:, 1] * np.cos(pitch) - depth * np.sin(pitch)
    turned = torch.stack([x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)], dim=1)
    height = float(local[8, 1] - local[27, 1])
    opening = float(rng.normal(0, 0.06)) * height
    turned[55:60, 1] += max(opening, -0.02 * height)
    turned[65:68, 1] += max(opening, -0.02 * height)
    turned[6:11, 1] += 0.5 * max(opening, 0.0)
    for upper, lower in (([37, 38], [41, 40]), ([43, 44], [47, 46])):
        closing = float(rng.uniform(-0.2, 0.8)) if rng.random() < 0.3 else 0.0
        turned[upper] += closing * (turned[lower] - turned[upper])
    shift = torch.from_numpy(rng.normal(0, 0.05, 2).astype(np.float32))
    return turned * float(rng.normal(1, 0.04)) + centre + shift
