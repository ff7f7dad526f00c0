"""One step of meta-training (section 3.3): E reads K frames, G makes the target from its landmarks, the losses compare;
then D learns.

Comes in: a configuration, people, a device, and the ranks that share the work. Goes out: networks, moved a step
further. The order in an update is the same everywhere: losses of each part of the batch, backward, gradients averaged
over the ranks, looked at, clipped, applied. Everything random in a step follows from the seed and the step's number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generator.config import TrainConfig
from generator.data.dataset import PersonFootage
from generator.data.episodes import EpisodeSampler
from generator.data.stream import EpisodeStream
from generator.losses.terms import ReconstructionLoss, adversarial_loss, critic_loss, feature_matching_loss, match_loss
from generator.networks.checkpoint import Checkpoint, checkpoint_path, load_checkpoint
from generator.networks.discriminator import Critic, frozen
from generator.networks.embedder import Embedder, spread
from generator.networks.episode import Episode
from generator.networks.families import WarpGenerator, build_generator, make_image
from generator.networks.synthesizer import Generator
from generator.networks.upscale_checkpoint import start_from
from generator.training.divergence import PEOPLE, require_finite
from generator.training.schedule import rate_factor, share_of
from sfumato.config import to_dict
from sfumato.training.average import Average
from sfumato.training.device import seed_everything
from sfumato.training.distributed import Ranks

Log = dict[str, float]


class MetaTrainer:
    """Owns the networks, their optimisers and the stream of episodes; `step` is one update of everything."""

    def __init__(
        self, config: TrainConfig, people: tuple[PersonFootage, ...], device: torch.device, ranks: Ranks | None = None
    ) -> None:
        seed_everything(config.seed)
        self.config, self.device, self.ranks = config, device, ranks or Ranks(device=device)
        self.sampler = EpisodeSampler(people, config)
        share = self.ranks.share(config.batch * config.accumulate)
        self.stream = EpisodeStream(self.sampler, share, config.workers, pinned=device.type == "cuda")
        memory = torch.channels_last
        self.embedder = Embedder(config.model).to(device, memory_format=memory)  # type: ignore[call-overload]
        self.generator = build_generator(config.model).to(device, memory_format=memory)  # type: ignore[call-overload]
        if config.start_from:
            start_from(load_checkpoint(checkpoint_path(config.start_from)), config.model, self.embedder, self.generator)
        self.critic = Critic(config.model, self.sampler.videos).to(device, memory_format=memory)  # type: ignore[call-overload]
        self.reconstruction = ReconstructionLoss(config.loss).to(device)
        self.ranks.agree([self.embedder, self.generator, self.critic])
        self._average_embedder = Average[Embedder](self.embedder, config.ema, buffers=False)
        self._average_generator = Average[Generator | WarpGenerator](self.generator, config.ema, buffers=False)
        rows = [self.critic.identities.weight]
        dense = [p for p in self.critic.parameters() if p is not rows[0]]
        projection = list(self.generator.network.projection.parameters())
        others = [p for n, p in self.generator.named_parameters() if not n.startswith("network.projection.")]
        groups = [
            {"params": [*self.embedder.parameters(), *others], "rate": 1.0},
            {"params": projection, "rate": config.projection_rate},
        ]
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.Adam(groups, lr=config.learning_rate),
            "critic": torch.optim.Adam(dense, lr=config.critic_learning_rate, betas=(0.0, 0.999)),
            "rows": torch.optim.SparseAdam(
                rows, lr=config.critic_learning_rate
            ),  # a row's state moves only when its video is seen
        }
        self.steps_done, self.seconds_done = 0, 0.0
        self.recent = torch.zeros(
            0, config.model.max_width, device=device
        )  # embeddings of the last people, for their spread

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Every network, with the averaged ones, by name."""
        live = {"embedder": self.embedder, "generator": self.generator, "critic": self.critic}
        return {**live, "ema_embedder": self.ema_embedder, "ema_generator": self.ema_generator}

    @property
    def shape(self) -> dict[str, Any]:
        """What the networks follow from: a state is that of this shape alone."""
        return to_dict(self.config.model)

    @property
    def ema_embedder(self) -> Embedder:
        """The averaged E, in evaluation mode."""
        return self._average_embedder.net

    @property
    def ema_generator(self) -> Generator | WarpGenerator:
        """The averaged G, in evaluation mode."""
        return self._average_generator.net

    @property
    def share_done(self) -> float:
        """How far the run is, in [0, 1]."""
        return share_of(self.config, self.steps_done, self.seconds_done)

    def step(self) -> Log:
        """One update of E and G, and `critic_updates` of D once the adversary takes part. Returns the losses' parts.

        Raises TrainingDied when losses or gradients stop being finite.
        """
        started = time.monotonic()
        self._set_learning_rates()
        adversary = self.config.loss.adversarial > 0 and self.share_done >= self.config.loss.adversary_from
        episode = self.stream.take(self.steps_done)
        log = self._generator_step(episode, adversary)
        if adversary:
            for update in range(self.config.critic_updates):
                log |= self._critic_step(episode if update == 0 else self.stream.take(self.steps_done, update))
        self._average()
        self.steps_done += 1
        self.seconds_done += self.ranks.mean({"seconds": time.monotonic() - started})["seconds"]  # schedules must agree
        return log

    def close(self) -> None:
        """Ends the workers that decode ahead."""
        self.stream.close()

    def _generator_step(self, episode: Episode, adversary: bool) -> Log:
        optimisers = (
            ("generator", "rows") if adversary and self.config.mode == "FT" else ("generator",)
        )  # L_MCH moves W_i towards e_i
        self._clear("generator", "rows")
        logs, embeddings = [], []
        for part in self._parts(episode):
            loss, log, embedding = self._generator_loss(part, adversary)
            logs.append(
                self._looked_at(log)
            )  # before the backward pass: torch's grid_sample reads outside its memory there at NaN
            embeddings.append(embedding)
            (loss / self.config.accumulate).backward()
        self._apply([*self.embedder.parameters(), *self.generator.parameters()], optimisers, self.config.clip)
        new = self.ranks.gather(torch.cat(embeddings))
        self.recent = torch.cat([self.recent, new])[-max(PEOPLE, len(new)) :]
        return mean_log(logs) | {"spread": spread(self.recent) if len(self.recent) > 1 else 1.0}

    def _generator_loss(self, episode: Episode, adversary: bool) -> tuple[Tensor, Log, Tensor]:
        """L_CNT + L_ADV + L_MCH of a batch, its parts, and the embeddings (B, N)."""
        weights = self.config.loss
        with self._precision():
            embedding = self.embedder.identity(episode.faces, episode.sketches)
            image = make_image(self.generator, self.generator.project(embedding), episode)
        loss, log = self.reconstruction(image.float(), episode.target, episode.target_landmarks)
        if adversary:
            with self._precision(), frozen(self.critic):
                rows = self.critic.weights_of(episode.videos)
                scores, features = self.critic(image, episode.target_sketch, rows)
                with torch.no_grad():
                    _, wanted = self.critic(episode.target, episode.target_sketch, rows)
            adversarial = weights.adversarial * adversarial_loss(scores.float())
            matching = weights.feature_matching * feature_matching_loss(features, wanted)
            loss = loss + adversarial + matching
            log |= {"adversarial": float(adversarial.detach()), "feature_matching": float(matching.detach())}
            if self.config.mode == "FT":
                own = self.critic.identities(episode.videos)  # W_i
                match = weights.match * match_loss(embedding, own, weights.match_reaches_embedder)
                loss = loss + match
                log["match"] = float(match.detach())
        return loss, {**log, "loss": float(loss.detach())}, embedding.detach().float()

    def _critic_step(self, episode: Episode) -> Log:
        self._clear("critic", "rows")
        logs = []
        for part in self._parts(episode):
            loss, log = self._critic_loss(part)
            logs.append(self._looked_at(log))
            (loss / self.config.accumulate).backward()
        self._apply(self.critic.parameters(), ("critic", "rows"))
        return mean_log(logs)

    def _critic_loss(self, episode: Episode) -> tuple[Tensor, Log]:
        """L_DSC of a batch, with D's margin: how much higher it scores the real pictures."""
        with torch.no_grad(), self._precision():
            embedding = self.embedder.identity(episode.faces, episode.sketches)
            image = make_image(self.generator, self.generator.project(embedding), episode)
        with self._precision():
            rows = self.critic.weights_of(episode.videos)
            fake, _ = self.critic(image, episode.target_sketch, rows)
            real, _ = self.critic(episode.target, episode.target_sketch, rows)
        loss = critic_loss(fake.float(), real.float())
        return loss, {"critic": float(loss.detach()), "margin": float((real - fake).detach().float().mean())}

    def _parts(self, episode: Episode) -> Iterable[Episode]:
        """The batches that make one update, on the device. A loss that draws random numbers draws the same in all parts
        and ranks.
        """
        seed = int(np.random.SeedSequence([self.config.seed, self.steps_done]).generate_state(1)[0])
        for part in episode.split(self.config.accumulate):
            torch.manual_seed(seed)
            yield part.to(self.device)

    def _looked_at(self, log: Log) -> Log:
        """The log of all ranks together. Raises TrainingDied on every rank when a loss of any is not finite."""
        log = self.ranks.mean(log)
        require_finite(log, "Losses", self.steps_done)
        return log

    def _clear(self, *names: str) -> None:
        for name in names:
            self.optimisers[name].zero_grad(set_to_none=True)

    def _apply(self, parameters: Iterable[nn.Parameter], optimisers: tuple[str, ...], clip: float = 0.0) -> None:
        """One step with the gradients of all ranks. `parameters`: those whose gradients are looked at and clipped; W's
        are sparse.
        """
        dense = [p for p in parameters if p is not self.critic.identities.weight]
        self.ranks.average_gradients([*dense, self.critic.identities.weight])
        norm = nn.utils.clip_grad_norm_(dense, clip or math.inf)
        require_finite({"norm": float(norm)}, "Gradients", self.steps_done)
        for name in optimisers:
            self.optimisers[name].step()

    def _set_learning_rates(self) -> None:
        factor = rate_factor(self.config, self.steps_done, self.share_done)
        for name, optimiser in self.optimisers.items():
            base = self.config.learning_rate if name == "generator" else self.config.critic_learning_rate
            for group in optimiser.param_groups:
                group["lr"] = base * factor * group.get("rate", 1.0)

    def _average(self) -> None:
        for average in (self._average_embedder, self._average_generator):
            average.updates = self.steps_done  # of a run that was resumed too
        self._average_embedder.update_parameters(self.embedder)
        self._average_generator.update_parameters(self.generator)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")

    def checkpoint(self, **facts: object) -> Checkpoint:
        """The averaged networks as they stand, with a record of how they came about; `facts` are added to it."""
        record = {
            "steps": self.steps_done, "seconds": round(self.seconds_done), "processes": self.ranks.world,
            "perceptual": self.reconstruction.networks, "train": to_dict(self.config), **facts,
        }  # fmt: skip
        critic = self.critic if self.config.loss.adversarial > 0 else None  # an untrained D would mislead fine-tuning
        return Checkpoint(
            self.config.model, self.ema_embedder, self.ema_generator, critic, self.config.landmarks, record=record
        )


def mean_log(logs: list[Log]) -> Log:
    """The mean of each value over the parts of a batch."""
    return {name: sum(log[name] for log in logs) / len(logs) for name in logs[0]}
