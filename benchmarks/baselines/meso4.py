"""Meso4 (Afchar et al. 2018, section 3.1): four convolutions and two dense layers, 27,977 parameters.

Written from the paper: convolutions of 8 (3 x 3), 8 (5 x 5), 16 (5 x 5) and 16 (5 x 5) maps, each with ReLU, batch
normalisation and max pooling (2, 2, 2, 4); dropout, 16 units with leaky ReLU of .1, dropout, one sigmoid. Learnt as
there: Adam (.9, .999), a rate of 1e-3 that is divided by ten three times, to 1e-6, batches of 75, pictures of 256 px,
squared error as in the authors' code. Of their augmentations mirroring and changes of brightness are made; zoom,
rotation and hue are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.baselines.examples import Crops, Examples
from detector.evaluation.metrics import Curve

SIDE = 256
PARAMETERS = 27977
_LOOKS = 10  # how often the validation is looked at
_DROPS = 4  # of the rate: 1e-3, 1e-4, 1e-5, 1e-6
_BATCH = 64  # pictures judged at a time


@dataclass(frozen=True)
class Meso4Config:
    """steps: of training; batch: pictures a step, the paper's; rate: at the beginning, the paper's; seed: of all that
    is drawn.
    """

    steps: int = 4000
    batch: int = 75
    rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2 or not self.rate > 0:
            raise ValueError("steps are at least 1, batches at least 2, and the rate is above 0")


class Meso4Net(nn.Module):
    """One logit a picture."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, side, pool in ((3, 8, 3, 2), (8, 8, 5, 2), (8, 16, 5, 2), (16, 16, 5, 4)):
            layers += [nn.Conv2d(before, after, side, padding=side // 2), nn.ReLU(), nn.BatchNorm2d(after)]
            layers.append(nn.MaxPool2d(pool))
        self.places = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(16 * 8 * 8, 16), nn.LeakyReLU(0.1), nn.Dropout(0.5),
            nn.Linear(16, 1),
        )  # fmt: skip

    def forward(self, face: Tensor) -> Tensor:
        """face: (B, 3, 256, 256) in [0, 1]. Returns (B,)."""
        logits: Tensor = self.dense(self.places(face))  # (B, 1)
        return logits[:, 0]


def train_meso4(
    train: Examples, validation: Examples, config: Meso4Config, advance: Callable[[float], None]
) -> tuple[Meso4Net, dict[str, float]]:
    """The net with the best AUC over the validation's videos, and what is known of it. Reals and fakes are drawn alike
    often. `advance` gets 1 a step.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    net = Meso4Net()
    optimizer = torch.optim.Adam(net.parameters(), config.rate, betas=(0.9, 0.999))
    kinds = [np.flatnonzero(train.labels == label) for label in (0, 1)]
    best, kept, when = -1.0, net.state_dict(), 0
    every = max(1, config.steps // _LOOKS)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.rate * 0.1 ** (step * _DROPS // config.steps)
        labels = rng.integers(0, 2, config.batch)
        chosen = [int(rng.choice(kinds[label])) for label in labels]
        face = _varied(_pixels(train.crops[chosen]), rng)
        wanted = torch.from_numpy(labels).float()
        net.train()
        loss = nn.functional.mse_loss(net(face).sigmoid(), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        advance(1)
        if (step + 1) % every == 0 or step + 1 == config.steps:
            auc = float(Curve(*validation.by_clip(scores(net, validation.crops))).auc()[0])
            if auc > best:
                best, when = auc, step + 1
                kept = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(kept)
    return net.eval(), {"validation_auc": best, "step": float(when)}


@torch.no_grad()
def scores(net: Meso4Net, crops: Crops) -> NDArray[np.float64]:
    """crops: (N, 256, 256, 3) uint8. Returns (N,) in [0, 1], the larger, the more fake."""
    net.eval()
    parts = [net(_pixels(crops[start : start + _BATCH])).sigmoid() for start in range(0, len(crops), _BATCH)]
    return torch.cat(parts).double().numpy() if parts else np.zeros(0)


def _pixels(crops: Crops) -> Tensor:
    """(B, S, S, 3) uint8 to (B, 3, S, S) in [0, 1]."""
    return torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2).float() / 255


def _varied(face: Tensor, rng: np.random.Generator) -> Tensor:
    """Half of them mirrored, each a little brighter or darker."""
    mirrored = torch.from_numpy(rng.random(len(face)) < 0.5)
    face = torch.where(mirrored[:, None, None, None], face.flip(3), face)
    light = torch.from_numpy(rng.uniform(0.8, 1.2, len(face))).float()
    return (face * light[:, None, None, None]).clamp(0, 1)
