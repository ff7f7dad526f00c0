"""An episode as the networks take it: frames of one person to learn from, and one frame to reproduce (section 3.2).

Comes in: a batch of tensors. Goes out: the same on another device or in parts, and its nearest sources with the grids
that bend them into the target's pose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from generator.networks.warp import nearest, warp_grid


@dataclass(frozen=True)
class Episode:
    """A batch of B episodes. Pictures and sketches in [-1, 1], landmarks in [-1, 1] (see warp.normalise)."""

    faces: Tensor  # (B, K, 3, H, W)
    sketches: Tensor  # (B, K, 3, H, W)
    landmarks: Tensor  # (B, K, 68, 2)
    target: Tensor  # (B, 3, H, W)
    target_sketch: Tensor  # (B, 3, H, W)
    target_landmarks: Tensor  # (B, 68, 2)
    videos: Tensor  # (B,) index of the training video, the row of W

    def to(self, device: torch.device) -> Episode:
        return replace(self, **{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})

    def pin_memory(self) -> Episode:
        """In memory from which a GPU copies by itself; a DataLoader asks for it by this name."""
        return replace(self, **{name: value.pin_memory() for name, value in vars(self).items()})

    def split(self, parts: int) -> list[Episode]:
        """`parts` batches of B / parts each, in order."""
        pieces = {name: value.chunk(parts) for name, value in vars(self).items()}
        return [replace(self, **{name: piece[index] for name, piece in pieces.items()}) for index in range(parts)]


def source_warps(episode: Episode, count: int) -> tuple[Tensor, Tensor]:
    """The `count` sources nearest to the target: pictures (B, count, 3, H, W), and grids (B, count, H, W, 2) into the
    target's pose.
    """
    batch, size = len(episode.target), episode.target.shape[-1]
    order = nearest(episode.landmarks, episode.target_landmarks, count)  # (B, count)
    rows = torch.arange(batch, device=order.device)[:, None]
    chosen, points = episode.faces[rows, order], episode.landmarks[rows, order]
    targets = episode.target_landmarks[:, None].expand(-1, count, -1, -1)
    grids = warp_grid(points.flatten(0, 1), targets.flatten(0, 1), size).unflatten(0, (batch, count))
    return chosen, grids
