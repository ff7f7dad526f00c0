"""An exported detector back to a net that can be trained: what a user has of the shipped one is its ONNX file alone.

In: the folder of an exported detector, pictures like those it will be trained on. Out: a `DetectorNet` with its logits.
Export folds each batch norm into the convolution before it (w' = w g/s, b' = b + (0 - m) g/s). What is lost is how the
product divides, so it is divided anew: the norm gets the mean and deviation that its input has on `pictures` and gives
them back as its offset and scale, which changes no logit and leaves to training what a norm is for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from detector.config import HEADS, ModelConfig
from detector.inference.bundle import NETWORK, crop_side, read_parts
from detector.inference.network_bounds import hold_network
from detector.models.net import DetectorNet
from sfumato.config import from_dict
from sfumato.errors import CheckpointError

_EVERY_BIAS = "every_head.bias"  # detector/training/layers.py names it so
_ADVICE = "Start from the detector.safetensors of its run, or export it again with this version."


def restore_net(folder: Path, config: ModelConfig, pictures: Tensor) -> DetectorNet:
    """pictures: (N, 3, S, S) in [-1, 1], some dozens. The net is of `config`, in eval mode, without the export's
    further heads.

    Raises MissingPartError without a detector in `folder`; CheckpointError if it is of another net than `config`'s, of
    one that has more than convolutions, batch norms and two heads, or not ONNX.
    """
    network, weights, record = read_parts(folder)
    if weights:
        raise CheckpointError(f"The detector in {folder} is not ONNX", "Start from the folder it was exported from.")
    _check_same(record, config, folder)
    hold_network(network, b"", crop_side(record))
    net = DetectorNet(config).eval()
    known, convolutions = _graph_of(network, folder / NETWORK)
    missing = [name for name in (*_convolutions(net), "backbone.mean", "backbone.deviation") if name not in known]
    if missing or net.frequency is not None:
        lacks = missing[0] if missing else "the frequency branch"
        raise CheckpointError(f"{folder / NETWORK} cannot be trained on: it lacks {lacks}", _ADVICE)
    try:
        _fill(net, known, convolutions, pictures)
    except (RuntimeError, ValueError, KeyError) as error:
        cause = str(error).splitlines()[0][:120]
        raise CheckpointError(f"{folder / NETWORK} does not fit its record: {cause}", _ADVICE) from error
    earlier = record.get("training", {})
    net.backbone.source = (
        f"{earlier.get('backbone_weights', 'unknown')}, then {earlier.get('step')} steps of an earlier run"
    )
    return net


def _check_same(record: Any, config: ModelConfig, folder: Path) -> None:
    """Raises CheckpointError unless the record's network is the one that `config` builds."""
    try:
        theirs = from_dict(ModelConfig, record["config"]["model"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"The detector in {folder} does not say what net it is", _ADVICE) from error
    for name in ("backbone", "frequency"):
        if getattr(theirs, name) != getattr(config, name):
            raise CheckpointError(
                f"The detector in {folder} has model.{name} {getattr(theirs, name)!r}",
                f"Use --set model.{name}={getattr(theirs, name)}.",
            )


def _graph_of(network: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Its constants by the names of `DetectorNet`, heads included; and the bias of each convolution, by its weight."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load_from_string(network).graph
        values = {
            value.name.removesuffix(".half"): torch.from_numpy(np.array(numpy_helper.to_array(value)))
            for value in graph.initializer
        }
    except Exception as error:  # protobuf's, which is no dependency of ours, and what a stranger's constants raise
        raise CheckpointError(f"{path} cannot be trained on: its constants cannot be read", _ADVICE) from error
    values = {name: value.float() if value.is_floating_point() else value for name, value in values.items()}
    known = {name.removeprefix("net."): value for name, value in values.items() if name.startswith("net.")}
    if _EVERY_BIAS in values:  # behind its own two heads it has further ones
        known["heads.bias"] = values[_EVERY_BIAS].flatten()[: len(HEADS)]
    known |= _preparation(graph.node, values)
    biases: dict[str, str] = {}
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        weight, *bias = (name.removeprefix("net.") for name in node.input[1:])
        if weight.startswith("backbone."):
            biases |= {weight: bias[0]} if bias else {}
        elif weight in values and not weight.startswith("layer_heads."):
            known["heads.weight"] = values[weight].flatten(1)
    return known, biases


def _preparation(nodes: Any, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is subtracted from a picture and what it is divided by: one constant, and no name, where they are equal."""
    for less in nodes:
        if less.op_type == "Sub" and less.input[1] in values:
            for over in nodes:
                if over.op_type == "Div" and over.input[0] == less.output[0] and over.input[1] in values:
                    return {"backbone.mean": values[less.input[1]], "backbone.deviation": values[over.input[1]]}
    return {}


def _convolutions(net: DetectorNet) -> dict[str, nn.Conv2d]:
    """By the name of its weight."""
    return {f"{name}.weight": part for name, part in net.named_modules() if isinstance(part, nn.Conv2d)}


def _fill(net: DetectorNet, known: dict[str, Tensor], biases: dict[str, str], pictures: Tensor) -> None:
    """Raises KeyError, RuntimeError or ValueError for what does not fit."""
    net.backbone.mean.copy_(known["backbone.mean"].view_as(net.backbone.mean))
    net.backbone.deviation.copy_(known["backbone.deviation"].view_as(net.backbone.deviation))
    followed = _norms_behind(net, pictures[:1])
    with torch.no_grad():
        for name, part in _convolutions(net).items():
            folded, norm = known[name], followed.get(name)
            offset = known[biases[name]] if name in biases else torch.zeros(len(folded))
            if norm is None:  # one with an offset of its own, as in squeeze and excitation
                part.weight.copy_(folded)
                if part.bias is not None:
                    part.bias.copy_(offset)
                elif name in biases:
                    raise ValueError(f"nothing takes the offset of {name}")
                continue
            # trained against a norm, a channel's weights may have any length: that of the net they came from is kept
            length = part.weight.flatten(1).norm(dim=1)
            scale = torch.where(length > 0, length, 1.0) / folded.flatten(1).norm(dim=1).clamp_min(1e-12)
            part.weight.copy_(folded * scale[:, None, None, None])
            mean, variance = _statistics(norm)
            mean.zero_()
            variance.fill_(1.0 - norm.eps)
            norm.weight.copy_(1 / scale)
            norm.bias.copy_(offset)
        net.heads.weight.copy_(known["heads.weight"])
        net.heads.bias.copy_(known["heads.bias"])
        _share_out(net, list(followed.values()), pictures)


def _norms_behind(net: DetectorNet, picture: Tensor) -> dict[str, nn.BatchNorm2d]:
    """The batch norm that reads each convolution, by the name of the convolution's weight."""
    made: dict[int, str] = {}
    kept: list[Tensor] = []  # so that no address is used twice
    found: dict[str, nn.BatchNorm2d] = {}
    hooks = []
    for name, part in net.named_modules():
        if isinstance(part, nn.Conv2d):

            def note(_: nn.Module, inputs: Any, output: Tensor, name: str = name) -> None:
                made[id(output)] = f"{name}.weight"
                kept.append(output)

            hooks.append(part.register_forward_hook(note))
        elif isinstance(part, nn.BatchNorm2d):

            def read(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
                if id(inputs[0]) in made and isinstance(norm, nn.BatchNorm2d):
                    found[made[id(inputs[0])]] = norm

            hooks.append(part.register_forward_pre_hook(read))
    with torch.no_grad():
        net(picture)
    for hook in hooks:
        hook.remove()
    return found


def _share_out(net: DetectorNet, norms: list[nn.BatchNorm2d], pictures: Tensor) -> None:
    """Gives each norm the statistics of its input, and its scale and offset what undoes them."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[norm] = (inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), unbiased=False))

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    net(pictures)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, variance = _statistics(norm)
        slope = norm.weight / torch.sqrt(variance + norm.eps)  # y = slope x + offset, whatever the statistics
        norm.bias.copy_(norm.bias + slope * (seen[norm][0] - mean))
        norm.weight.copy_(slope * torch.sqrt(seen[norm][1] + norm.eps))
        mean.copy_(seen[norm][0])
        variance.copy_(seen[norm][1])


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The running mean and variance. Raises ValueError for a norm that keeps none."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics")
    return norm.running_mean, norm.running_var
