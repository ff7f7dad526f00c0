"""The frequency branch: a face crop in, a few features of its noise out (after the steganalysis filters of Fridrich and
Kodovsky, 2012).

Three fixed high-pass filters take the content away and leave what sensors, codecs and decoders write into the last
bits; a few small convolutions pool it. Optional: a backbone finds much of this by itself, and hard compression removes
it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FILTERS = (  # second difference, 3 x 3 edge-free square, the same over 5 x 5; each sums to 0
    (((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 1, -2, 1, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)), 2),
    (((0, 0, 0, 0, 0), (0, -1, 2, -1, 0), (0, 2, -4, 2, 0), (0, -1, 2, -1, 0), (0, 0, 0, 0, 0)), 4),
    (((-1, 2, -2, 2, -1), (2, -6, 8, -6, 2), (-2, 8, -12, 8, -2), (2, -6, 8, -6, 2), (-1, 2, -2, 2, -1)), 12),
)
_REACH = 8.0  # of 255 levels; beyond it are edges, which say nothing


class FrequencyBranch(nn.Module):
    """`width` features a picture."""

    kernels: Tensor

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.width = width
        kernels = torch.tensor([values for values, _ in _FILTERS]) / torch.tensor([[[scale]] for _, scale in _FILTERS])
        self.register_buffer(
            "kernels", kernels.float()[:, None].repeat(3, 1, 1, 1)
        )  # (9, 1, 5, 5): each filter on each colour
        self.layers = nn.Sequential(
            *_stage(9, 16), *_stage(16, 32), *_stage(32, width), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def forward(self, face: Tensor) -> Tensor:
        """face: (B, 3, H, W) in [-1, 1]. Returns (B, width)."""
        noise = nn.functional.conv2d(face * 127.5, self.kernels, groups=3)  # (B, 9, H - 4, W - 4), in levels
        features: Tensor = self.layers((noise / _REACH).clamp(-1, 1))
        return features


def _stage(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
