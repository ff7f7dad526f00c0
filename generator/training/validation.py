"""Validation during a run: fixed episodes of held-out people, four numbers, and a contact sheet.

For every person K sources come from the first half of the longest clip, targets from the second, so nothing is judged
on a frame that was shown. It is a guide for the run; `sfumato bench quality` is the measurement.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generator.config import TrainConfig
from generator.data.dataset import PersonFootage
from generator.data.episodes import to_tensors
from generator.losses.terms import IdentityLoss, structure_loss
from generator.networks.embedder import Embedder, spread
from generator.networks.episode import Episode
from generator.networks.families import WarpGenerator, make_image
from generator.networks.synthesizer import Generator
from sfumato.errors import MissingPartError, SealError, SfumatoWarning

_SHOWN = 12  # columns of the contact sheet


@dataclass(frozen=True)
class Validation:
    """Means over held-out people: SSIM, L1 in [0, 1], CSIM (cosine of SFace embeddings), and the spread of their
    embeddings.
    """

    ssim: float
    l1: float
    csim: float
    spread: float

    @property
    def score(self) -> float:
        """What the best checkpoint is best in: SSIM + CSIM, so neither geometry nor likeness is bought with the
        other.
        """
        return self.ssim + self.csim


class Validator:
    """Measures networks on `people`, always the same way."""

    def __init__(self, people: tuple[PersonFootage, ...], config: TrainConfig, device: torch.device) -> None:
        self.people, self.config, self.device = people, config, device
        self.identity = IdentityLoss().to(device)

    @torch.no_grad()
    def measure(
        self, embedder: Embedder, generator: Generator | WarpGenerator, sheet: Path | None = None
    ) -> Validation:
        """Networks in evaluation mode. `sheet` gets a picture: source, landmarks, output and target of some, from top
        to bottom; sealed, as every generated picture is. Without a seal it is left out, with a warning.
        """
        scores, distances, cosines = [], [], []
        embeddings: list[Tensor] = []
        columns: list[Tensor] = []
        for episode in validation_episodes(self.people, self.config):
            episode = episode.to(self.device)
            embedding = embedder.identity(episode.faces, episode.sketches)
            image = make_image(generator, generator.project(embedding), episode)
            scores.append(1 - float(structure_loss(image, episode.target)))
            distances.append(float((image - episode.target).abs().mean() / 2))
            cosines.append(1 - float(self.identity(image, episode.target, episode.target_landmarks)))
            embeddings.append(embedding)
            if len(columns) < _SHOWN:
                columns.append(
                    torch.cat([episode.faces[0, 0], episode.target_sketch[0], image[0], episode.target[0]], dim=1).cpu()
                )
        if sheet is not None:
            self._write(sheet, torch.cat(columns, dim=2), generator)
        apart = spread(torch.cat(embeddings)) if len(embeddings) > 1 else 1.0
        return Validation(float(np.mean(scores)), float(np.mean(distances)), float(np.mean(cosines)), apart)

    def _write(self, sheet: Path, picture: Tensor, generator: Generator | WarpGenerator) -> None:
        """picture: (3, H, W) in [-1, 1]."""
        from sfumato.media.sealed_picture import write_generated_picture
        from sfumato.media.tensors import to_image
        from sfumato.media.video import GeneratedFacts

        followed = hashlib.sha256()
        for episode in validation_episodes(self.people, self.config):
            followed.update(episode.target_landmarks.cpu().numpy().tobytes())
        facts = GeneratedFacts(
            title="Samples of a training run",
            model_name=f"{self.config.model.family}, in training",
            model_digest=weights_digest(generator),
            seed=self.config.seed,
            portraits=(),
            motion_digest=followed.hexdigest(),
        )
        try:
            write_generated_picture(sheet, to_image(picture), facts)
        except (MissingPartError, SealError) as error:  # no reason to end a run of days
            warnings.warn(
                SfumatoWarning(f"The samples were not written, since they cannot be sealed: {error}"), stacklevel=2
            )


def weights_digest(network: torch.nn.Module) -> str:
    """SHA-256, hex, of the weights as they are now, which lie in no file."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def validation_episodes(people: tuple[PersonFootage, ...], config: TrainConfig, targets: int = 2) -> Iterator[Episode]:
    """Fixed episodes of one each: K sources spread over the first half of a person's longest clip, targets over the
    second.
    """
    for person in people:
        clip = max(person.videos, key=len)
        half = len(clip) // 2
        chosen = np.linspace(0, half - 1, config.frames).round().astype(int)
        for target in np.linspace(half, len(clip) - 1, targets).round().astype(int):
            frames = [clip.frame(int(i), config.model.size) for i in [target, *chosen]]
            faces, sketches, landmarks = to_tensors([f for f, _ in frames], [p for _, p in frames])
            sources = faces[None, 1:], sketches[None, 1:], landmarks[None, 1:]
            yield Episode(*sources, faces[:1], sketches[:1], landmarks[:1], torch.zeros(1, dtype=torch.long))
