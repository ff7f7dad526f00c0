"""The family `landmark-warp`: the nearest source frame, bent to the target's landmarks, and nothing else. It is not
trained.

A baseline that every trained family has to beat, and a second kind of fake for the detector: its pictures carry the
traces of a warp alone. Works at any size. What a warp cannot know it does not show: teeth, closed lids, what was
hidden. Painting an opened mouth dark was tried and left out: L1 inside the lips rose from .076 to .077-.085 (37 clips,
T = 1, three shades).
"""

from __future__ import annotations

from typing import NoReturn

import torch
from torch import Tensor, nn

from generator.config import ModelConfig
from generator.networks.checkpoint import TRAINING_FREE, Checkpoint
from generator.networks.embedder import Embedder
from generator.networks.families import Composition, WarpGenerator
from generator.networks.warp import sample
from sfumato.errors import UsageError


class NoEmbedder(Embedder):
    """E of a family that reads no identity from numbers: everybody gets the same one."""

    def __init__(self, config: ModelConfig) -> None:
        nn.Module.__init__(self)

    def forward(self, face: Tensor, sketch: Tensor) -> Tensor:
        """face, sketch: (B, 3, H, W). Returns (B, 1), zeros."""
        return face.new_zeros(len(face), 1)


class LandmarkWarp(WarpGenerator):
    """G without a network. Its picture IS the warp of the nearest source."""

    embedder = NoEmbedder

    def __init__(self, config: ModelConfig) -> None:
        nn.Module.__init__(self)
        self.warps, self.reach, self.mouth = 1, 0.0, None

    @property
    def network(self) -> NoReturn:  # type: ignore[override]
        """Raises UsageError: whoever wants to train it asks for this."""
        raise nothing_to_train()

    def train(self, mode: bool = True) -> LandmarkWarp:
        """Raises UsageError for anything but evaluation."""
        if mode:
            raise nothing_to_train()
        return super().train(False)

    def project(self, embedding: Tensor) -> Tensor:
        return embedding

    def head(self, sketch: Tensor, psi: Tensor, sources: Tensor, grids: Tensor) -> Tensor:
        """There is no network to answer: (B, 0, 1, 1)."""
        return sketch.new_zeros(len(sketch), 0, 1, 1)

    def bend(self, head: Tensor, sources: Tensor, grids: Tensor, shares: Tensor | None = None) -> Tensor:
        """sources: (B, n, C, H, W), nearest first; grids: (B, n, h, w, 2). The picture has the size of the grids."""
        return sample(sources[:, 0].float(), grids[:, 0])

    def paint(self, head: Tensor, warp: Tensor, within: Tensor | None = None) -> Composition:
        """Nothing is painted."""
        return Composition(warp, warp, warp, torch.zeros_like(warp[:, :1]))


def landmark_warp() -> Checkpoint:
    """What `generator/weights/landmark-warp.safetensors` holds: the family's name and a configuration, no weights.

    Its size is named only where one has to be (benchmarks); pictures of any size come out.
    """
    config = ModelConfig(family=TRAINING_FREE, size=128, warps=1)
    record = {"trained": "never: the warp of the nearest source alone"}
    return Checkpoint(config, NoEmbedder(config), LandmarkWarp(config).eval(), record=record)


def nothing_to_train() -> UsageError:
    """What somebody is told who wants to train or fine-tune it."""
    return UsageError(
        "The family landmark-warp has nothing to train", "Leave fine-tuning out, or choose a checkpoint with a network."
    )
