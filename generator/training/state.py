"""The state of a run, so that one that was stopped goes on as if it never had been: bit for bit on a CPU, without
`minutes`.

One safetensors file: weights, averages, optimisers, the last embeddings, and the step. The step is the state of
everything random, see `EpisodeSampler.batch` and `MetaTrainer`. A run of `minutes` has a schedule that follows the
clock, which no two runs share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sfumato.atomic import atomic_path
from sfumato.errors import CheckpointError, OutputError
from sfumato.structure.tensors import read_tensors


class Resumable(Protocol):
    """A trainer that can be stopped. `shape`: what the networks follow from, as JSON; a state of another one is
    refused.
    """

    recent: Tensor
    steps_done: int
    seconds_done: float
    device: torch.device
    optimisers: dict[str, torch.optim.Optimizer]

    @property
    def modules(self) -> Mapping[str, nn.Module]: ...

    @property
    def shape(self) -> dict[str, Any]: ...


def save_state(path: Path, trainer: Resumable, best: float | None = None) -> None:
    """Writes atomically, tensor by tensor. `best`: the score of the best validated checkpoint. Raises OutputError."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {
        f"{part}.{name}": value
        for part, module in trainer.modules.items()
        for name, value in module.state_dict().items()
    }
    for name, optimiser in trainer.optimisers.items():
        for index, entry in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{name}.{index}.{key}": torch.as_tensor(value) for key, value in entry.items()}
    tensors["recent"] = trainer.recent
    facts = {"steps": trainer.steps_done, "seconds": trainer.seconds_done, "best": best}
    metadata = {"facts": json.dumps(facts), "shape": json.dumps(trainer.shape)}
    with atomic_path(path) as temporary:
        try:
            save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata=metadata)
        except SafetensorError as error:  # a full disk, which here is no OSError
            raise OutputError(f"Cannot write {path}: {error}", "Make room, then go on with --resume.") from error


def load_state(path: Path, trainer: Resumable) -> float | None:
    """Puts `trainer` where the saved one stood. Returns the best score so far, None before the first validation.

    Raises CheckpointError when the state is missing, damaged, of another configuration of the networks or of other
    footage.
    """
    try:
        header, tensors = read_tensors(path, CheckpointError)
        facts, shape = json.loads(header["facts"]), json.loads(header["shape"])
        steps, seconds, best = int(facts["steps"]), float(facts["seconds"]), facts.get("best")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"Cannot resume from {path}: {error}", "Start again in another folder.") from error
    if shape != json.loads(json.dumps(trainer.shape)):
        raise CheckpointError(f"{path} belongs to another model configuration", "Resume with the same configuration.")
    try:
        for part, module in trainer.modules.items():
            module.load_state_dict(
                {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
            )
    except RuntimeError as error:  # W has a row for each training video
        raise CheckpointError(
            f"{path} belongs to a run on other footage", "Resume with the same footage and held_out."
        ) from error
    for name, optimiser in trainer.optimisers.items():
        prefix = f"optimiser.{name}."
        _load_optimiser(optimiser, {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    trainer.recent = tensors.get("recent", trainer.recent).to(trainer.device)
    trainer.steps_done, trainer.seconds_done = steps, seconds
    return None if best is None else float(best)


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor | int]] = {}
    for key, value in tensors.items():
        index, name = key.split(".")
        if (
            value.shape == parameters[int(index)].shape
        ):  # moments lie in memory as their weights do, or each step is slower
            value = torch.empty_like(parameters[int(index)], requires_grad=False).copy_(value)
        sparse = isinstance(optimiser, torch.optim.SparseAdam) and name == "step"  # it counts in plain numbers
        state.setdefault(int(index), {})[name] = int(value) if sparse else value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
