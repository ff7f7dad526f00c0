"""A folded network as ONNX or OpenVINO IR. A plan in, bytes or files out, with what must be known to use them in their metadata.

The graph is written node by node: no tracing, no exporter to install, 30 ms, and nothing in it but the network. What leaves as a file has
been read back, run, and found equal to the plan in torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from generator.folding import Plan, Step
from sfumato.errors import CheckpointError

FORMAT = "sfumato-network-1"
OPSET = 18


def to_onnx(plan: Plan, facts: Mapping[str, Any] | None = None) -> bytes:
    """The ONNX model: input "guide" (1, n, n, inputs), output "head" (1, n, n, outputs), float32, channels last. `facts` go into its metadata."""
    from onnx import TensorProto, helper

    graph = _Graph()
    graph.node("Transpose", ["guide"], "x", perm=[0, 3, 1, 2])
    names = {"guide": "x"}
    for step in plan.steps:
        names[step.output] = graph.step(step, [names[name] for name in step.inputs])
    graph.node("Transpose", [names[plan.steps[-1].output]], "head", perm=[0, 2, 3, 1])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, plan.side, plan.side, channels])
        for name, channels in (("guide", plan.inputs), ("head", plan.outputs))
    ]
    made = helper.make_graph(graph.nodes, "generator", ends[:1], ends[1:], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, producer_name="sfumato")
    helper.set_model_props(model, {name: value if isinstance(value, str) else json.dumps(value) for name, value in (facts or {}).items()})
    written: bytes = model.SerializeToString()
    return written


class _Graph:
    """Nodes and constants of an ONNX graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def step(self, step: Step, x: list[str]) -> str:
        """Adds the nodes of `step` on the values `x`; returns its output's name."""
        out, given = step.output, [*x, *(self.constant(f"{step.output}.{i}", array) for i, array in enumerate(step.arrays))]
        match step.kind:
            case "conv":
                kernel = step.arrays[0].shape[-1]
                return self.node("Conv", given, out, pads=[(kernel - 1) // 2] * 4, strides=[step.stride] * 2, kernel_shape=[kernel] * 2)
            case "upconv":
                return self.node("ConvTranspose", given, out, pads=[1] * 4, strides=[2, 2], kernel_shape=[4, 4])
            case "norm":
                return self.node("InstanceNormalization", given, out, epsilon=1e-5)
            case "leaky":
                return self.node("LeakyRelu", given, out, alpha=0.2)
            case "concat":
                return self.node("Concat", given, out, axis=1)
            case "pool":
                return self.node("AveragePool", given, out, kernel_shape=[2, 2], strides=[2, 2])
            case "up":
                size = self.constant(f"{out}.size", np.array([1, 1, 2, 2], np.float32))
                return self.node("Resize", [*x, "", size], out, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
            case "attention":
                return self._attention(step, x[0])
            case _:
                return self.node({"relu": "Relu", "tanh": "Tanh", "add": "Add"}[step.kind], given, out)

    def _attention(self, step: Step, x: str) -> str:
        out = step.output
        query, key, value, output, gain = step.arrays
        flat = self.node("Reshape", [x, self.constant(f"{out}.flat", np.array([1, 0, -1]))], f"{out}.x")  # (1, C, n n)
        parts = {"query": query, "key": key, "value": value}
        q, k, v = (
            self.node("MatMul", [self.constant(f"{out}.{name}", weight), flat], f"{out}.{name}.y") for name, weight in parts.items()
        )
        place = self.node("Transpose", [q], f"{out}.q", perm=[0, 2, 1])  # (1, n n, c)
        seen = self.node("Softmax", [self.node("MatMul", [place, k], f"{out}.qk")], f"{out}.share", axis=-1)  # (1, n n, n n)
        back = self.node("Transpose", [seen], f"{out}.t", perm=[0, 2, 1])
        mixed = self.node("MatMul", [v, back], f"{out}.v")  # (1, c, n n)
        added = self.node("MatMul", [self.constant(f"{out}.output", gain * output), mixed], f"{out}.o")
        shape = self.node("Shape", [x], f"{out}.shape")
        return self.node("Add", [x, self.node("Reshape", [added, shape], f"{out}.r")], out)
