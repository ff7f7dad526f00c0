"""Starting a run from another checkpoint: of the same shape, or of half its size and half its stem.

A network with stem 4 at 256 px works inside at 64 x 64, as one with stem 2 at 128 px does: only its first and last
convolutions read and write other channels. From the smaller one's weights the larger is built so that, for a picture in
which each 2 x 2 pixels are alike, it answers for all four what the smaller one answers for their one. Training goes on
from there.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from generator.config import ModelConfig
from generator.networks.checkpoint import Checkpoint
from sfumato.errors import CheckpointError

_SMALL, _LARGE = 2, 4  # stems
_READERS = tuple(
    f"{block}.{conv}." for block in ("embedder.blocks.1", "generator.network.encoder.0") for conv in ("conv1", "skip")
)
_FUSE, _WRITER = "generator.network.fuse.", "generator.network.last."


def start_from(checkpoint: Checkpoint, config: ModelConfig, embedder: nn.Module, generator: nn.Module) -> None:
    """Copies the weights of `checkpoint` into `embedder` and `generator`, both built from `config`.

    Raises CheckpointError unless `checkpoint` has the same shape, or stem 2 at half the size where `config` has stem 4
    and no spectral norm.
    """
    parts: dict[str, nn.Module] = {"embedder": checkpoint.embedder, "generator": checkpoint.generator}
    weights = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}
    if checkpoint.config != config:
        old = checkpoint.config
        stems = (old.stem, config.stem) == (_SMALL, _LARGE)
        if not stems or config.spectral_norm or replace(old, size=2 * old.size, stem=_LARGE) != config:
            raise CheckpointError(
                f"A {checkpoint.config.family} of {checkpoint.config.size} px cannot start a "
                f"{config.family} of {config.size} px",
                "Start from a checkpoint with the same [model], or with half its size and stem 2 where it has 4.",
            )
        weights = {name: _enlarged(name, value) for name, value in weights.items()}
    for part, module in (("embedder", embedder), ("generator", generator)):
        module.load_state_dict(
            {name.removeprefix(f"{part}."): value for name, value in weights.items() if name.startswith(f"{part}.")}
        )


def _enlarged(name: str, value: Tensor) -> Tensor:
    line = torch.arange(_LARGE) // (_LARGE // _SMALL)
    places = (
        line[:, None] * _SMALL + line[None]
    ).flatten()  # (16,): in which of the 4 larger pixels each smaller one lies
    if name.endswith("weight") and name.startswith((*_READERS, _FUSE)):
        features = len(value) if name.startswith(_FUSE) else 0  # its first channels are the decoder's, not pixels
        pixels = (
            value[:, features:].unflatten(1, (-1, _SMALL**2))[:, :, places] / 4
        )  # (O, C, 16, k, k): the mean of 4 stands for one
        return torch.cat([value[:, :features], pixels.flatten(1, 2)], dim=1)
    if name.startswith(_WRITER):
        written: Tensor = value.unflatten(0, (-1, _SMALL**2))[:, places].flatten(0, 1)
        return written
    return value
