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

from detector.config import HEADS
from sfumato.errors import CheckpointError

LAYERS = "layers"
_OUTPUTS = ("evidence", "maps")
_ALL, _WEIGHT, _BIAS = "layers.all", "layer_heads.weight", "every_head.bias"
_OURS = ("layers.", "layer_heads.", "every_head.")  # what every name that is added here begins with
_STRAIGHT = {"Conv", "Add", "Pad"}  # what reads a linear bottleneck; all else bends it, or belongs to no such block
_ADVICE = "Export the detector again with this version."
Floats = NDArray[np.float64]


def with_layers(network: bytes) -> bytes:
    """The same network with its own two heads alone and the output "layers" (B, D, h, w): the channels of every stage,
    averaged down to the places of the last one. Raises CheckpointError for a network without maps.
    """
    tail = _Tail(network)
    tail.judge(tail.maps, tail.bias)
    tail.output(tail.straightened(tail.layers(), LAYERS))
    return tail.finished()


def with_heads(network: bytes, weight: Floats, bias: Floats) -> bytes:
    """The network with K more heads, in place of those it may have. weight: (K, D) for the output of `with_layers`,
    bias: (K,).

    Its "evidence" is then (B, 2 + K), its "maps" (B, 2 + K, h, w), the new heads behind its own; each logit is the mean
    of its map plus a constant, as before. Raises CheckpointError as `with_layers`.
    """
    tail = _Tail(network)
    maps = tail.maps
    if len(weight):
        values = tail.constant(_WEIGHT, weight[:, :, None, None])
        read = tail.node("Conv", [tail.layers(), values], "layer_heads.maps")
        maps = tail.node("Concat", [maps, read], "every_head.places", axis=1)
    tail.judge(maps, np.concatenate([tail.bias, bias]))
    return tail.finished()


def without_heads(network: bytes) -> bytes:
    """The network with its own two heads alone."""
    return with_heads(network, np.zeros((0, 0)), np.zeros(0)) if has_heads(network) else network


def has_heads(network: bytes) -> bool:
    """Whether an exported network has further heads."""
    return heads_of(network) is not None


def heads_of(network: bytes) -> tuple[Floats, Floats] | None:
    """(weight, bias) of a network's further heads, as `with_heads` takes them; None without any."""
    from onnx import numpy_helper

    known = {value.name: value for value in _read(network).graph.initializer}
    if _WEIGHT not in known or _BIAS not in known:
        return None
    weight, bias = (np.asarray(numpy_helper.to_array(known[name]), np.float64) for name in (_WEIGHT, _BIAS))
    return weight[:, :, 0, 0], bias[len(HEADS) :]


