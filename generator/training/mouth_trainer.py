"""Training of the painter of open mouths. A checkpoint and squares around mouths in; the same checkpoint with a painter
out, the rest of it untouched.

The painter sees what a warp leaves of a mouth, and is to give back what it was. Only inside the lips it is judged, by
pixels and by a critic of mouths, for which both pictures are alike outside: what the warp got wrong there is not the
painter's.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generator.config import MouthConfig
from generator.data.mouths import Mouths
from generator.losses.perceptual import FeatureDistance, load_lite0
from generator.losses.terms import adversarial_loss, critic_loss, feature_matching_loss
from generator.networks.checkpoint import Checkpoint
from generator.networks.discriminator import MouthCritic, frozen
from generator.networks.families import WarpGenerator, build_generator
from generator.networks.mouth import MouthPainter
from generator.training.divergence import require_finite
from generator.training.schedule import rate_factor, share_of
from sfumato.config import to_dict
from sfumato.errors import UsageError
from sfumato.training.average import Average
from sfumato.training.device import seed_everything

_EVENLY = 0.7  # a recording with n mouths is drawn n ** .3 times as often as one with a single mouth
_LEAST_AREA = 20.0  # px of the square: a slit does not count more than its size
Log = dict[str, float]
Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # what is left, what was, lips, embeddings


class MouthTrainer:
    """Owns the painter, its critic and their optimisers; `step` is one update of both."""

    def __init__(self, config: MouthConfig, base: Checkpoint, mouths: Mouths, device: torch.device) -> None:
        """Raises UsageError for a base that is no warp family, or has a painter already of another width."""
        if type(base.generator) is not WarpGenerator:
            raise UsageError(
                f"A checkpoint of the family {base.config.family} has no mouth to paint",
                "Start from one of the family zakharov2019-warp.",
            )
        seed_everything(config.seed)
        self.config, self.base, self.device = config, base, device
        self.model = replace(base.config, mouth=config.width)
        self.painter = MouthPainter(self.model).to(device)
        if base.generator.mouth is not None and base.config.mouth == config.width:
            self.painter.load_state_dict(base.generator.mouth.state_dict())
        self.critic = MouthCritic().to(device)
        self.average = Average[MouthPainter](self.painter, config.ema, buffers=False)
        self.perceptual = FeatureDistance(load_lite0(), "centred").to(device) if config.perceptual else None
        self.mouths, self.embeddings = mouths, embeddings_of(base, mouths, device)
        count = torch.bincount(mouths.person)[mouths.person].float()
        self._often = count**-_EVENLY
        projection = list(self.painter.network.projection.parameters())
        others = [p for n, p in self.painter.named_parameters() if not n.startswith("network.projection.")]
        groups: list[dict[str, Any]] = [
            {"params": others, "rate": 1.0},
            {"params": projection, "rate": config.projection_rate},
        ]
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "painter": torch.optim.Adam(groups, lr=config.learning_rate, betas=(0.5, 0.99)),
            "critic": torch.optim.Adam(self.critic.parameters(), lr=config.critic_learning_rate, betas=(0.0, 0.99)),
        }
        self.steps_done, self.seconds_done = 0, 0.0
        self.recent = torch.zeros(0, device=device)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Every network, with the averaged one, by name."""
        return {"painter": self.painter, "critic": self.critic, "ema_painter": self.average.net}

    @property
    def shape(self) -> dict[str, Any]:
        """What the networks follow from: a state is that of this shape alone."""
        return {"model": to_dict(self.model), "start": self.base.digest}

    @property
    def share_done(self) -> float:
        """How far the run is, in [0, 1]."""
        return share_of(self.config, self.steps_done, self.seconds_done)

    def step(self) -> Log:
        """One update. Returns the losses' parts, with `painted`, see `change`.

        Raises TrainingDied when losses or gradients stop being finite.
        """
        started, config = time.monotonic(), self.config
        adversary = config.adversarial > 0 and self.share_done >= config.adversary_from
        self._set_learning_rates()
        left, was, lips, embedding = self._batch()
        made = self.paint(self.painter, left, lips, embedding)
        wanted = left + lips[:, 2:] * (was - left)
        parts = {"pixel": config.pixel * inside_l1(made, was, lips)}
        if self.perceptual is not None:
            parts["perceptual"] = config.perceptual * self.perceptual(made, wanted)
        if adversary:
            with frozen(self.critic):
                scores, features = self.critic(made, lips)
                with torch.no_grad():
                    _, goal = self.critic(wanted, lips)
            parts["adversarial"] = config.adversarial * adversarial_loss(scores)
            parts["feature_matching"] = config.feature_matching * feature_matching_loss(features, goal)
        self._update("painter", torch.stack(list(parts.values())).sum(), list(self.painter.parameters()))
        log = {name: float(value.detach()) for name, value in parts.items()}
        if adversary:
            fake, real = self.critic(made.detach(), lips)[0], self.critic(wanted, lips)[0]
            loss = critic_loss(fake, real)
            self._update("critic", loss, list(self.critic.parameters()))
            log |= {"critic": float(loss.detach()), "margin": float((real - fake).detach().mean())}
        self.average.updates = self.steps_done
        self.average.update_parameters(self.painter)
        self.steps_done += 1
        self.seconds_done += time.monotonic() - started
        return log | {"painted": change(made.detach(), left, was, lips)}

    @staticmethod
    def paint(painter: MouthPainter, left: Tensor, lips: Tensor, embedding: Tensor) -> Tensor:
        """The square as it comes out, (B, 3, 64, 64) in [-1, 1]."""
        made: Tensor = left + lips[:, 2:] * (painter(left, lips, painter.project(embedding)) - left)
        return made

    def checkpoint(self, **facts: object) -> Checkpoint:
        """The base with the averaged painter; `facts` join its record of the painter's training."""
        generator = build_generator(self.model)
        own = {f"mouth.{name}": value for name, value in self.average.net.state_dict().items()}
        kept = {k: v for k, v in self.base.generator.state_dict().items() if not k.startswith("mouth.")}
        generator.load_state_dict({**kept, **own})
        about = {
            "start": self.base.digest,
            "steps": self.steps_done,
            "seconds": round(self.seconds_done),
            "mouths": len(self.mouths),
            "config": to_dict(self.config),
            **facts,
        }
        record = {**self.base.record, "mouth": about}
        return replace(self.base, config=self.model, generator=generator.eval(), record=record, digest="")

    def _batch(self) -> Batch:
        """Drawn and coloured by the seed and the step's number alone."""
        seed = int(np.random.SeedSequence([self.config.seed, self.steps_done]).generate_state(1)[0])
        random = torch.Generator().manual_seed(seed)
        rows = torch.multinomial(self._often, self.config.batch, replacement=True, generator=random)
        left, was, lips, embedding = squares(self.mouths, rows, self.embeddings, self.device)
        count = len(rows)
        mirrored = (torch.rand(count, generator=random) < 0.5).to(self.device)[:, None, None, None]
        left, was, lips = (torch.where(mirrored, x.flip(3), x) for x in (left, was, lips))
        light = (
            1
            + 0.1 * torch.randn(count, 3, 1, 1, generator=random)
            + 0.15 * torch.randn(count, 1, 1, 1, generator=random)
        )
        lift = 0.1 * torch.randn(count, 1, 1, 1, generator=random)
        left, was = ((x * light.to(x) + lift.to(x)).clamp(-1, 1) for x in (left, was))
        return left, was, lips, embedding

    def _update(self, name: str, loss: Tensor, parameters: list[nn.Parameter]) -> None:
        require_finite({"loss": float(loss.detach())}, "Losses", self.steps_done)
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, self.config.clip or math.inf)
        require_finite({"norm": float(norm)}, "Gradients", self.steps_done)
        self.optimisers[name].step()

    def _set_learning_rates(self) -> None:
        factor = rate_factor(self.config, self.steps_done, self.share_done)
        for name, base in (
            ("painter", self.config.learning_rate),
            ("critic", self.config.critic_learning_rate),
        ):
            for group in self.optimisers[name].param_groups:
                group["lr"] = base * factor * group.get("rate", 1.0)


