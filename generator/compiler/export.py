"""The generator's network as a file that other programs run: ONNX or OpenVINO IR. A checkpoint in, a checked file out,
and back.

Only the network leaves: guide (sketch, warped sources, how far each place moved) and psi in, head out. What makes the
guide and composes the frame is `generator.rendering.render`. The file says of which checkpoint it is and is refused for
another one; it appears only after it was read back and answered what the network in torch answers.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from generator.compiler.folding import fold
from generator.compiler.graph import to_onnx
from generator.networks.checkpoint import Checkpoint
from generator.networks.families import has_network
from sfumato.atomic import atomic_path
from sfumato.errors import CheckpointError, MissingPartError, UsageError, install_extra
from sfumato.execution.openvino_runtime import openvino_runtime
from sfumato.execution.signal_stack import signal_stack_kept

FORMAT = "sfumato-network-1"
TOLERANCE = 1e-4  # of the largest number of the answer (at least 1); rounding costs about 1e-6
Array = NDArray[np.float32]
Network = Callable[[Array, Array], Array]
_ADVICE = "Make it again: sfumato export generator CHECKPOINT."


def export_network(checkpoint: Checkpoint, path: Path) -> float:
    """Writes `path`, .onnx or .xml (with its .bin beside it). Returns the largest difference to torch, as a share of
    the largest number.

    Raises UsageError for another suffix or a family without a network, MissingPartError without OpenVINO for .xml,
    CheckpointError where the file does not answer as the network does, OutputError.
    """
    if path.suffix not in (".onnx", ".xml"):
        raise UsageError(f"{path} ends neither in .onnx nor in .xml", "Name the output x.onnx, or x.xml for OpenVINO.")
    if not has_network(checkpoint.generator):
        raise UsageError(f"The family {checkpoint.config.family} has no network", "There is nothing to export.")
    network = checkpoint.generator.network
    side = checkpoint.config.size // network.stem
    plan = fold(network, None, side, lambda weight: weight, lambda weight, bias: (weight, bias))
    written = to_onnx(plan, _facts(checkpoint), network.stem, network.coefficients)
    with tempfile.TemporaryDirectory(prefix="sfumato-export-") as name:
        draft = Path(name) / path.name
        _write(written, draft)
        difference = _difference(checkpoint, open_network(draft, checkpoint))
        if not difference <= TOLERANCE:
            cause = f"The exported network's answer differs by {difference:.1e} of its largest number"
            raise CheckpointError(cause, "Nothing was written.")
        for suffix in (
            [".bin", ".xml"] if path.suffix == ".xml" else [".onnx"]
        ):  # the one that names the other comes last
            with atomic_path(path.with_suffix(suffix)) as temporary:
                shutil.copyfile(draft.with_suffix(suffix), temporary)
    return difference


def open_network(path: Path, checkpoint: Checkpoint) -> Network:
    """Loads an exported network: guide (1, inputs, S, S) and psi (1, coefficients) to head (1, outputs, S, S).

    Raises CheckpointError when it is missing, damaged, foreign, or was made from another checkpoint; MissingPartError
    for .xml without OpenVINO.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no network {path}", _ADVICE)
    try:
        facts, network = _open_openvino(path) if path.suffix == ".xml" else _open_onnx(path)
    except MissingPartError:
        raise
    except Exception as error:  # each runtime has errors of its own
        raise CheckpointError(
            f"The network {path} is damaged or of another kind: {str(error)[:120]}", _ADVICE
        ) from error
    if facts.get("format") != FORMAT:
        raise CheckpointError(f"{path} has the format {facts.get('format', 'unknown')!r}, not {FORMAT!r}", _ADVICE)
    for name, wanted in _facts(checkpoint).items():
        if facts.get(name) != wanted:
            raise CheckpointError(
                f"{path} was made from another checkpoint: its {name} is {str(facts.get(name))[:70]!r}", _ADVICE
            )
    return network


def _facts(checkpoint: Checkpoint) -> dict[str, str]:
    config = checkpoint.config
    return {
        "format": FORMAT,
        "family": config.family,
        "size": str(config.size),
        "digest": checkpoint.digest,
        "landmarks": checkpoint.landmarks,
        "crop": checkpoint.crop,
    }


def _write(written: bytes, path: Path) -> None:
    if path.suffix == ".onnx":
        path.write_bytes(written)
        return
    openvino = _openvino()
    model = openvino.Core().read_model(written)
    import onnx

    known = {entry.key: entry.value for entry in onnx.load_from_string(written).metadata_props}
    model.set_rt_info(json.dumps(known), ["sfumato"])
    openvino.save_model(model, path, compress_to_fp16=False)


def _open_onnx(path: Path) -> tuple[Mapping[str, str], Network]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    facts: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    return facts, lambda guide, psi: np.asarray(session.run(None, {"guide": guide, "psi": psi})[0])


def _open_openvino(path: Path) -> tuple[Mapping[str, str], Network]:
    core = _openvino().Core()
    model = core.read_model(path)
    facts = json.loads(model.get_rt_info(["sfumato"]).astype(str)) if model.has_rt_info(["sfumato"]) else {}
    with signal_stack_kept():
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return facts, lambda guide, psi: np.asarray(compiled({"guide": guide, "psi": psi})["head"])


def _openvino() -> Any:
    try:
        return openvino_runtime()
    except ModuleNotFoundError as error:
        raise MissingPartError("OpenVINO is not installed", f"{install_extra('fast')} Or write .onnx.") from error


def _difference(checkpoint: Checkpoint, network: Network) -> float:
    """On seeded noise."""
    network_in_torch: Any = checkpoint.generator.network
    random = torch.Generator().manual_seed(0)
    first = network_in_torch.encoder[0]
    channels = getattr(first, "conv1", first).in_channels // network_in_torch.stem**2
    guide = torch.rand(1, channels, checkpoint.config.size, checkpoint.config.size, generator=random) * 2 - 1
    psi = torch.rand(1, network_in_torch.coefficients, generator=random) - 0.5
    with torch.inference_mode():
        expected = network_in_torch(guide, psi).numpy()
    return float(np.abs(network(guide.numpy(), psi.numpy()) - expected).max() / max(1.0, float(np.abs(expected).max())))
