"""What a stranger's network may ask for: looked at before a runtime sees it. In: an ONNX network, or OpenVINO's, and
the side of its crops. Out: nothing, or CheckpointError.

A network for faces is a straight line of layers. What could run for ever (loops, branches, functions of its own), reach
other files (weights outside of it) or make gigabytes out of nothing (a value of a billion numbers) is refused. Shapes
are worked out for a batch of crops, by ONNX or by OpenVINO.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sfumato.errors import CheckpointError, MissingPartError, install_extra
from sfumato.execution.openvino_runtime import openvino_runtime
from sfumato.limits import NETWORK, NODES, VALUE, WORK

BATCH = 16  # crops at once, as `Scorer` runs them
_ADVICE = "Take a detector made by `sfumato train detector` or `sfumato export detector`."
_GROWING = frozenset(  # whose outputs may be larger than all that goes in
    ["Expand", "Tile", "ConstantOfShape", "Range", "Resize", "Upsample", "Pad", "OneHot", "EyeLike", "Einsum", "MatMul",
     "Gemm", "Conv", "ConvTranspose", "CenterCropPad", "RandomNormal", "RandomUniform", "MaxUnpool", "Col2Im", "Unique"]
)  # fmt: skip
_FOREIGN = ("Loop", "TensorIterator", "If")  # OpenVINO's layers that hold networks of their own
_Shape = list[int] | None


def hold_network(network: bytes, weights: bytes, size: int) -> None:
    """Raises CheckpointError for a network that is over a limit, or that does not take crops of `size`; `weights`: of
    OpenVINO's network, empty for ONNX. MissingPartError where OpenVINO's is given and OpenVINO is missing.
    """
    NETWORK.hold("The detector's network", len(network) + len(weights), CheckpointError, _ADVICE)
    if weights:
        _hold_openvino(network, weights, size)
    else:
        _hold_onnx(network, size)


def _hold_onnx(network: bytes, size: int) -> None:
    import onnx

    try:
        model = onnx.load_model_from_string(network)
    except Exception as error:  # protobuf's, which is no dependency of ours
        raise _refused("it is not ONNX") from error
    graph = model.graph
    NODES.hold("The detector's network", len(graph.node), CheckpointError, _ADVICE)
    if model.functions:
        raise _refused("it brings functions of its own")
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise _refused(f"it needs {node.domain[:60]}.{node.op_type[:60]}, which is not of ONNX itself")
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                raise _refused(f"it holds a loop or a branch ({node.op_type[:60]})")
            if attribute.HasField("t") and attribute.t.external_data:
                raise _refused("its weights lie in other files")
    if any(weight.external_data for weight in graph.initializer):
        raise _refused("its weights lie in other files")
    known: dict[str, _Shape] = {weight.name: list(weight.dims) for weight in graph.initializer}
    inputs = [each for each in graph.input if each.name not in known]
    if len(inputs) != 1:
        raise _refused(f"it has {len(inputs)} inputs instead of one")
    _take_crops(inputs[0].type.tensor_type, size)
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except Exception as error:  # ONNX raises types of its own
        raise _refused(f"its layers do not fit each other at {size} px: {str(error).splitlines()[0][:120]}") from error
    for value in [*inferred.value_info, *inferred.input, *inferred.output]:
        known[value.name] = _shape(value.type.tensor_type)
    _hold_values(graph.node, known)


def _take_crops(kind: Any, size: int) -> None:
    """Fixes the shape of the input at a batch of crops. Raises CheckpointError for one that takes something else."""
    wanted = [BATCH, 3, size, size]
    if kind.elem_type != 1 or len(kind.shape.dim) != 4:
        raise _refused(f"it does not take float32 pictures (b, 3, {size}, {size})")
    for place, (dimension, side) in enumerate(zip(kind.shape.dim, wanted, strict=True)):
        if place and dimension.dim_value not in (0, side):
            raise _refused(
                f"it takes {[d.dim_value or d.dim_param for d in kind.shape.dim]}, not (b, 3, {size}, {size})"
            )
        if dimension.dim_value == 0:
            dimension.dim_value = side


def _shape(kind: Any) -> _Shape:
    if not kind.HasField("shape"):
        return None
    sides = [dimension.dim_value if dimension.HasField("dim_value") else -1 for dimension in kind.shape.dim]
    return sides if min(sides, default=0) >= 0 else None


def _hold_values(nodes: Any, shapes: Mapping[str, _Shape]) -> None:
    """Every value, and all the work together."""
    work = 0
    for node in nodes:
        for name in filter(None, node.output):
            shape = shapes.get(name)
            if shape is None:
                if node.op_type in _GROWING:
                    raise _refused(f"how much it makes cannot be told beforehand ({node.op_type})")
                continue
            VALUE.hold("The detector's network", math.prod(shape), CheckpointError, _ADVICE)
            work += math.prod(shape) * _depth(node.op_type, [shapes.get(taken) for taken in node.input])
    WORK.hold("The detector's network", work // BATCH, CheckpointError, _ADVICE)


def _depth(kind: str, inputs: list[_Shape]) -> int:
    """Multiply-adds for one number of the output."""
    if kind in ("Conv", "ConvTranspose") and len(inputs) > 1 and inputs[1]:
        return max(1, math.prod(inputs[1][1:]))
    if kind in ("MatMul", "Gemm") and inputs and inputs[0]:
        return max(1, inputs[0][-1])
    return 1


def _hold_openvino(network: bytes, weights: bytes, size: int) -> None:
    if b"<!" in network:  # OpenVINO writes neither documents types nor comments
        raise _refused("its XML holds more than layers")
    try:
        openvino = openvino_runtime()
    except ModuleNotFoundError as error:
        raise MissingPartError("This detector needs OpenVINO, which is not installed", install_extra("fast")) from error
    NODES.hold("The detector's network", network.count(b"<layer "), CheckpointError, _ADVICE)
    try:
        model = openvino.Core().read_model(network, weights)
        fixed = [None if side.is_dynamic else side.get_length() for side in model.input().get_partial_shape()]
        if len(fixed) != 4 or any(
            side not in (None, meant) for side, meant in zip(fixed[1:], [3, size, size], strict=True)
        ):
            raise _refused(f"it takes {fixed}, not (b, 3, {size}, {size})")
        model.reshape([fixed[0] or BATCH, 3, size, size])
        layers = list(_layers(model))
    except CheckpointError:
        raise
    except Exception as error:  # OpenVINO raises types of its own
        raise _refused(f"OpenVINO cannot read it: {str(error).splitlines()[0][:120]}") from error
    for kind, shape in layers:
        if kind in _FOREIGN:
            raise _refused(f"it holds a loop or a branch ({kind})")
        if shape is not None:
            VALUE.hold("The detector's network", math.prod(shape), CheckpointError, _ADVICE)


def _layers(model: Any) -> Iterator[tuple[str, _Shape]]:
    for layer in model.get_ordered_ops():
        for output in layer.outputs():
            sides = output.get_partial_shape()
            yield layer.get_type_name(), None if sides.is_dynamic else list(sides.to_shape())


def _refused(why: str) -> CheckpointError:
    return CheckpointError(f"The detector's network is not run: {why}", _ADVICE)