def squares(mouths: Mouths, rows: Tensor, embeddings: Tensor, device: torch.device) -> Batch:
    """The pairs `rows` as the painter takes them: pictures in [-1, 1], lips in [0, 1]."""
    left, was = (x[rows].to(device).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in (mouths.left, mouths.wanted))
    return left, was, mouths.lips[rows].to(device).float() / 255, embeddings[mouths.person[rows]].to(device)


@torch.no_grad()
def embeddings_of(base: Checkpoint, mouths: Mouths, device: torch.device) -> Tensor:
    """E of each person's calm frame: (p, N), on the CPU."""
    embedder = base.embedder.to(device)
    found = []
    for start in range(0, len(mouths.faces), 16):
        pair = (x[start : start + 16].to(device).float()[:, None] / 127.5 - 1 for x in (mouths.faces, mouths.sketches))
        found.append(embedder.identity(*pair).cpu())
    return torch.cat(found)


def inside_l1(made: Tensor, wanted: Tensor, lips: Tensor) -> Tensor:
    """L1 in [0, 2] where paint may lie, the mean over pictures of the mean over that place."""
    area = lips[:, 2].sum((1, 2)).clamp_min(_LEAST_AREA)
    return (((made - wanted).abs().mean(1) * lips[:, 2]).sum((1, 2)) / area).mean()


def change(made: Tensor, left: Tensor, was: Tensor, lips: Tensor) -> float:
    """How much the painter changes inside the lips, as a share of what it should; 0: it repeats what is left."""
    return float(inside_l1(made, left, lips) / inside_l1(was, left, lips).clamp_min(1e-6))
