"""Structural similarity (SSIM), the one definition that losses and measurements share. Two batches of pictures in, one
number a picture out.

Wang et al. 2004 as they give it: values in [0, 1], a Gaussian window of 11 taps and standard deviation 1.5, K1 = .01,
K2 = .03; mean over all places where the window lies inside the picture, and over channels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TAPS = 11
SIGMA = 1.5  # px
K1, K2 = 0.01, 0.03  # times the range of the values, which is 1, squared: the constants that keep it finite


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """(B,) in [-1, 1], 1 for equal pictures. a, b: (B, C, H, W) in [0, 1], at least 11 px high and wide."""
    line = torch.exp(-((torch.arange(TAPS, device=a.device) - TAPS // 2) ** 2) / (2 * SIGMA**2))
    line = (line / line.sum()).to(a.dtype)
    channels = a.shape[1]

    def blur(x: Tensor) -> Tensor:
        x = functional.conv2d(x, line.view(1, 1, -1, 1).expand(channels, -1, -1, -1), groups=channels)
        return functional.conv2d(x, line.view(1, 1, 1, -1).expand(channels, -1, -1, -1), groups=channels)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, cov = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    c1, c2 = K1**2, K2**2
    index = ((2 * mean_a * mean_b + c1) * (2 * cov + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return index.mean(dim=(1, 2, 3))
