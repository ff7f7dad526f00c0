"""The net: a face crop in, two logits out. Blend evidence (a face was pasted in) and synthesis evidence (the face was
generated).

Two heads and not one: the two kinds of fake leave different traces, and trained into one logit each spoils the other.
How the two become one score is calibrated afterwards (`detector.inference.fusion`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.config import HEADS, ModelConfig
from detector.inference.bundle import FORMAT
from detector.models.backbones import build_backbone
from detector.models.frequency import FrequencyBranch
from sfumato.errors import CheckpointError


class DetectorNet(nn.Module):
    """`config.size` is the crop's side S; other sides work as far as the backbone allows."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(config)
        self.frequency = FrequencyBranch() if config.frequency else None
        self.dropout = nn.Dropout(config.dropout)
        width = self.backbone.width + (self.frequency.width if self.frequency is not None else 0)
        self.heads = nn.Linear(width, len(HEADS))
        nn.init.zeros_(self.heads.weight)  # the first step starts at even odds whatever the features' scale
        nn.init.zeros_(self.heads.bias)

    def forward(self, face: Tensor) -> Tensor:
        """face: (B, 3, S, S) in [-1, 1]. Returns (B, 2) logits in the order of HEADS; out of training the mean with the
        mirrored face.
        """
        mirrored = self.config.mirrored and not self.training
        seen = torch.cat([face, face.flip(3)]) if mirrored else face  # (2B, 3, S, S)
        logits = self.judge(self.backbone(seen), seen)  # (2B, 2)
        return logits.reshape(2, -1, len(HEADS)).mean(0) if mirrored else logits

    def judge(self, features: Tensor, face: Tensor) -> Tensor:
        """features: (B, width) of the backbone for `face`. Returns (B, 2) logits."""
        if self.frequency is not None:
            features = torch.cat([features, self.frequency(face)], dim=1)
        logits: Tensor = self.heads(self.dropout(features))
        return logits

    def has_maps(self) -> bool:
        """Whether the heads read nothing but the plain mean of the backbone's features over places."""
        return self.frequency is None and self.backbone.averages_places(self.config.size)

    def with_maps(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """face: (B, 3, S, S) in [-1, 1]. Returns the logits of `forward` out of training, and for each what every place
        adds: (B, 2, h, w).

        A head is linear in the mean over places, so a logit is its map's mean plus a constant, and the map is
        Grad-CAM's before the ReLU, times h w (Selvaraju et al. 2017, section 3.1; Zhou et al. 2016). The mirrored
        view's map is turned back and averaged in. Holds where `has_maps` does only.
        """
        seen = torch.cat([face, face.flip(3)]) if self.config.mirrored else face  # (2B, 3, S, S)
        maps = functional.conv2d(
            self.backbone.places(seen), self.heads.weight[:, :, None, None]
        )  # (2B, width, h, w) -> (2B, 2, h, w)
        if self.config.mirrored:
            straight, turned = maps.reshape(2, -1, *maps.shape[1:])  # (2B, 2, h, w) -> (B, 2, h, w) twice
            maps = (straight + turned.flip(3)) / 2
        return maps.mean((2, 3)) + self.heads.bias, maps


def load_weights(net: DetectorNet, state: Mapping[str, Tensor], source: Mapping[str, Any]) -> None:
    """Loads `state` strictly. Raises CheckpointError if `source` (the record beside it) is of another format or net."""
    check_format(source)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        advice = "Use the configuration they were trained with."
        raise CheckpointError(f"The weights do not fit the net: {str(error).splitlines()[0]}", advice) from error


def check_format(record: Mapping[str, Any]) -> None:
    """Raises CheckpointError unless `record["format"]` is the one this version reads."""
    if record.get("format") != FORMAT:
        raise CheckpointError(f"Unknown detector format {record.get('format')!r}", f"This version reads {FORMAT}.")
