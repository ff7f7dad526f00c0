"""What E, G and D are trained with (section 3.2): L_CNT, L_ADV with L_FM, L_MCH, L_DSC, and the stand-ins used without
VGG.

The networks that L_CNT looks through are in `generator.losses.perceptual`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import LossConfig
from generator.losses.perceptual import VGG19_TAPS, VGGFACE_TAPS, ContentLoss, FeatureDistance, load_lite0, load_vgg
from generator.networks.warp import identity_grid, sample
from sfumato.media.structural_similarity import structural_similarity

_GLIMPSE = 128  # px that the lite0 loss looks at


class IdentityLoss(nn.Module):
    """1 - cosine of SFace embeddings, both pictures aligned by the landmarks of the wanted one."""

    def __init__(self) -> None:
        super().__init__()
        from sfumato.media.identity import sface

        self.network = deepcopy(sface())  # its own: it goes to another device, perhaps

    def forward(self, made: Tensor, wanted: Tensor, landmarks: Tensor) -> Tensor:
        """made, wanted: (B, 3, H, W) in [-1, 1]; landmarks: (B, 68, 2) in [-1, 1]."""
        from sfumato.media.identity import alignment_grid

        size = made.shape[-1]
        grid = alignment_grid(((landmarks + 1) * size - 1) / 2, size, size)
        aligned = [
            functional.grid_sample(x.float(), grid, align_corners=False, padding_mode="reflection")
            for x in (made, wanted)
        ]
        with torch.no_grad():
            goal = self.network(aligned[1])
        cosine: Tensor = (self.network(aligned[0]) * goal).sum(dim=1)  # (B,)
        return 1 - cosine.mean()


def structure_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """1 - SSIM, as it is measured. made, wanted: (B, 3, H, W) in [-1, 1]."""
    return 1 - structural_similarity((made + 1) / 2, (wanted + 1) / 2).mean()


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
        self.networks: dict[str, str] = {}  # what the run's record says about them
        for name, depth, taps in (("vgg19", 19, VGG19_TAPS), ("vggface", 16, VGGFACE_TAPS)):
            if getattr(config, name):
                network, origin = load_vgg(depth, taps, getattr(config, f"{name}_weights"))
                self.content[name], self.networks[name] = ContentLoss(network, "caffe"), origin
        if config.lite0:
            self.content["lite0"] = FeatureDistance(load_lite0(), "centred")
            self.networks["lite0"] = "EfficientNet-Lite0 (ImageNet), in place of VGG19"
        self.identity = IdentityLoss() if config.identity else None
        if self.identity is not None:
            self.networks["identity"] = "SFace, in place of VGGFace"

    def forward(self, made: Tensor, wanted: Tensor, landmarks: Tensor) -> tuple[Tensor, dict[str, float]]:
        """made, wanted: (B, 3, H, W) in [-1, 1]; landmarks of `wanted`: (B, 68, 2) in [-1, 1]. Returns the sum and its
        parts.
        """
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

    made, wanted: (B, 3, H, W) in [-1, 1]; landmarks: (B, 68, 2) in [-1, 1]. A perceptual network costs by the pixel;
    over many steps the views say what the large picture would, and more of the mouth, which is small and the hardest to
    paint.
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