class _Tail:
    """The end of a network's graph, without its outputs, to build on. maps: name of what the two heads make of each
    place, of both looks (2B or B, 2, h, w); bias: (2,) what is added to their means.
    """

    def __init__(self, network: bytes) -> None:
        import onnx

        self._model = onnx.shape_inference.infer_shapes(_read(network))
        self._graph = self._model.graph
        outputs = [output.name for output in self._graph.output]
        if outputs != list(_OUTPUTS):
            raise CheckpointError(
                f"Further heads take a network with maps; this one gives {', '.join(outputs)[:100]}",
                "Use a backbone that ends in a plain mean over places, and no frequency branch.",
            )
        values = [*self._graph.value_info, *self._graph.input, *self._graph.output]
        self._shapes = {value.name: _sides(value) for value in values}
        self.bias = self._added()
        self._free_outputs()
        self._readers: dict[str, set[str]] = {}
        for node in self._graph.node:
            for name in node.input:
                self._readers.setdefault(name, set()).add(node.op_type)
        self._flips = any(node.op_type == "Concat" and self._of_pictures(node) for node in self._graph.node)
        last = next((node for node in reversed(self._graph.node) if node.op_type == "Conv"), None)
        if last is None or self._shape(last.output[0])[1:2] != [len(HEADS)] or not self._side(last.input[0]):
            raise CheckpointError("The network does not end in two heads over places", _ADVICE)
        self.maps, self._places = last.output[0], last.input[0]

    def layers(self) -> str:
        """The name of all stages' channels, averaged down to the places of the last: (2B or B, D, h, w)."""
        side = self._side(self._places)
        pooled = []
        for number, name in enumerate(self._stages() or [self._places]):
            if (larger := self._side(name)) > side:
                step = larger // side
                window = larger - (side - 1) * step  # windows overlap where the sides are no multiples
                kernel = {"kernel_shape": [window, window], "strides": [step, step]}
                name = self.node("AveragePool", [name], f"layers.{number}", **kernel)
            pooled.append(name)
        return self.node("Concat", pooled, _ALL, axis=1)

    def _stages(self) -> list[str]:
        """What leaves each stage: of every width of a linear bottleneck the last, in a MobileNet's blocks. Of a block
        with a residual branch that is the sum. Nothing where stages end in a bend, as in a ResNet's.
        """
        side = self._side(self._places)
        found: dict[int, str] = {}
        for node in self._graph.node:
            name = node.output[0]
            if name == self.maps:
                break
            readers = self._readers.get(name, set())
            straight = node.op_type in ("Conv", "Add") and readers <= _STRAIGHT and readers - {"Add"}
            if straight and self._side(name) >= side:
                found[self._shape(name)[1]] = name
        return [found[width] for width in sorted(found)]

    def judge(self, maps: str, bias: Floats) -> None:
        """Gives out what heads say. maps: (2B or B, H, h, w) of their places; bias: (H,)."""
        evidence, places = _OUTPUTS
        given = self.straightened(maps, places)
        mean = self.node("ReduceMean", [given, self.whole("every_head.axes", [2, 3])], "every_head.mean", keepdims=0)
        self.node("Add", [mean, self.constant(_BIAS, bias)], evidence)

    def straightened(self, name: str, to: str) -> str:
        """Both looks of each face averaged, the mirrored one turned back, under the name `to`: (B, C, h, w)."""
        if not self._flips:
            return self.node("Identity", [name], to)
        called = f"every_head.{to}"
        halves = [f"{called}.straight", f"{called}.mirrored"]
        self._add("Split", [name], halves, axis=0, num_outputs=2)
        ends = [self.whole(f"{called}.{part}", [value]) for part, value in
                (("start", -1), ("end", np.iinfo(np.int64).min), ("axis", 3), ("step", -1))]  # fmt: skip
        turned = self.node("Slice", [halves[1], *ends], f"{called}.turned")
        both = self.node("Add", [halves[0], turned], f"{called}.both")
        return self.node("Mul", [both, self.constant(f"{called}.half", np.array(0.5))], to)

    def _added(self) -> Floats:
        """What is added to the means of the maps: the heads' constants."""
        from onnx import numpy_helper

        known = {value.name: value for value in self._graph.initializer}
        read = [name for node in self._graph.node if _OUTPUTS[0] in node.output for name in node.input]
        for name in [_BIAS, *read]:
            if name in known:
                values = np.asarray(numpy_helper.to_array(known[name]), np.float64).reshape(-1)
                if len(values) >= len(HEADS):
                    return values[: len(HEADS)]
        raise CheckpointError("The network's heads have no constants", _ADVICE)

    def _free_outputs(self) -> None:
        """Takes away what was built here before, and gives other names to what makes the outputs."""
        if any(value.name == _BIAS for value in self._graph.initializer):
            built = [node for node in self._graph.node if any(_ours(name) or name in _OUTPUTS for name in node.output)]
            for node in built:
                self._graph.node.remove(node)
            for value in [value for value in self._graph.initializer if _ours(value.name)]:
                self._graph.initializer.remove(value)
            return
        other = {name: f"{name}.before" for name in _OUTPUTS}
        for node in self._graph.node:
            for names in (node.input, node.output):
                names[:] = [other.get(name, name) for name in names]
        self._shapes |= {later: self._shapes[name] for name, later in other.items()}

    def _of_pictures(self, node: Any) -> bool:
        """Whether a Concat puts pictures below one another: faces and their mirror images."""
        axis = next((part.i for part in node.attribute if part.name == "axis"), None)
        shape = self._shape(node.output[0])
        return axis == 0 and len(shape) == 4 and shape[1] == 3

    def _shape(self, name: str) -> list[int]:
        return self._shapes.get(name, [])

    def _side(self, name: str) -> int:
        """Of a square map of places; 0 for what is none."""
        shape = self._shape(name)
        return shape[2] if len(shape) == 4 and shape[1] and shape[2] == shape[3] else 0

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node. Returns the name of its output."""
        self._add(kind, inputs, [output], **attributes)
        return output

    def _add(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        from onnx import helper

        self._graph.node.append(helper.make_node(kind, inputs, outputs, **attributes))

    def constant(self, name: str, values: Floats) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def whole(self, name: str, values: list[int]) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def output(self, name: str) -> None:
        """Makes a value of four axes an output."""
        from onnx import TensorProto, helper

        self._graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4))

    def finished(self) -> bytes:
        """The network. What leads to no output any more goes. Raises CheckpointError for one that is then none, as of
        an old operator set, or with names of its own that are those given here.
        """
        import onnx

        for value in self._graph.output:
            for side in value.type.tensor_type.shape.dim:
                side.Clear()  # there may be more heads now
        wanted = {value.name for value in self._graph.output}
        kept = []
        for node in reversed(self._graph.node):
            if wanted & set(node.output):
                wanted |= set(node.input)
                kept.append(node)
        kept.reverse()
        used = [value for value in self._graph.initializer if value.name in wanted]
        del self._graph.node[:], self._graph.value_info[:], self._graph.initializer[:]
        self._graph.node.extend(kept)
        self._graph.initializer.extend(used)
        try:
            onnx.checker.check_model(self._model)
        except Exception as error:  # ONNX raises types of its own
            raise CheckpointError(f"The network takes no further heads: {_first_line(error)}", _ADVICE) from error
        return bytes(self._model.SerializeToString())


def _read(network: bytes) -> Any:
    import onnx

    try:
        return onnx.load_from_string(network)
    except Exception as error:  # protobuf's, which is no dependency of ours
        raise CheckpointError(f"The network is not ONNX: {_first_line(error)}", _ADVICE) from error


def _sides(value: Any) -> list[int]:
    """Of a tensor; those that are not fixed, as the batch's, are 0."""
    return [side.dim_value for side in value.type.tensor_type.shape.dim]


def _ours(name: str) -> bool:
    return name.startswith(_OURS)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
