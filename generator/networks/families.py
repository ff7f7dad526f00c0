"""Generator families by name. Each is a module with `project(embedding) -> psi` and a forward that makes the picture.

`zakharov2019` is the paper's. `zakharov2019-warp` is ours: the same network also sees the nearest source frames, warped
into the target pose by landmarks, and its output is composed from warp and synthesis by a predicted mask. At step 0 its
output IS the warp of the nearest frame, so training can only add to it. Open mouths are painted by a network of their
own (generator.networks.mouth). `landmark-warp` is that warp alone, untrained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.config import ModelConfig
from generator.networks.episode import Episode, source_warps
from generator.networks.mouth import MouthPainter, lip_masks, overdone, painted, read_square
from generator.networks.synthesizer import Generator, Synthesizer
from generator.networks.warp import identity_grid, sample
from sfumato.registry import Registry

REGISTRY = Registry(
    "generator family",
    {
        "zakharov2019": "generator.networks.families:Generator",
        "zakharov2019-warp": "generator.networks.families:WarpGenerator",
        "landmark-warp": "generator.networks.landmark_warp:LandmarkWarp",
    },
)
GATE_GAIN, FLOW_GAIN, PAINT_GAIN = (
    8.0,
    2.0,
    2.0,
)  # the head starts at 0: without gains its gates take thousands of steps to open
SHUT = -3.0  # logit at which a gate starts; the gate is shifted so that this is exactly 0


@dataclass(frozen=True)
class Composition:
    """What the warp family made and of what: all (B, ., H, W); `mask` in [0, 1] is the share of synthesis."""

    image: Tensor
    warp: Tensor
    synthesis: Tensor
    mask: Tensor


class WarpGenerator(nn.Module):
    """G with the warped sources as extra input, a head that refines the warp and paints over it, and a painter of
    mouths where the configuration has one. psi is the network's, with the painter's behind it.
    """

    needs_sources = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.warps, self.reach = config.warps, config.flow_reach
        self.network = Synthesizer(config, inputs=3 + 5 * config.warps, outputs=4 + 3 * config.warps - 1, skips=True)
        # The head carries no spectral norm: it starts at 0, which cannot be divided by its norm.
        outputs = (4 + 3 * config.warps - 1) * config.stem**2
        self.network.last = nn.Conv2d(self.network.last_norm.channels, outputs, 3, padding=1)
        for parameter in self.network.last.parameters():
            nn.init.zeros_(parameter)
        self.mouth = MouthPainter(config) if config.mouth else None

    def project(self, embedding: Tensor) -> Tensor:
        """embedding: (B, N). Returns psi (B, coefficients)."""
        psi = self.network.project(embedding)
        return psi if self.mouth is None else torch.cat([psi, self.mouth.project(embedding)], dim=1)

    def forward(self, sketch: Tensor, psi: Tensor, sources: Tensor, grids: Tensor, points: Tensor) -> Composition:
        """sketch: (B, 3, H, W); psi: (B, coefficients); sources: (B, warps, 3, H, W), nearest first, all in [-1, 1];
        grids: (B, warps, H, W, 2), from `warp_grid`; points: (B, 68, 2), the target's. The image lies in [-1, 1]."""
        return self.open_mouth(self.compose(self.head(sketch, psi, sources, grids), sources, grids), psi, points)

    def head(self, sketch: Tensor, psi: Tensor, sources: Tensor, grids: Tensor) -> Tensor:
        """The network's answer (B, 3 warps + 3, H, W): flows, gates between warps, residual, mask. See `forward`."""
        warped = sample(sources.flatten(0, 1), grids.flatten(0, 1)).unflatten(0, sources.shape[:2])  # (B, n, 3, H, W)
        moved = (grids - identity_grid(sketch.shape[-1], sketch)).permute(
            0, 1, 4, 2, 3
        )  # (B, n, 2, H, W): how far each came
        answer: Tensor = self.network(
            torch.cat([sketch, warped.flatten(1, 2), moved.flatten(1, 2).to(sketch.dtype)], dim=1),
            psi[:, : self.network.coefficients],
        )
        return answer

    def compose(self, head: Tensor, sources: Tensor, grids: Tensor) -> Composition:
        """Applies `head` to sources and grids, which may be larger than it: fine texture then comes from the source
        itself.
        """
        return self.paint(head, self.bend(head, sources, grids))

    def bend(self, head: Tensor, sources: Tensor, grids: Tensor, shares: Tensor | None = None) -> Tensor:
        """The sources (B, n, C, H, W), warped as `head` refines the grids and joined by its gates: (B, C, h, w).
        shares: (B, n, 1, h, w), how much of the flows is applied (`flow_share`); training applies all.
        """
        count = self.warps
        flows, gates, _, _ = self._parts(head, grids.shape[2])
        flows = (
            (self.reach * torch.tanh(FLOW_GAIN * flows)).unflatten(1, (count, 2)).permute(0, 1, 3, 4, 2)
        )  # (B, n, H, W, 2)
        flows = flows if shares is None else flows * shares.permute(0, 1, 3, 4, 2)
        layers = sample(sources.flatten(0, 1).float(), (grids + flows).flatten(0, 1)).unflatten(0, sources.shape[:2])
        warp: Tensor = layers[:, 0]
        for index in range(1, count):
            warp = warp + opening(GATE_GAIN * gates[:, index - 1 : index]) * (layers[:, index] - warp)
        return warp

    def paint(self, head: Tensor, warp: Tensor, within: Tensor | None = None) -> Composition:
        """What `head` paints over `warp` (B, 3, H, W); with `within` (B, 1, H, W) in [0, 1], there alone."""
        _, _, residual, mask = self._parts(head, warp.shape[-1])
        share = torch.sigmoid(GATE_GAIN * mask)
        share = share if within is None else share * within
        synthesis = (warp + 2 * torch.tanh(PAINT_GAIN * residual)).clamp(
            -1, 1
        )  # the whole range, wherever the warp starts from
        return Composition(warp + share * (synthesis - warp), warp, synthesis, share)

    def _parts(self, head: Tensor, size: int) -> tuple[Tensor, ...]:
        """Flows, gates, residual and mask at `size`."""
        head = head.float()
        if head.shape[-1] != size:
            head = functional.interpolate(head, size=(size, size), mode="bicubic", align_corners=False)
        parts: tuple[Tensor, ...] = head.split([2 * self.warps, self.warps - 1, 3, 1], dim=1)
        return parts

    def open_mouth(self, made: Composition, psi: Tensor, points: Tensor, much: float = 1.0) -> Composition:
        """`made` with what is inside the open lips painted; points: (B, 68, 2) in [-1, 1]. The mask is then the share
        of both. much: in [0, 1], of the paint; see `unknown`.
        """
        if self.mouth is None:
            return made
        lips = torch.from_numpy(np.stack([lip_masks(face) for face in points.detach().cpu().numpy()])).to(points.device)
        if not lips[:, 2].any():
            return made
        square = read_square(made.image, points)
        paint = self.mouth(square, lips, psi[:, self.network.coefficients :])
        paint = overdone(paint.float(), square, lips[:, :1])
        image, where = painted(made.image, paint, much * lips[:, 2:].float(), points)
        return Composition(image, made.warp, made.synthesis, made.mask + where * (1 - made.mask))


def opening(logits: Tensor) -> Tensor:
    """A gate in (-.05, 1) that is exactly 0 at logit 0 and can learn from there in both directions."""
    shut = torch.sigmoid(torch.tensor(SHUT))
    return (torch.sigmoid(logits + SHUT) - shut) / (1 - shut)


def build_generator(config: ModelConfig) -> Generator | WarpGenerator:
    """The family that `config.family` names. Raises UsageError for an unknown one."""
    network: Generator | WarpGenerator = REGISTRY.load(config.family)(config)
    return network


def has_network(generator: object) -> bool:
    """Whether this family's network can be compiled and exported; the warp alone has none."""
    return type(generator) in (WarpGenerator, Generator)


def make_image(generator: Generator | WarpGenerator, psi: Tensor, episode: Episode) -> Tensor:
    """The episode's target pose by either family, from its sources if the family needs them. psi: (B, coefficients).
    (B, 3, H, W).
    """
    if isinstance(generator, WarpGenerator):
        sources, grids = source_warps(episode, generator.warps)
        image: Tensor = generator(episode.target_sketch, psi, sources, grids, episode.target_landmarks).image
    else:
        image = generator(episode.target_sketch, psi)
    return image
