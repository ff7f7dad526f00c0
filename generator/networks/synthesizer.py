"""The generator G (section 3.1): a landmark sketch and an identity in, a picture out.

Encoder with affine instance norm, residual blocks and up blocks with AdaIN. The projection P turns the embedding into
every AdaIN scale and shift: psi_i = P e_i.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import ModelConfig
from generator.networks.layers import AdaIN, AdaptiveBlock, SelfAttention, channels_at, down_blocks, wrapper


class Synthesizer(nn.Module):
    """`inputs`: channels read (3: the sketch); `outputs`: channels of the last conv; `skips`: encoder features handed
    on; `embedding`: N, where it is not the width of the widest block.
    """

    def __init__(
        self, config: ModelConfig, inputs: int = 3, outputs: int = 3, skips: bool = False, embedding: int = 0
    ) -> None:
        super().__init__()
        wrap = wrapper(config.spectral_norm)
        self.stem, inner = config.stem, config.size // config.stem
        inputs, outputs = inputs * config.stem**2, outputs * config.stem**2
        blocks, channels = down_blocks(
            inputs, inner, config.bottleneck, config.width, config.max_width, config.encoder_attention, wrap, norm=True
        )
        self.encoder = nn.ModuleList(blocks)
        if channels != config.max_width:
            self.encoder.append(wrap(nn.Conv2d(channels, config.max_width, 1)))
        self.same = nn.ModuleList(
            AdaptiveBlock(config.max_width, config.max_width, wrap) for _ in range(config.same_blocks)
        )
        self.up, self.skip = nn.ModuleList(), nn.ModuleDict()
        channels, size = config.max_width, config.bottleneck
        levels = (inner // config.bottleneck).bit_length() - 1
        for level in reversed(range(levels)):
            width = channels_at(config.width, config.max_width, max(level - 1, 0))
            self.up.append(AdaptiveBlock(channels, width, wrap, up=True))
            channels, size = width, size * 2
            if size == config.decoder_attention:
                self.up.append(SelfAttention(channels, wrap))
            if skips and level > 0:
                self.skip[str(size)] = nn.Conv2d(channels_at(config.width, config.max_width, level - 1), channels, 1)
        self.last_norm = AdaIN(channels)
        # With skips the guide itself meets the decoder at full resolution: single pixels do not survive the way down.
        self.fuse = nn.Conv2d(channels + inputs, channels, 3, padding=1) if skips else None
        self.last = wrap(nn.Conv2d(channels, outputs, 3, padding=1))
        self.projection = nn.Linear(embedding or config.max_width, self.coefficients, bias=False)  # P
        self.unit_embedding = config.unit_embedding
        nn.init.normal_(self.projection.weight, std=0.02)

    @property
    def coefficients(self) -> int:
        """Length of psi: every AdaIN scale and shift."""
        blocks = [*self.same, *(block for block in self.up if isinstance(block, AdaptiveBlock))]
        return sum(cast(AdaptiveBlock, block).coefficients for block in blocks) + self.last_norm.coefficients

    def project(self, embedding: Tensor) -> Tensor:
        """embedding: (B, N). Returns psi: (B, coefficients)."""
        psi: Tensor = self.projection(functional.normalize(embedding, dim=1) if self.unit_embedding else embedding)
        return psi

    def forward(self, guide: Tensor, psi: Tensor) -> Tensor:
        """guide: (B, inputs, H, W) in [-1, 1]; psi: (B, coefficients). Returns (B, outputs, H, W) before any tanh."""
        features: dict[str, Tensor] = {}
        folded = x = functional.pixel_unshuffle(guide, self.stem)  # (B, inputs stem^2, H / stem, W / stem)
        for block in self.encoder:
            x = block(x)
            features[str(x.shape[-1])] = x
        start = 0
        for block in [*self.same, *self.up]:
            if isinstance(block, AdaptiveBlock):
                x = block(x, psi[:, start : start + block.coefficients])
                start += block.coefficients
            else:
                x = block(x)
            size = str(x.shape[-1])
            if size in self.skip:
                x = x + self.skip[size](features[size])
        x = functional.relu(self.last_norm(x, psi[:, start:]))
        if self.fuse is not None:
            x = functional.leaky_relu(
                self.fuse(torch.cat([x, folded], dim=1)), 0.2
            )  # a ReLU here dies: silence is the first gain
        return functional.pixel_shuffle(self.last(x), self.stem)


class Generator(nn.Module):
    """G of the family `zakharov2019`: sees the sketch and psi, nothing else (section 3.1)."""

    needs_sources = False

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.network = Synthesizer(config)

    def project(self, embedding: Tensor) -> Tensor:
        return self.network.project(embedding)

    def forward(self, sketch: Tensor, psi: Tensor) -> Tensor:
        """sketch: (B, 3, H, W) in [-1, 1]; psi: (B, coefficients). Returns the picture (B, 3, H, W) in [-1, 1]."""
        return torch.tanh(self.network(sketch, psi))
