"""Weights and training state on disk: safetensors with the configuration in their header, whole or absent, no pickles.

In: nets and optimisers. Out: `detector.safetensors` (fp16, what export reads) and `checkpoint.safetensors` (everything
a stopped run needs). A file of another format is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from detector.config import DetectorConfig
from detector.inference.bundle import FORMAT
from detector.models.net import DetectorNet, check_format, load_weights
from sfumato.atomic import atomic_path
from sfumato.config import from_dict, to_dict
from sfumato.errors import CheckpointError
from sfumato.structure.tensors import read_tensors
from sfumato.training.average import Average


def save_weights(path: Path, net: DetectorNet, config: DetectorConfig, record: Mapping[str, Any]) -> None:
    """fp16 weights with configuration and record in the header."""
    state = {name: _stored(value) for name, value in net.state_dict().items()}
    header = {"format": FORMAT, "backbone_source": net.backbone.source, "config": to_dict(config), **record}
    _write(path, state, header)


def load_detector(path: Path) -> tuple[DetectorNet, DetectorConfig, dict[str, Any]]:
    """The net (fp32, eval), its configuration and the file's record. Raises CheckpointError."""
    state, record = _read(path)
    check_format(record)
    values = record["config"]
    values["model"] |= {"pretrained": "none", "weights": None}  # everything is in this file
    config = from_dict(DetectorConfig, values)
    net = DetectorNet(config.model)
    load_weights(
        net, {name: value.float() if value.is_floating_point() else value for name, value in state.items()}, record
    )
    net.backbone.source = str(record.get("backbone_source", "unknown"))
    return net.eval(), config, record


def save_state(
    path: Path,
    net: DetectorNet,
    average: Average[DetectorNet],
    optimizer: torch.optim.Optimizer,
    progress: Mapping[str, Any],
) -> None:
    """Everything that a stopped run needs to go on as if it had not been stopped."""
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.net.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in values.items()}
    header = {"format": FORMAT, "progress": dict(progress), "updates": average.updates}
    _write(path, {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, header)


def load_state(
    path: Path, net: DetectorNet, average: Average[DetectorNet], optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Fills all three and returns the saved progress. Raises CheckpointError."""
    tensors, record = _read(path)
    parts: dict[str, dict[str, Tensor]] = {"net": {}, "average": {}, "optimizer": {}}
    for name, value in tensors.items():
        part, rest = name.split(".", 1)
        parts.setdefault(part, {})[rest] = value
    load_weights(net, parts["net"], record)
    load_weights(average.net, parts["average"], record)
    average.updates = int(record["updates"])
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        index, moment = name.split(".", 1)
        moments.setdefault(int(index), {})[moment] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    progress: dict[str, Any] = record["progress"]
    return progress


def _stored(value: Tensor) -> Tensor:
    value = value.detach().cpu().contiguous()
    return value.half() if value.is_floating_point() else value.clone()


def _write(path: Path, state: dict[str, Tensor], header: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        save_file(state, temporary, metadata={"record": json.dumps(header, default=str)})


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        header, tensors = read_tensors(path, CheckpointError)
        return tensors, json.loads(header.get("record", "{}"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} does not exist", "Train first: sfumato train detector CLIPS.jsonl -o RUN."
        ) from error
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file", "Take another copy, or train again."
        ) from error
