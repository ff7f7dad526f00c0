"""A folded network as ONNX. A plan in, bytes out.

The graph is written node by node: no tracing, no exporter to install, 30 ms, and nothing in it but the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from generator.compiler.folding import Plan, Step

OPSET = 18
_WEIGHT_LEVELS = 64  # a rounded weight's largest number


def to_onnx(plan: Plan, facts: Mapping[str, Any] | None = None, stem: int = 0, coefficients: int = 0) -> bytes:
    """The ONNX model, float32, batch 1: input "guide" (1, n, n, inputs), output "head" (1, n, n, outputs), channels
    last.

    With `stem` both are whole pictures instead, (1, channels, n stem, n stem). With `coefficients` there is a second
    input "psi" (1, coefficients), for a plan folded without one. `facts` go into the metadata.
    """
    from onnx import helper

    graph = _Graph()
    names = {
        "guide": graph.taken_apart(plan, stem) if stem else graph.node("Transpose", ["guide"], "x", perm=[0, 3, 1, 2])
    }
    for step in plan.steps:
        names[step.output] = graph.step(step, [names[name] for name in step.inputs])
    answer = names[plan.steps[-1].output]
    if stem:
        graph.node("DepthToSpace", [answer], "head", blocksize=stem, mode="CRD")
    else:
        graph.node("Transpose", [answer], "head", perm=[0, 2, 3, 1])
    side = plan.side * max(stem, 1)
    shapes = [
        [1, channels // stem**2, side, side] if stem else [1, side, side, channels]
        for channels in (plan.inputs, plan.outputs)
    ]  # fmt: skip
    ends = [
        helper.make_tensor_value_info("guide", 1, shapes[0]),
        helper.make_tensor_value_info("head", 1, shapes[1]),
    ]  # 1: float32
    inputs = [*ends[:1], *([helper.make_tensor_value_info("psi", 1, [1, coefficients])] if coefficients else [])]
    made = helper.make_graph(graph.nodes, "generator", inputs, ends[1:], graph.constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, producer_name="sfumato"
    )
    helper.set_model_props(model, {name: str(value) for name, value in (facts or {}).items()})
    written: bytes = model.SerializeToString()
    return written


class _Graph:
    """Nodes and constants of an ONNX graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._rounded: dict[str, str] = {}

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def taken_apart(self, plan: Plan, stem: int) -> str:
        """The picture "guide" as torch's `pixel_unshuffle` has it, which ONNX's SpaceToDepth has not."""
        n, channels = plan.side, plan.inputs // stem**2
        apart = self.node(
            "Reshape", ["guide", self.constant("apart", np.array([1, channels, n, stem, n, stem]))], "guide.apart"
        )
        turned = self.node("Transpose", [apart], "guide.turned", perm=[0, 1, 3, 5, 2, 4])
        return self.node("Reshape", [turned, self.constant("together", np.array([1, plan.inputs, n, n]))], "x")

    def part_of_psi(self, start: int, stop: int) -> str:
        """Numbers `start` to `stop` of "psi", (stop - start,)."""
        name = f"psi.{start}"
        ends = [
            self.constant(f"{name}.{word}", np.array([value]))
            for word, value in (("from", start), ("to", stop), ("axis", 1))
        ]
        cut = self.node("Slice", ["psi", *ends], f"{name}.cut")
        return self.node("Reshape", [cut, self.constant(f"{name}.flat", np.array([-1]))], name)

    def step(self, step: Step, x: list[str]) -> str:
        """Adds the nodes of `step` on the values `x`; returns its output's name."""
        out, arrays = step.output, step.arrays
        if step.reach is not None:
            x, arrays = [self.rounded(x[0], step.reach), self.rounded_weight(step)], arrays[1:]
        given = [*x, *(self.constant(f"{out}.{i}", array) for i, array in enumerate(arrays))]
        match step.kind:
            case "conv":
                kernel = step.arrays[0].shape[-1]
                return self.node(
                    "Conv",
                    given,
                    out,
                    pads=[(kernel - 1) // 2] * 4,
                    strides=[step.stride] * 2,
                    kernel_shape=[kernel] * 2,
                )
            case "upconv":
                return self.node("ConvTranspose", given, out, pads=[1] * 4, strides=[2, 2], kernel_shape=[4, 4])
            case "norm" if step.place is not None:
                start, channels = step.place
                one = self.constant(f"{out}.one", np.ones(1, np.float32))
                scale = self.node("Add", [self.part_of_psi(start, start + channels), one], f"{out}.scale")
                shift = self.part_of_psi(start + channels, start + 2 * channels)
                return self.node("InstanceNormalization", [*x, scale, shift], out, epsilon=1e-5)
            case "norm":
                return self.node("InstanceNormalization", given, out, epsilon=1e-5)
            case "leaky":
                return self.node("LeakyRelu", given, out, alpha=0.2)
            case "pool":
                return self.node("AveragePool", given, out, kernel_shape=[2, 2], strides=[2, 2])
            case "up":
                size = self.constant(f"{out}.size", np.array([1, 1, 2, 2], np.float32))
                corners = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
                return self.node("Resize", [*x, "", size], out, mode="nearest", **corners)
            case "attention":
                return self._attention(step, x[0])
            case _:
                return self.node({"relu": "Relu", "tanh": "Tanh", "add": "Add"}[step.kind], given, out)

    def rounded(self, x: str, reach: tuple[float, float]) -> str:
        """`x` in 8 bits and back: before a convolution the runtime takes both, and the weight's, as the order to
        multiply integers.
        """
        if x not in self._rounded:
            low, high = reach
            kind: Any = np.uint8 if low >= 0 else np.int8
            levels = [
                self.constant(f"{x}.step", np.array(high / np.iinfo(kind).max, np.float32)),
                self.constant(f"{x}.zero", np.array(0, kind)),
            ]
            near = self.node("QuantizeLinear", [x, *levels], f"{x}.near")
            self._rounded[x] = self.node("DequantizeLinear", [near, *levels], f"{x}.rounded")
        return self._rounded[x]

    def rounded_weight(self, step: Step) -> str:
        """A convolution's weight in whole numbers up to 64, with a step for each output.

        One bit fewer than there are: processors without VNNI add two products in 16 bits, where 2 x 255 x 64 just fits
        and 2 x 255 x 127 does not.
        """
        axis = 0 if step.kind == "conv" else 1  # of the outputs
        weight = np.moveaxis(step.arrays[0], axis, -1)  # (.., .., .., O)
        size = np.maximum(np.abs(weight).max(axis=(0, 1, 2)), np.float32(1e-12)) / np.float32(_WEIGHT_LEVELS)
        near = np.moveaxis(np.rint(weight / size), -1, axis).astype(np.int8)
        parts = {"near": near, "step": size, "zero": np.zeros(len(size), np.int8)}
        names = [self.constant(f"{step.output}.{name}", part) for name, part in parts.items()]
        return self.node("DequantizeLinear", names, f"{step.output}.weight", axis=axis)

    def _attention(self, step: Step, x: str) -> str:
        out = step.output
        query, key, value, output, gain = step.arrays
        flat = self.node("Reshape", [x, self.constant(f"{out}.flat", np.array([1, 0, -1]))], f"{out}.x")  # (1, C, n n)
        parts = {"query": query, "key": key, "value": value}
        q, k, v = (
            self.node("MatMul", [self.constant(f"{out}.{name}", weight), flat], f"{out}.{name}.y")
            for name, weight in parts.items()
        )
        place = self.node("Transpose", [q], f"{out}.q", perm=[0, 2, 1])  # (1, n n, c)
        seen = self.node(
            "Softmax", [self.node("MatMul", [place, k], f"{out}.qk")], f"{out}.share", axis=-1
        )  # (1, n n, n n)
        back = self.node("Transpose", [seen], f"{out}.t", perm=[0, 2, 1])
        mixed = self.node("MatMul", [v, back], f"{out}.v")  # (1, c, n n)
        added = self.node("MatMul", [self.constant(f"{out}.output", gain * output), mixed], f"{out}.o")
        shape = self.node("Shape", [x], f"{out}.shape")
        return self.node("Add", [x, self.node("Reshape", [added, shape], f"{out}.r")], out)
