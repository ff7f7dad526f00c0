"""Few-shot learning of one person (section 3.4).

e_NEW is the mean of E over the T frames. psi' := P e_NEW is then trained directly, together with G's other weights; E
is frozen, and D starts from w' := w_0 + e_NEW. Before its first step the personal G gives bit for bit what the generic
one gives with e_NEW.

The warp family reads source frames, so a frame that is its own source would teach nothing: with two frames or more each
is made from the others, and every frame is also made from bent copies of itself.

When to stop is decided on frames that are held out: from T = 4 on, a quarter of them (four at most) teach nothing and
are made from the others at each check; e_NEW, which is fixed before the first step, has seen them. With fewer frames
none can be spared, and the check makes each of them from bent copies in poses that the training does not draw.
Afterwards all T frames are sources.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from generator.config import TuneConfig
from generator.data.pose_augmentation import random_pose
from generator.losses.terms import ReconstructionLoss, adversarial_loss, critic_loss, feature_matching_loss
from generator.networks.checkpoint import Checkpoint
from generator.networks.episode import Episode, source_warps
from generator.networks.families import WarpGenerator
from generator.networks.synthesizer import Generator
from generator.networks.warp import sample, warp_grid


@dataclass
class Person:
    """One person, ready to be rendered: `generator` and `psi` (1, coefficients), and the T source frames.

    faces, sketches: (T, 3, S, S); landmarks: (T, 68, 2) in [-1, 1]; `history`: loss at each check, `held_out` the
    frames it was measured on (none: bent copies); `iterations` that were made, of which the state after `kept` was the
    best.
    """

    generator: Generator | WarpGenerator
    psi: Tensor
    faces: Tensor
    sketches: Tensor
    landmarks: Tensor
    history: list[float] = field(default_factory=list)
    iterations: int = 0
    kept: int = 0
    held_out: tuple[int, ...] = ()

    @torch.no_grad()
    def picture(self, sketches: Tensor, landmarks: Tensor) -> Tensor:
        """sketches: (B, 3, S, S); landmarks: (B, 68, 2) in [-1, 1]. Returns (B, 3, S, S) in [-1, 1]."""
        return picture(self.generator, self.psi, self.episode(sketches, landmarks))

    def episode(self, sketches: Tensor, landmarks: Tensor) -> Episode:
        """The frames as sources, and `sketches` with `landmarks` as what is wanted."""
        count = len(landmarks)
        faces, own_sketches, points = (
            x[None].expand(count, *x.shape) for x in (self.faces, self.sketches, self.landmarks)
        )
        return Episode(faces, own_sketches, points, sketches, sketches, landmarks, torch.zeros(count, dtype=torch.long))


def picture(generator: Generator | WarpGenerator, psi: Tensor, episode: Episode) -> Tensor:
    """The target of `episode` as the generator makes it: (B, 3, S, S) in [-1, 1]."""
    coefficients = psi.expand(len(episode.target_sketch), -1)
    if isinstance(generator, WarpGenerator):
        sources, grids = source_warps(episode, generator.warps)
        made: Tensor = generator(episode.target_sketch, coefficients, sources, grids, episode.target_landmarks).image
        return made
    plain: Tensor = generator(episode.target_sketch, coefficients)
    return plain


@torch.no_grad()
def meet(checkpoint: Checkpoint, faces: Tensor, sketches: Tensor, landmarks: Tensor) -> Person:
    """The person before any fine-tuning: psi' = P e_NEW. faces, sketches: (T, 3, S, S) in [-1, 1]; landmarks: (T, 68,
    2).
    """
    embedding = checkpoint.embedder.identity(faces[None], sketches[None])  # (1, N): e_NEW
    return Person(checkpoint.generator, checkpoint.generator.project(embedding), faces, sketches, landmarks)


def fine_tune(
    checkpoint: Checkpoint, person: Person, config: TuneConfig, advance: Callable[[float], None] = lambda amount: None
) -> Person:
    """Trains a copy of G and psi on the person's T frames, less those held out; `person` and `checkpoint` stay as they
    are.

    Ends after `iterations`, or after `seconds` (of the whole call; one iteration at least), or when `patience` checks
    brought nothing; keeps the best state seen, so it never ends worse on its own check than it began. `advance` gets 1
    for each iteration.
    """
    if config.iterations == 0:
        return person
    started = time.monotonic()
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    generator = copy.deepcopy(person.generator).train()
    psi = nn.Parameter(person.psi.clone())
    reconstruction = ReconstructionLoss(config.loss).to(psi.device)
    optimiser = torch.optim.Adam(
        [*(p for n, p in generator.named_parameters() if "projection" not in n), psi], lr=config.learning_rate
    )
    adversary = (
        _Adversary(checkpoint, person, config) if config.loss.adversarial and checkpoint.critic is not None else None
    )
    held_out = held_out_frames(len(person.faces))
    taught = _without(person, held_out)
    if held_out:
        checks = [_made_from(taught, person, index) for index in held_out]
    else:
        checks = [_draw(person, np.random.default_rng(1000 + i), 1) for i in range(6)]  # the same poses at every check

    @torch.no_grad()
    def check() -> float:
        generator.eval()  # looking changes nothing, spectral norm's estimates included
        mean = float(
            np.mean(
                [float(reconstruction(picture(generator, psi, e), e.target, e.target_landmarks)[0]) for e in checks]
            )
        )
        generator.train()
        return mean

    before = time.monotonic()
    best = check()
    history = [best]
    end = started + config.seconds - (time.monotonic() - before)  # the last check, too, lies within `seconds`
    kept = (copy.deepcopy(generator.state_dict()), psi.detach().clone(), 0)
    worse = 0
    for done in range(1, config.iterations + 1):
        episode = _draw(taught, rng, config.batch)
        made = picture(generator, psi, episode)
        loss, _ = reconstruction(made, episode.target, episode.target_landmarks)
        if adversary is not None:
            loss = loss + adversary.loss(made, episode)
        if not loss.isfinite():
            break  # it ran away; a backward pass through a NaN grid would even crash
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*generator.parameters(), psi], 1.0)
        optimiser.step()
        if adversary is not None:
            adversary.step(made.detach(), episode)
        advance(1)
        late = config.seconds > 0 and time.monotonic() >= end
        if done % config.check_every == 0 or done == config.iterations or late:
            history.append(check())
            if history[-1] < best:
                best, worse = history[-1], 0
                kept = (copy.deepcopy(generator.state_dict()), psi.detach().clone(), done)
            elif (worse := worse + 1) >= config.patience:
                break
        if late:
            break
    generator.load_state_dict(kept[0])
    return replace(
        person,
        generator=generator.eval(),
        psi=kept[1],
        history=history,
        iterations=done,
        kept=kept[2],
        held_out=held_out,
    )


def held_out_frames(count: int) -> tuple[int, ...]:
    """Which of `count` frames the tuning must not see: evenly spread, a quarter, four at most; none of fewer than
    four.
    """
    spared = min(count // 4, 4)
    return tuple(int((i + 0.5) * count / spared) for i in range(spared))


def usual_iterations(count: int) -> int:
    """How long to tune on `count` frames: 125 iterations for one, 230 for 32 and more (the authors' later code); more
    kill expressions.
    """
    return round(125 + 105 * min(max(count - 1, 0), 31) / 31)


def _without(person: Person, indices: tuple[int, ...]) -> Person:
    left = [i for i in range(len(person.faces)) if i not in indices]
    return replace(person, faces=person.faces[left], sketches=person.sketches[left], landmarks=person.landmarks[left])


def _made_from(sources: Person, person: Person, index: int) -> Episode:
    """Frame `index` of `person` as the target, made from the frames of `sources`."""
    wanted = slice(index, index + 1)
    made = sources.episode(person.sketches[wanted], person.landmarks[wanted])
    return replace(made, target=person.faces[wanted])


class _Adversary:
    """D for this person: the meta-trained network and w' = w_0 + e_NEW, both trained on."""

    def __init__(self, checkpoint: Checkpoint, person: Person, config: TuneConfig) -> None:
        assert checkpoint.critic is not None  # noqa: S101 (the caller asked)
        self.config = config.loss
        self.critic = copy.deepcopy(checkpoint.critic).train()
        with torch.no_grad():
            embedding = checkpoint.embedder.identity(person.faces[None], person.sketches[None])
        self.weights = nn.Parameter(self.critic.shared.detach()[None] + embedding)  # w': (1, N)
        dense = [p for n, p in self.critic.named_parameters() if n != "shared" and not n.startswith("identities")]
        self.optimiser = torch.optim.Adam([*dense, self.weights], lr=config.critic_learning_rate, betas=(0.0, 0.999))

    def loss(self, made: Tensor, episode: Episode) -> Tensor:
        """L_ADV with L_FM for G; no L_MCH here (paper)."""
        from generator.networks.discriminator import frozen

        with frozen(self.critic):
            scores, features = self.critic(made, episode.target_sketch, self.weights.detach())
            with torch.no_grad():
                _, wanted = self.critic(episode.target, episode.target_sketch, self.weights.detach())
        return self.config.adversarial * adversarial_loss(
            scores
        ) + self.config.feature_matching * feature_matching_loss(features, wanted)

    def step(self, made: Tensor, episode: Episode) -> None:
        """One update of D and w' by the hinge."""
        fake, _ = self.critic(made, episode.target_sketch, self.weights)
        real, _ = self.critic(episode.target, episode.target_sketch, self.weights)
        self.optimiser.zero_grad(set_to_none=True)
        critic_loss(fake, real).backward()
        self.optimiser.step()


def _draw(person: Person, rng: np.random.Generator, batch: int) -> Episode:
    """A batch of episodes from the person's own frames: made from the other frames, or from bent copies."""
    count, size = len(person.faces), person.faces.shape[-1]
    targets = torch.from_numpy(rng.integers(0, count, batch))
    wanted, sketch, points = (x[targets] for x in (person.faces, person.sketches, person.landmarks))
    if count > 1 and rng.random() < 0.6:
        others = torch.from_numpy(np.stack([np.delete(np.arange(count), int(t)) for t in targets]))  # (B, T - 1)
        faces, sketches, poses = (x[others] for x in (person.faces, person.sketches, person.landmarks))
    else:
        bent = torch.stack([random_pose(p.cpu(), rng) for p in points]).to(points)  # (B, 68, 2)
        faces, poses = sample(wanted, warp_grid(points, bent, size))[:, None], bent[:, None]  # (B, 1, ...)
        sketches = sketch[:, None]  # E has spoken already: source sketches are not read here
    return Episode(faces, sketches, poses, wanted, sketch, points, torch.zeros(batch, dtype=torch.long))
