"""All layers of a finished network read anew: heads beside its own two that see every stage, not the last alone.

In: an exported network (`detector.training.export`). Out: the same network with one more output, "layers", for learning
from; or with further heads, linear in it, in its outputs "evidence" and "maps". Nothing of the network changes, so what
it could do before it does as before. What tells an unknown generator shows in early layers, which the last ones have
unlearned for the fakes they were trained on (Ojha et al. 2023 read a frozen encoder for the same reason).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import CheckpointError

LAYERS = "layers"
_ALL, _WEIGHT, _BIAS = "layers.all", "layer_heads.weight", "every_head.bias"
_BENDS = {"Clip", "Relu", "HardSwish", "Sigmoid", "HardSigmoid", "Mul", "Gelu", "Elu", "LeakyRelu", "Erf"}
Floats = NDArray[np.float64]


def with_layers(network: bytes) -> bytes:
    """The same network with the output "layers" (B, D, h, w): the channels of every stage, averaged down to the places
    of the last one. Raises CheckpointError for a network without maps.
    """
    tail = _Tail(network)
    tail.output(LAYERS, tail.straightened(tail.layers()))
    return tail.finished()


def with_heads(network: bytes, weight: Floats, bias: Floats) -> bytes:
    """The network with K more heads, in place of those it may have. weight: (K, D) for the output of `with_layers`,
    bias: (K,).

    Its "evidence" is then (B, 2 + K), its "maps" (B, 2 + K, h, w), the new heads behind its own; each logit is the mean
    of its map plus a constant, as before. Raises CheckpointError as `with_layers`.
    """
    tail = _Tail(network)
    heads, width = weight.shape
    every = np.concatenate([tail.bias, bias])
    if tail.further:
        tail.exchange(_WEIGHT, weight.reshape(heads, width, 1, 1))
        tail.exchange(_BIAS, every)
        return tail.finished()
    read = tail.node(
        "Conv", [tail.layers(), tail.constant(_WEIGHT, weight.reshape(heads, width, 1, 1))], "layer_heads.maps"
    )
    maps = tail.straightened(tail.node("Concat", [tail.maps, read], "every_head.maps", axis=1))
    mean = tail.node("ReduceMean", [maps, tail.whole("every_head.axes", [2, 3])], "every_head.mean", keepdims=0)
    tail.replace("evidence", tail.node("Add", [mean, tail.constant(_BIAS, every)], "every_head.logits"))
    tail.replace("maps", maps)
    return tail.finished()


def has_heads(network: bytes) -> bool:
    """Whether an exported network has further heads."""
    import onnx

    return any(value.name == _WEIGHT for value in onnx.load_from_string(network).graph.initializer)


class _Tail:
    """The end of a network's graph, to build on. maps: name of what the two heads make of each place, of both looks
    (2B or B, 2, h, w); bias: (2,) what is added to their means.
    """

    def __init__(self, network: bytes) -> None:
        import onnx

        self._model = onnx.shape_inference.infer_shapes(onnx.load_from_string(network))
        self._graph = self._model.graph
        self._makers = {name: node for node in self._graph.node for name in node.output}
        self._readers: dict[str, list[str]] = {}
        for node in self._graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node.op_type)
        outputs = [output.name for output in self._graph.output]
        if outputs != ["evidence", "maps"]:
            raise CheckpointError(
                f"Further heads take a network with maps; this one gives {', '.join(outputs)}",
                "Use a backbone that ends in a plain mean over places, and no frequency branch.",
            )
        looks = (node.output[0] for node in self._graph.node if node.op_type == "Concat")
        self._flips = any(self._shape(name)[1:2] == [3] for name in looks)
        self.further = any(value.name == _WEIGHT for value in self._graph.initializer)
        last = [node for node in self._graph.node if node.op_type == "Conv" and _WEIGHT not in node.input][-1]
        self.maps, self._places = last.output[0], last.input[0]
        self.bias = self._added()

    def layers(self) -> str:
        """The name of all stages' channels, averaged down to the places of the last: (2B or B, D, h, w)."""
        if self.further:
            return _ALL
        stages = self._stages() or [self._places]
        side = self._shape(self._places)[2]
        pooled = []
        for number, name in enumerate(stages):
            by = self._shape(name)[2] // side
            if by > 1:
                name = self.node("AveragePool", [name], f"layers.{number}", kernel_shape=[by, by], strides=[by, by])
            pooled.append(name)
        return str(self.node("Concat", pooled, _ALL, axis=1))

    def _stages(self) -> list[str]:
        """What leaves each stage: of every width of a linear bottleneck the last, in a MobileNet's blocks."""
        side = self._shape(self._places)[2]
        found: dict[int, str] = {}
        nodes = list(self._graph.node)
        first = next(place for place, node in enumerate(nodes) if node.op_type == "Conv")
        for node in nodes[first + 1 :]:
            name = node.output[0]
            if name == self.maps:
                break
            shape = self._shape(name)
            plain = node.op_type in ("Conv", "Add") and not _BENDS & set(self._readers.get(name, ["Relu"]))
            if plain and len(shape) == 4 and shape[2] and shape[2] % side == 0:
                found[shape[1]] = name
        return [found[width] for width in sorted(found)]

    def straightened(self, name: str) -> str:
        """Both looks of each face averaged, the mirrored one turned back: (B, C, h, w)."""
        if not self._flips:
            return name
        halves = self.node("Split", [name], [f"{name}.straight", f"{name}.mirrored"], axis=0, num_outputs=2)
        ends = [self.whole(f"{name}.{part}", [value]) for part, value in
                (("start", -1), ("end", np.iinfo(np.int64).min), ("axis", 3), ("step", -1))]  # fmt: skip
        turned = self.node("Slice", [halves[1], *ends], f"{name}.turned")
        both = self.node("Add", [halves[0], turned], f"{name}.both")
        return str(self.node("Mul", [both, self.constant(f"{name}.half", np.array(0.5))], f"{name}.mean"))

    def _added(self) -> Floats:
        """What is added to the means of the maps: the heads' constants."""
        from onnx import numpy_helper

        known = {value.name: value for value in self._graph.initializer}
        for name in [*self._makers["evidence"].input, _BIAS]:
            if name in known:
                return np.asarray(numpy_helper.to_array(known[name]), np.float64).reshape(-1)[:2]
        raise CheckpointError("The network's heads have no constants", "Export it again with this version.")

    def _shape(self, name: str) -> list[int]:
        """Sides that are not fixed, as the batch's, are 0."""
        if not hasattr(self, "_shapes"):
            values = [*self._graph.value_info, *self._graph.input, *self._graph.output]
            self._shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
        return self._shapes.get(name, [])

    def node(self, kind: str, inputs: list[str], output: str | list[str], **attributes: Any) -> Any:
        """Adds a node. Returns the name of its output, or the names."""
        from onnx import helper

        outputs = [output] if isinstance(output, str) else output
        self._graph.node.append(helper.make_node(kind, inputs, outputs, **attributes))
        return output

    def constant(self, name: str, values: Floats) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def exchange(self, name: str, values: Floats) -> None:
        """Other values for a constant."""
        from onnx import numpy_helper

        known = next(value for value in self._graph.initializer if value.name == name)
        known.CopyFrom(numpy_helper.from_array(np.asarray(values, np.float32), name))

    def whole(self, name: str, values: list[int]) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def output(self, name: str, of: str) -> None:
        """Adds the output `name`, of four axes."""
        from onnx import TensorProto, helper

        self.node("Identity", [of], name)
        self._graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4))

    def replace(self, name: str, by: str) -> None:
        """Gives another tensor out under this name."""
        for node in self._graph.node:
            for which, made in enumerate(node.output):
                if made == name:
                    node.output[which] = f"{name}.before"
            for which, read in enumerate(node.input):
                if read == name:
                    node.input[which] = f"{name}.before"
        value = next(value for value in self._graph.output if value.name == name)
        for side in value.type.tensor_type.shape.dim:
            side.Clear()  # it holds more heads now
        self.node("Identity", [by], name)

    def finished(self) -> bytes:
        """The network. What leads to no output any more goes."""
        import onnx

        wanted = {value.name for value in self._graph.output}
        kept = []
        for node in reversed(self._graph.node):
            if wanted & set(node.output):
                wanted |= set(node.input)
                kept.append(node)
        kept.reverse()
        del self._graph.node[:], self._graph.value_info[:]
        self._graph.node.extend(kept)
        used = [value for value in self._graph.initializer if value.name in wanted]
        del self._graph.initializer[:]
        self._graph.initializer.extend(used)
        onnx.checker.check_model(self._model)
        return bytes(self._model.SerializeToString())
