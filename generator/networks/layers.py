"""Building blocks of E, G and D: residual blocks, adaptive instance norm, self-attention (section 4.1; BigGAN, SAGAN).

A block is norm, ReLU, (nearest up x2), conv3, norm, ReLU, conv3, (avgpool 2); its skip is conv1 with the same
resampling, or the identity where neither width nor resolution changes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import ModelConfig

Wrap = Callable[[nn.Module], nn.Module]
_EPSILON = 1e-5  # under every square root: without it a constant channel gives NaN


def wrapper(spectral: bool) -> Wrap:
    """What every conv and linear layer passes through: spectral norm (paper) or nothing."""
    if not spectral:
        return lambda layer: layer
    return lambda layer: nn.utils.parametrizations.spectral_norm(layer, eps=1e-6)


class AdaIN(nn.Module):
    """Instance norm whose scale and shift are slices of psi_i (section 3.1); the slice is given at call time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    @property
    def coefficients(self) -> int:
        return 2 * self.channels

    def forward(self, x: Tensor, psi: Tensor) -> Tensor:
        """x: (B, C, h, w); psi: (B, 2 C). The scale is 1 + its slice: one that starts near 0 stalls learning."""
        scale, shift = psi[:, :, None, None].chunk(2, dim=1)  # (B, C, 1, 1) each
        return functional.instance_norm(x, eps=_EPSILON) * (1 + scale) + shift


class Block(nn.Module):
    """Residual block without norm, or with an affine instance norm; resampling is "down", "up" or none."""

    def __init__(
        self, inputs: int, outputs: int, wrap: Wrap, *, resample: str = "", norm: bool = False, first: bool = False
    ) -> None:
        super().__init__()
        self.resample, self.first = resample, first
        self.norm1 = nn.InstanceNorm2d(inputs, eps=_EPSILON, affine=True) if norm and not first else nn.Identity()
        self.norm2 = nn.InstanceNorm2d(outputs, eps=_EPSILON, affine=True) if norm else nn.Identity()
        self.conv1 = wrap(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.conv2 = wrap(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = wrap(nn.Conv2d(inputs, outputs, 1)) if inputs != outputs or resample else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.first else functional.relu(self.norm1(x))  # an image enters without norm and ReLU
        y = self.conv2(functional.relu(self.norm2(self.conv1(y))))
        if self.resample == "down":
            x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
        out: Tensor = y + self.skip(x)
        return out


class AdaptiveBlock(nn.Module):
    """Residual block with AdaIN, at the same resolution or doubling it."""

    def __init__(self, inputs: int, outputs: int, wrap: Wrap, *, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.norm1, self.norm2 = AdaIN(inputs), AdaIN(outputs)
        self.conv1 = wrap(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.conv2 = wrap(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = wrap(nn.Conv2d(inputs, outputs, 1)) if inputs != outputs or up else nn.Identity()

    @property
    def coefficients(self) -> int:
        return self.norm1.coefficients + self.norm2.coefficients

    def forward(self, x: Tensor, psi: Tensor) -> Tensor:
        first, second = psi.split([self.norm1.coefficients, self.norm2.coefficients], dim=1)
        y = functional.relu(self.norm1(x, first))
        if self.up:
            y = functional.interpolate(y, scale_factor=2)
        y = self.conv2(functional.relu(self.norm2(self.conv1(y), second)))
        skip = self.skip(x)  # conv1 commutes with nearest upsampling, and is four times cheaper before it
        out: Tensor = y + (functional.interpolate(skip, scale_factor=2) if self.up else skip)
        return out


class SelfAttention(nn.Module):
    """Self-attention of SAGAN: every place looks at every other; starts as the identity (gain 0)."""

    def __init__(self, channels: int, wrap: Wrap) -> None:
        super().__init__()
        self.query = wrap(nn.Conv2d(channels, channels // 8, 1, bias=False))
        self.key = wrap(nn.Conv2d(channels, channels // 8, 1, bias=False))
        self.value = wrap(nn.Conv2d(channels, channels // 2, 1, bias=False))
        self.output = wrap(nn.Conv2d(channels // 2, channels, 1, bias=False))
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).flatten(2).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )  # (B, h w, c)
        seen = functional.scaled_dot_product_attention(query, key, value, scale=1.0)  # (B, h w, C / 2)
        seen = seen.transpose(1, 2).unflatten(2, x.shape[2:])  # (B, C / 2, h, w)
        out: Tensor = x + self.gain * self.output(seen)
        return out


def channels_at(width: int, max_width: int, level: int) -> int:
    """Channels after `level` + 1 blocks: width, 2 width, 4 width, ... up to max_width."""
    return int(min(width * 2**level, max_width))


def down_blocks(
    inputs: int, size: int, smallest: int, width: int, max_width: int, attention: int, wrap: Wrap, norm: bool = False
) -> tuple[list[nn.Module], int]:
    """Blocks that halve `size` until `smallest`, with self-attention at resolution `attention`. Returns them and their
    width.
    """
    blocks: list[nn.Module] = []
    channels, level = inputs, 0
    while size > smallest:
        outputs = channels_at(width, max_width, level)
        blocks.append(Block(channels, outputs, wrap, resample="down", norm=norm, first=level == 0))
        size, channels, level = size // 2, outputs, level + 1
        if size == attention:
            blocks.append(SelfAttention(channels, wrap))
    return blocks, channels


def encoder_blocks(config: ModelConfig, wrap: Wrap) -> list[nn.Module]:
    """What a picture and its sketch go through in E and in D: blocks down to 4 x 4 with `config.max_width` channels."""
    inputs, size = 6 * config.stem**2, config.size // config.stem  # 6: RGB + sketch
    blocks, channels = down_blocks(inputs, size, 4, config.width, config.max_width, config.encoder_attention, wrap)
    if channels != config.max_width:  # a small picture ends narrow: widen to N
        blocks.append(wrap(nn.Conv2d(channels, config.max_width, 1)))
    return blocks
