"""The embedder E (section 3.1): a face and its landmark sketch in, one identity vector out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.config import ModelConfig
from generator.networks.layers import encoder_blocks, wrapper


class Embedder(nn.Module):
    """Six down blocks to 4 x 4 at the paper's size, sum pooling, ReLU."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        blocks = encoder_blocks(config, wrapper(config.spectral_norm))
        self.blocks = (
            nn.Sequential(nn.PixelUnshuffle(config.stem), *blocks) if config.stem > 1 else nn.Sequential(*blocks)
        )

    def forward(self, face: Tensor, sketch: Tensor) -> Tensor:
        """face, sketch: (B, 3, H, W) in [-1, 1]. Returns (B, N), N = config.max_width."""
        features: Tensor = self.blocks(torch.cat([face, sketch], dim=1))  # (B, N, h, w)
        return features.sum(dim=(2, 3)).relu()  # (B, N); the paper sums, not averages

    def identity(self, faces: Tensor, sketches: Tensor) -> Tensor:
        """faces, sketches: (B, K, 3, H, W), row b holding K frames of one person. Returns (B, N): the mean over K."""
        batch, count = faces.shape[:2]
        each = self(faces.flatten(0, 1), sketches.flatten(0, 1))  # (B K, N)
        mean: Tensor = each.unflatten(0, (batch, count)).mean(dim=1)
        return mean


def spread(embeddings: Tensor) -> float:
    """How far apart people are: standard deviation over people, relative to the mean length. 0: E is dead."""
    deviation = embeddings.float().std(dim=0).norm()
    return float(deviation / embeddings.float().norm(dim=1).mean().clamp_min(1e-8))
