"""Checkpoints: safetensors with the configuration in the header. No pickles; unknown formats are refused.

`model.safetensors` holds E, G and D (without W, which only training needs) and says with which family, landmark backend
and crop they were trained. Another backend or crop is refused: its points lie elsewhere on the face.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from generator.config import ModelConfig
from generator.networks.discriminator import Critic
from generator.networks.embedder import Embedder
from generator.networks.families import REGISTRY, WarpGenerator, build_generator
from generator.networks.synthesizer import Generator
from sfumato.atomic import atomic_path
from sfumato.config import from_dict, to_dict
from sfumato.errors import CheckpointError, MissingFileError, SfumatoError, choose_from
from sfumato.media.clips import file_digest
from sfumato.media.faces import CROP_VERSION
from sfumato.structure.tensors import read_tensors

FORMAT = "sfumato-generator-1"
# The warp family, which the program uses by itself; the paper's, which it is compared with; and the one that was
# shipped before it.
SHIPPED = ("portrait-256", "paper-128", "portrait-128")
TRAINING_FREE = "landmark-warp"  # a family without a network: its file holds a configuration and no weights


@dataclass
class Checkpoint:
    """The networks and what must be known to use them."""

    config: ModelConfig
    embedder: Embedder
    generator: Generator | WarpGenerator
    critic: Critic | None = None
    landmarks: str = "mesh"
    crop: str = CROP_VERSION
    record: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    def require(self, landmarks: str) -> None:
        """Raises CheckpointError unless the checkpoint was trained with this landmark backend and this program's
        crop.
        """
        if landmarks != self.landmarks:
            raise CheckpointError(
                f"This checkpoint was trained with landmarks {self.landmarks!r}, not {landmarks!r}",
                f"Use --landmarks {self.landmarks}, or a checkpoint trained with {landmarks}.",
            )
        if self.crop != CROP_VERSION:
            cause = f"This checkpoint was trained with crop {self.crop!r}, this version cuts {CROP_VERSION!r}"
            raise CheckpointError(cause, "Take one made for this version, or train it again.")


def save_checkpoint(path: Path, checkpoint: Checkpoint, half: bool = False) -> None:
    """Writes atomically; `half` stores 16-bit numbers, for shipping. Raises OutputError."""
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    parts: dict[str, torch.nn.Module] = {"embedder": checkpoint.embedder, "generator": checkpoint.generator}
    if checkpoint.critic is not None:
        parts["critic"] = checkpoint.critic
    for part, module in parts.items():
        for name, value in module.state_dict().items():
            if part == "critic" and name.startswith("identities."):
                continue
            kind = torch.float16 if half and value.is_floating_point() else value.dtype
            tensors[f"{part}.{name}"] = value.detach().to(kind).contiguous().cpu()
    header = {
        "format": FORMAT,
        "config": json.dumps(to_dict(checkpoint.config)),
        "landmarks": checkpoint.landmarks,
        "crop": checkpoint.crop,
        "record": json.dumps(checkpoint.record, default=str),
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(
            save(tensors, metadata=header)
        )  # not save_file: what it raises for a full disk is no OSError


def checkpoint_path(name: str | Path = SHIPPED[0]) -> Path:
    """A path as given, or a shipped checkpoint by its name. Raises MissingFileError when it is neither."""
    path = Path(name)
    if path.is_file():
        return path
    known = (*SHIPPED, TRAINING_FREE)
    if str(name) not in known:
        advice = choose_from(name, known, "a model.safetensors made by `sfumato train generator`, or ")
        raise MissingFileError(f"There is no checkpoint {name}", advice)
    shipped = Path(str(files("generator") / "weights" / f"{name}.safetensors"))
    if not shipped.is_file():
        advice = "Reinstall sfumato, or name one of your own: `sfumato train generator` makes it."
        raise CheckpointError(f"The checkpoint {name} is not part of this installation", advice)
    return shipped


def checkpoint_name(path: Path) -> str:
    """What a checkpoint is called: its file's stem, and before it the run's folder where the stem is the one that every
    run gives.
    """
    return f"{path.resolve().parent.name}/{path.stem}" if path.stem in ("model", "best") else path.stem


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Reads a checkpoint in evaluation mode, 32-bit. Raises MissingFileError when it is missing, CheckpointError when
    it is damaged, foreign or does not fit.
    """
    advice = "Name a model.safetensors made by `sfumato train generator`."
    if not path.is_file():
        raise MissingFileError(f"There is no checkpoint {path}", advice)
    try:
        header, tensors = read_tensors(path, CheckpointError)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The checkpoint {path} is damaged or not safetensors: {str(error)[:120]}", advice
        ) from error
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{path} has the format {header.get('format', 'unknown')!r}, not {FORMAT!r}", advice)
    try:
        config = from_dict(ModelConfig, json.loads(header["config"]))
        record = json.loads(header.get("record", "{}"))
        if not isinstance(record, dict):
            raise TypeError("the training record is no object")
        embedder, generator = _build_embedder(config), build_generator(config)
        critic = Critic(config, 1) if any(name.startswith("critic.") for name in tensors) else None
        _load(embedder, tensors, "embedder.")
        _load(generator, tensors, "generator.")
        if critic is not None:
            _load(critic, tensors, "critic.", allowed_missing=("identities.weight",))
            critic.to(device).eval()
    except (
        SfumatoError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        MemoryError,
    ) as error:
        raise CheckpointError(
            f"The checkpoint {path} does not fit its own configuration: {str(error)[:200]}", advice
        ) from error
    embedder, generator = embedder.to(device).eval(), generator.to(device).eval()
    facts = header.get("landmarks", ""), header.get("crop", "")
    return Checkpoint(config, embedder, generator, critic, *facts, record, file_digest(path))


def _build_embedder(config: ModelConfig) -> Embedder:
    """E; a family without a network names its own."""
    network: Embedder = getattr(REGISTRY.load(config.family), "embedder", Embedder)(config)
    return network


def _load(
    module: torch.nn.Module, tensors: dict[str, Tensor], prefix: str, allowed_missing: tuple[str, ...] = ()
) -> None:
    own = {name[len(prefix) :]: value.float() for name, value in tensors.items() if name.startswith(prefix)}
    missing, unexpected = module.load_state_dict(own, strict=False)
    if unexpected or set(missing) - set(allowed_missing):
        raise ValueError(f"{prefix}{[*unexpected, *missing][0]} is missing or unknown")
    if not all(bool(value.isfinite().all()) for value in own.values()):
        raise ValueError(f"{prefix}* holds numbers that are not finite")
