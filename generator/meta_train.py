"""Meta-training (section 3.3): episodes of many people teach E, G and D what faces have in common.

A step: E reads K frames, G makes the target from its landmarks, the losses compare; then D is updated. The run folder
holds options.json, log.jsonl, samples.png, model.safetensors (the EMA) and state.safetensors, from which it resumes.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generator.checkpoint import Checkpoint, checkpoint_path, load_checkpoint, save_checkpoint
from generator.config import TrainConfig
from generator.critic import Critic
from generator.dataset import Dataset, Person
from generator.embedder import Embedder, spread
from generator.enlarge import start_from
from generator.episodes import Episode, EpisodeSampler, source_warps
from generator.families import WarpGenerator, build_generator
from generator.losses import ReconstructionLoss, adversarial_loss, critic_loss, feature_matching_loss, match_loss
from generator.synthesizer import Generator
from sfumato.atomic import atomic_path
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, SfumatoError
from sfumato.run import RunFolder, seed_everything

DEAD_SPREAD = 1e-3  # below this all people look alike to E


class TrainingDied(SfumatoError):  # noqa: N818 (what happened, as the reader will meet it)
    """The run cannot recover: losses are not finite, or E gives everybody the same embedding."""


def make_image(generator: Generator | WarpGenerator, sketch: Tensor, psi: Tensor, episode: Episode) -> Tensor:
    """One picture (B, 3, H, W) in [-1, 1] by either family, from the episode's sources if it needs them."""
    if isinstance(generator, WarpGenerator):
        sources, grids = source_warps(episode, generator.warps)
        image: Tensor = generator(sketch, psi, sources, grids).image
    else:
        image = generator(sketch, psi)
    return image


@dataclass(frozen=True)
class Validation:
    """On held-out people: SSIM, L1 and the embeddings' spread."""

    ssim: float
    l1: float
    spread: float


