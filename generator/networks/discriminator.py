"""The projection discriminator D (section 3.1): D(x, y, i) = V(x, y)^T (W_i + w_0) + b.

W holds one vector for each training video, with row-wise optimiser state (a step touches the rows it saw); it is
dropped when a checkpoint is exported. For a new person w' = w_0 + e_NEW takes the place of W_i + w_0 (section 3.4).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import ModelConfig
from generator.networks.layers import Block, encoder_blocks, wrapper


class Critic(nn.Module):
    """As E, plus one block at 4 x 4, then the projection. Returns raw scores: no sigmoid before the hinge."""

    def __init__(self, config: ModelConfig, videos: int) -> None:
        super().__init__()
        wrap = wrapper(True)
        self.stem = config.stem
        self.blocks = nn.ModuleList([*encoder_blocks(config, wrap), Block(config.max_width, config.max_width, wrap)])
        self.identities = nn.Embedding(max(videos, 1), config.max_width, sparse=True)  # W
        nn.init.normal_(self.identities.weight, std=0.02)
        self.shared = nn.Parameter(torch.randn(config.max_width) * 0.02)  # w_0
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, image: Tensor, sketch: Tensor, weights: Tensor) -> tuple[Tensor, list[Tensor]]:
        """image, sketch: (B, 3, H, W) in [-1, 1]; weights: (B, N), W_i + w_0 or w'. Returns scores (B,) and each
        block's output.
        """
        features: list[Tensor] = []
        x = functional.pixel_unshuffle(torch.cat([image, sketch], dim=1), self.stem)
        for block in self.blocks:
            x = block(x)
            if isinstance(block, Block):
                features.append(x)
        pooled = x.sum(dim=(2, 3)).relu()  # V(x, y): (B, N)
        return (pooled * weights).sum(dim=1) + self.bias, features

    def weights_of(self, videos: Tensor) -> Tensor:
        """videos: (B,) indices of training videos. Returns W_i + w_0: (B, N)."""
        rows: Tensor = self.identities(videos)
        return rows + self.shared


class MouthCritic(nn.Module):
    """D of the mouth's square: a score of each of 8 x 8 parts. It knows where the lips are."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        wrap = wrapper(True)
        sizes = (5, width, 2 * width, 4 * width)  # RGB, inside the inner and the outer lips
        halving = [wrap(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in itertools.pairwise(sizes)]
        self.blocks = nn.ModuleList([*halving, wrap(nn.Conv2d(4 * width, 4 * width, 3, padding=1))])
        self.last = wrap(nn.Conv2d(4 * width, 1, 3, padding=1))

    def forward(self, square: Tensor, lips: Tensor) -> tuple[Tensor, list[Tensor]]:
        """square: (B, 3, 64, 64) in [-1, 1]; lips: (B, 3, 64, 64), see `generator.networks.mouth`. Returns scores (B,
        1, 8, 8) and each layer's output.
        """
        x, features = torch.cat([square, 2 * lips[:, :2] - 1], dim=1), []
        for block in self.blocks:
            x = functional.leaky_relu(block(x), 0.2)
            features.append(x)
        return self.last(x), features


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Gradients pass through `module` but none are kept in it, except in W, which L_MCH moves."""
    changed = [p for n, p in module.named_parameters() if p.requires_grad and not n.startswith("identities")]
    for parameter in changed:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in changed:
            parameter.requires_grad_(True)
