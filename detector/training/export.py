"""Export: the trained net to one ONNX file that ONNX Runtime gives the same logits for, under the size budget.

In: a `DetectorNet`. Out: the bytes of an ONNX model, input "face" (B, 3, S, S) float32 in [-1, 1], outputs "evidence"
(B, 2) and, where the backbone ends in a plain mean over places, "maps" (B, 2, h, w): what each place adds to the two
(`DetectorNet.with_maps`). Weights are stored in fp16 and widened when the file is loaded; the arithmetic stays fp32.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from detector.inference.backends import OnnxScorer
from detector.models.net import DetectorNet
from sfumato.errors import CheckpointError
from sfumato.media.tensors import to_tensor

SIZE_BUDGET = 25_000_000  # bytes: it ships inside the package
# of the largest logit (at least 1) on seeded pictures: rounding the weights to fp16 after folding costs up to .005
TOLERANCE = 0.02
OPSET = 18
_SMALLEST = 256  # numbers; below it (biases, constants) halving saves nothing


def export_onnx(net: DetectorNet) -> bytes:
    """The net as ONNX: with 16-bit weights where the logits stay within TOLERANCE, with its own otherwise.

    Raises CheckpointError if the file is over the budget or its logits differ from the net's by more than TOLERANCE.
    """
    net = net.eval()
    size = net.config.size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detector.onnx"
        _export(net, size, path)
        whole = without_traces(path.read_bytes())
    halved = halve_weights(whole)
    network = halved if largest_difference(net, halved) <= TOLERANCE else whole
    if len(network) > SIZE_BUDGET:
        megabytes = f"{len(network) / 1e6:.1f} MB, more than {SIZE_BUDGET / 1e6:.0f} MB"
        raise CheckpointError(f"The exported detector is {megabytes}", "Choose a smaller model.backbone.")
    difference = largest_difference(net, network)
    if not difference <= TOLERANCE:
        raise CheckpointError(
            f"The exported detector's logits differ by {difference:.1%} of the largest",
            "Choose another model.backbone.",
        )
    return network


def largest_difference(net: DetectorNet, network: bytes, count: int = 4) -> float:
    """The largest difference between the logits of net and export on `count` seeded pictures, as a share of the largest
    (at least 1).
    """
    rng = np.random.default_rng(0)
    size = net.config.size
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    images = [
        np.asarray(np.kron(c, np.ones((size // 8 + 1, size // 8 + 1, 1), np.uint8))[:size, :size]) for c in coarse
    ]
    with torch.no_grad():
        expected = net(to_tensor(images)).numpy()
    return float(np.abs(OnnxScorer(network)(images) - expected).max() / max(1.0, float(np.abs(expected).max())))


def without_traces(network: bytes) -> bytes:
    """The same model without what the exporter notes about the code it came from: paths of the exporting machine."""
    import onnx

    model = onnx.load_from_string(network)
    parts = [model.graph, *model.functions]
    for part in [
        model,
        *parts,
        *(node for p in parts for node in p.node),
        *(value for p in parts for value in p.value_info),
    ]:
        part.doc_string = ""
        del part.metadata_props[:]
    stripped: bytes = model.SerializeToString()
    return stripped


def halve_weights(network: bytes) -> bytes:
    """The same ONNX model with its large fp32 weights as fp16, each behind a Cast that loading folds away."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(network)
    kept: list[Any] = []
    casts: list[Any] = []
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if weights.data_type != TensorProto.FLOAT or values.size < _SMALLEST or np.abs(values).max() > 60_000:
            kept.append(weights)
            continue
        kept.append(numpy_helper.from_array(values.astype(np.float16), f"{weights.name}.half"))
        casts.append(helper.make_node("Cast", [f"{weights.name}.half"], [weights.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    model.doc_string = ""
    return bytes(model.SerializeToString())


class _WithMaps(nn.Module):
    """The net with its maps as a second output."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor]:
        return self.net.with_maps(face)


def _export(net: DetectorNet, size: int, path: Path) -> None:
    """One self-contained file. The exporter talks; what it says is of no use to the caller."""
    example = torch.zeros(2, 3, size, size)
    batch = torch.export.Dim("batch", min=1, max=4096)
    with_maps = net.has_maps()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _WithMaps(net).eval() if with_maps else net, (example,), str(path), input_names=["face"],
            output_names=["evidence", "maps"] if with_maps else ["evidence"],
            dynamic_shapes=({0: batch},), opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