class MetaTrainer:
    """Owns the networks, their optimisers and the sampler; `step` is one update of everything."""

    def __init__(self, config: TrainConfig, people: tuple[Person, ...], device: torch.device) -> None:
        seed_everything(config.seed)
        self.config, self.device = config, device
        self.sampler = EpisodeSampler(people, config)
        memory = torch.channels_last
        self.embedder = Embedder(config.model).to(device, memory_format=memory)  # type: ignore[call-overload]
        self.generator = build_generator(config.model).to(device, memory_format=memory)  # type: ignore[call-overload]
        if config.start_from:
            start_from(load_checkpoint(checkpoint_path(config.start_from)), config.model, self.embedder, self.generator)
        self.critic = Critic(config.model, self.sampler.videos).to(device, memory_format=memory)  # type: ignore[call-overload]
        self.reconstruction = ReconstructionLoss(config.loss).to(device)
        self.ema_embedder, self.ema_generator = copy.deepcopy(self.embedder).eval(), copy.deepcopy(self.generator).eval()
        rows = [self.critic.identities.weight]
        dense = [p for p in self.critic.parameters() if p is not rows[0]]
        projection = list(self.generator.network.projection.parameters())
        others = [p for n, p in self.generator.named_parameters() if not n.startswith("network.projection.")]
        groups = [{"params": [*self.embedder.parameters(), *others], "rate": 1.0}, {"params": projection, "rate": config.projection_rate}]
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.Adam(groups, lr=config.learning_rate),
            "critic": torch.optim.Adam(dense, lr=config.critic_learning_rate, betas=(0.0, 0.999)),
            "rows": torch.optim.SparseAdam(rows, lr=config.critic_learning_rate),  # a row's state moves only when its video is seen
        }
        self.steps_done, self.seconds_done = 0, 0.0

    @property
    def share_done(self) -> float:
        """How far the run is, by steps or by minutes, whichever ends it first. In [0, 1]."""
        by_time = self.seconds_done / (60 * self.config.minutes) if self.config.minutes else 0.0
        return min(1.0, max(self.steps_done / self.config.steps, by_time))

    def step(self) -> dict[str, float]:
        """One update of E and G, and `critic_updates` of D once the adversary takes part. Returns the losses' parts."""
        started = time.monotonic()
        self._set_learning_rates()
        adversary = self.config.loss.adversarial > 0 and self.share_done >= self.config.loss.adversary_from
        episode = self.sampler.batch().to(self.device)
        log = self._generator_step(episode, adversary)
        if adversary:
            for index in range(self.config.critic_updates):
                log |= self._critic_step(episode if index == 0 else self.sampler.batch().to(self.device))
        self._average()
        self._check_alive(log)
        self.steps_done += 1
        self.seconds_done += time.monotonic() - started
        return log

    def _generator_step(self, episode: Episode, adversary: bool) -> dict[str, float]:
        loss_config = self.config.loss
        with self._precision():
            embedding = self.embedder.identity(episode.faces, episode.sketches)
            image = make_image(self.generator, episode.target_sketch, self.generator.project(embedding), episode)
        loss, log = self.reconstruction(image.float(), episode.target, episode.target_landmarks)
        log["spread"] = spread(embedding.detach()) if len(embedding) > 1 else 1.0
        if adversary:
            with self._precision(), frozen(self.critic):
                rows = self.critic.weights_of(episode.videos)
                scores, features = self.critic(image, episode.target_sketch, rows)
                with torch.no_grad():
                    _, wanted = self.critic(episode.target, episode.target_sketch, rows)
            adversarial = loss_config.adversarial * adversarial_loss(scores.float())
            matching = loss_config.feature_matching * feature_matching_loss(features, wanted)
            loss = loss + adversarial + matching
            log |= {"adversarial": float(adversarial.detach()), "feature_matching": float(matching.detach())}
            if self.config.mode == "FT":
                weights = self.critic.identities(episode.videos)  # W_i
                match = loss_config.match * match_loss(embedding, weights, loss_config.match_reaches_embedder)
                loss = loss + match
                log["match"] = float(match.detach())
        log["loss"] = float(loss.detach())
        self._check_alive(log)  # before the backward pass: torch's grid_sample reads outside its memory there when a grid is NaN
        for optimiser in (self.optimisers["generator"], self.optimisers["rows"]):
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.clip:
            nn.utils.clip_grad_norm_([*self.embedder.parameters(), *self.generator.parameters()], self.config.clip)
        self.optimisers["generator"].step()
        if adversary and self.config.mode == "FT":
            self.optimisers["rows"].step()  # L_MCH moves W_i towards e_i
        return dict(log)

    def _check_alive(self, log: dict[str, float]) -> None:
        if not all(math.isfinite(value) for value in log.values()):
            advice = "Lower the learning rate, or resume from an earlier save."
            raise TrainingDied(f"Losses are not finite at step {self.steps_done}: {log}", advice)

    def _critic_step(self, episode: Episode) -> dict[str, float]:
        with torch.no_grad(), self._precision():
            embedding = self.embedder.identity(episode.faces, episode.sketches)
            image = make_image(self.generator, episode.target_sketch, self.generator.project(embedding), episode)
        with self._precision():
            rows = self.critic.weights_of(episode.videos)
            fake, _ = self.critic(image.detach(), episode.target_sketch, rows)
            real, _ = self.critic(episode.target, episode.target_sketch, rows)
        loss = critic_loss(fake.float(), real.float())
        for optimiser in (self.optimisers["critic"], self.optimisers["rows"]):
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in (self.optimisers["critic"], self.optimisers["rows"]):
            optimiser.step()
        return {"critic": float(loss.detach())}

    def _set_learning_rates(self) -> None:
        factor = min(1.0, (self.steps_done + 1) / max(1, self.config.warm_up))
        if self.config.decay:
            factor *= 0.55 + 0.45 * math.cos(math.pi * self.share_done)
        for name, optimiser in self.optimisers.items():
            base = self.config.learning_rate if name == "generator" else self.config.critic_learning_rate
            for group in optimiser.param_groups:
                group["lr"] = base * factor * group.get("rate", 1.0)

    def _average(self) -> None:
        decay = min(self.config.ema, (1 + self.steps_done) / (10 + self.steps_done))
        with torch.no_grad():
            for average, live in ((self.ema_embedder, self.embedder), (self.ema_generator, self.generator)):
                for a, b in zip(average.parameters(), live.parameters(), strict=True):
                    a.lerp_(b, 1 - decay)
                for a, b in zip(average.buffers(), live.buffers(), strict=True):
                    a.copy_(b)  # spectral norm's directions are unit vectors: a mean of them is none

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")

    @torch.no_grad()
    def validate(self, people: tuple[Person, ...], sheet: Path | None = None) -> Validation:
        """SSIM and L1 (0 to 1) of the EMA networks on fixed episodes of `people`, see `validation_episodes`; `sheet` gets a picture."""
        from generator.losses import structure_loss
        from sfumato.media.images import to_image, write_image

        scores, distances, embeddings, rows = [], [], [], []
        for episode in validation_episodes(people, self.config, self.sampler.size):
            episode = episode.to(self.device)
            embedding = self.ema_embedder.identity(episode.faces, episode.sketches)
            image = make_image(self.ema_generator, episode.target_sketch, self.ema_generator.project(embedding), episode)
            scores.append(1 - float(structure_loss(image, episode.target)))
            distances.append(float((image - episode.target).abs().mean() / 2))
            embeddings.append(embedding)
            rows.append(torch.cat([episode.faces[0, 0], episode.target_sketch[0], image[0], episode.target[0]], dim=1))
        if sheet is not None and rows:
            write_image(sheet, to_image(torch.cat(rows[:12], dim=2).clamp(-1, 1).cpu()))
        apart = spread(torch.cat(embeddings)) if len(embeddings) > 1 else 1.0
        return Validation(float(np.mean(scores)), float(np.mean(distances)), apart)

    def checkpoint(self) -> Checkpoint:
        """The averaged networks as they stand."""
        record = {"steps": self.steps_done, "seconds": round(self.seconds_done), "train": to_dict(self.config)}
        critic = self.critic if self.config.loss.adversarial > 0 else None  # an untrained D would mislead fine-tuning
        return Checkpoint(self.config.model, self.ema_embedder, self.ema_generator, critic, self.config.landmarks, record=record)

    def save_state(self, path: Path) -> None:
        """Everything a resumed run needs, as safetensors."""
        from safetensors.torch import save

        tensors = {f"{part}.{name}": value for part, module in self._modules().items() for name, value in module.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for index, entry in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser.{name}.{index}.{key}": torch.as_tensor(value) for key, value in entry.items()}
        tensors["random"] = torch.get_rng_state()
        facts = {"steps": self.steps_done, "seconds": self.seconds_done, "sampler": self.sampler.rng.bit_generator.state}
        metadata = {"facts": json.dumps(facts), "config": json.dumps(to_dict(self.config))}
        with atomic_path(path) as temporary:
            temporary.write_bytes(save({name: value.contiguous().clone() for name, value in tensors.items()}, metadata=metadata))

    def load_state(self, path: Path) -> None:
        """Raises CheckpointError when the state is missing, damaged or of another configuration."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt") as file:
                header = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts, stored = json.loads(header["facts"]), json.loads(header["config"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"Cannot resume from {path}: {error}", "Start again in another folder.") from error
        if stored["model"] != json.loads(json.dumps(to_dict(self.config)))["model"]:
            raise CheckpointError(f"{path} belongs to another model configuration", "Resume with the same configuration.")
        try:
            for part, module in self._modules().items():
                module.load_state_dict({k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")})
        except RuntimeError as error:  # W has a row for each training video
            raise CheckpointError(f"{path} belongs to a run on other footage", "Resume with the same footage and held_out.") from error
        for name, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(f"optimiser.{name}."):
                    index, field_name = key.removeprefix(f"optimiser.{name}.").split(".")
                    state.setdefault(int(index), {})[field_name] = value
            if name == "rows":
                for entry in state.values():
                    entry["step"] = int(entry["step"])  # type: ignore[assignment]
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        self.steps_done, self.seconds_done = int(facts["steps"]), float(facts["seconds"])
        self.sampler.rng.bit_generator.state = facts["sampler"]

    def _modules(self) -> dict[str, nn.Module]:
        live = {"embedder": self.embedder, "generator": self.generator, "critic": self.critic}
        return {**live, "ema_embedder": self.ema_embedder, "ema_generator": self.ema_generator}


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Gradients pass through `module` but none are kept in it, except in W, which L_MCH moves."""
    changed = [p for n, p in module.named_parameters() if p.requires_grad and not n.startswith("identities")]
    for parameter in changed:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in changed:
            parameter.requires_grad_(True)


def validation_episodes(people: tuple[Person, ...], config: TrainConfig, size: int, targets: int = 2) -> Iterator[Episode]:
    """Fixed episodes of one each: K sources spread over the first half of a person's longest clip, targets over the second."""
    from generator.episodes import to_tensors

    for person in people:
        clip = max(person.videos, key=len)
        half = len(clip) // 2
        chosen = np.linspace(0, half - 1, config.frames).round().astype(int)
        for target in np.linspace(half, len(clip) - 1, targets).round().astype(int):
            frames = [clip.frame(int(i), size) for i in [target, *chosen]]
            faces, sketches, landmarks = to_tensors([f for f, _ in frames], [p for _, p in frames])
            sources = faces[None, 1:], sketches[None, 1:], landmarks[None, 1:]
            yield Episode(*sources, faces[:1], sketches[:1], landmarks[:1], torch.zeros(1, dtype=torch.long))


def meta_train(
    dataset: Dataset, config: TrainConfig, folder: RunFolder, device: torch.device, resume: bool = False,
    advance: Callable[[float], None] = lambda share: None, warn: Callable[[str], None] = lambda text: None,
) -> Checkpoint:  # fmt: skip
    """Trains until `config.steps` or `config.minutes`. `advance` gets the share of the run done since its last call.

    Raises TrainingDied when losses stop being finite; warns early when E's embeddings lose their spread.
    """
    training, held_out = dataset.split(config.held_out)
    trainer = MetaTrainer(config, training, device)
    state = folder.path / "state.safetensors"
    if resume and state.exists():
        trainer.load_state(state)
    facts = {"data": dataset.description, "training_people": len(training), "held_out": describe(held_out)}
    folder.write_options({"config": to_dict(config), **facts})
    reported = 0.0
    while trainer.share_done < 1:
        log = trainer.step()
        advance(trainer.share_done - reported)
        reported = trainer.share_done
        last = trainer.share_done >= 1
        if trainer.steps_done % config.log_every == 0 or last:
            folder.append("log.jsonl", {"step": trainer.steps_done, "seconds": round(trainer.seconds_done, 1), **log})
            if log["spread"] < DEAD_SPREAD:
                warn(f"step {trainer.steps_done}: the embedder gives everybody the same embedding; it may be dead")
        if held_out and (trainer.steps_done % config.validate_every == 0 or last):
            validation = trainer.validate(held_out, folder.path / "samples.png")
            folder.append("log.jsonl", {"step": trainer.steps_done, "validation": vars(validation)})
        if trainer.steps_done % config.save_every == 0 or last:
            trainer.save_state(state)
            save_checkpoint(folder.path / "model.safetensors", trainer.checkpoint())
    return trainer.checkpoint()


def describe(people: tuple[Person, ...]) -> list[dict[str, Any]]:
    """People as a record: their key and the files they were found in."""
    return [{"person": p.key, "files": sorted(c.name for c in p.clips)} for p in people]
