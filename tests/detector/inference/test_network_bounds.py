"""Networks of strangers: what could run for ever, reach other files or fill the memory is refused before it runs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from detector.inference.bundle import NETWORK, RECORD, load_shipped
from sfumato.errors import CheckpointError
from tests.detector_fixtures import TINY

SIZE = TINY.model.size
FLOAT = TensorProto.FLOAT


def model(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray] | None = None, **changes: object) -> bytes:
    """An ONNX network from "images" (b, 3, SIZE, SIZE) to "evidence" (b, 2)."""
    taken = changes.get("taken", ["b", 3, SIZE, SIZE])
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("images", changes.get("kind", FLOAT), taken)],
        [helper.make_tensor_value_info(changes.get("given", "evidence"), FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def honest(**changes: object) -> bytes:
    """The mean of a picture's colours, of which two are given."""
    given = str(changes.get("given", "evidence"))
    mean = helper.make_node("ReduceMean", ["images"], ["mean"], axes=[2, 3], keepdims=0)
    return model(
        [mean, helper.make_node("Gather", ["mean", "two"], [given], axis=1)], {"two": np.array([0, 1])}, **changes
    )


def loop() -> bytes:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["state"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", FLOAT, None),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("next", FLOAT, None)],
    )  # fmt: skip
    node = helper.make_node("Loop", ["turns", "always", "images"], ["evidence"], body=body)
    return model([node], {"turns": np.array(2**62), "always": np.array(True)})


def large_value() -> bytes:
    small = helper.make_node("ReduceMean", ["images"], ["small"], axes=[2, 3])
    wide = helper.make_node("Expand", ["small", "shape"], ["wide"])
    mean = helper.make_node("ReduceMean", ["wide"], ["evidence"], axes=[2, 3], keepdims=0)
    return model([small, wide, mean], {"shape": np.array([1, 1, 2**14, 2**14])})


def unknown_value() -> bytes:
    """As large as its picture says, which nobody knows before it comes."""
    total = helper.make_node("ReduceSum", ["images"], ["total"], keepdims=0)
    number = helper.make_node("Cast", ["total"], ["number"], to=TensorProto.INT64)
    shape = helper.make_node("Reshape", ["number", "one"], ["shape"])
    return model(
        [total, number, shape, helper.make_node("ConstantOfShape", ["shape"], ["evidence"])], {"one": np.array([1])}
    )


def elsewhere() -> bytes:
    net = onnx.load_model_from_string(honest())
    weight = net.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/passwd")
    return net.SerializeToString()


def many_nodes() -> bytes:
    names = ["images", *(f"v{i}" for i in range(10_001))]
    return model([helper.make_node("Relu", [a], [b]) for a, b in pairwise(names)])


def much_work() -> bytes:
    """A hundred layers of a thousand channels."""
    names = ["images", *(f"v{i}" for i in range(120))]
    first = {"w0": np.zeros((1024, 3, 1, 1), np.float32), "w": np.zeros((1024, 1024, 1, 1), np.float32)}
    nodes = [helper.make_node("Conv", [a, "w0" if a == "images" else "w"], [b]) for a, b in pairwise(names)]
    return model([*nodes, helper.make_node("ReduceMean", [names[-1]], ["evidence"], axes=[2, 3], keepdims=0)], first)


def foreign_part() -> bytes:
    return model([helper.make_node("Anything", ["images"], ["evidence"], domain="com.example")])


@pytest.fixture
def folder(shipped_detector: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    """A detector's folder with another network, its record made to fit."""

    def made(network: bytes) -> Path:
        place = shutil.copytree(shipped_detector, tmp_path / "detector")
        record = json.loads((place / RECORD).read_text())
        record["network"]["sha256"] = hashlib.sha256(network).hexdigest()
        (place / RECORD).write_text(json.dumps(record))
        (place / NETWORK).write_bytes(network)
        return place

    return made


def test_an_honest_network_is_taken(folder: Callable[[bytes], Path]) -> None:
    faces = [np.full((SIZE, SIZE, 3), 255, np.uint8)]
    assert load_shipped(folder(honest())).scorer(faces) == pytest.approx(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (loop, "loop or a branch"),
        (large_value, "numbers in one value"),
        (unknown_value, "cannot be told beforehand"),
        (elsewhere, "other files"),
        (many_nodes, "10001 nodes"),
        (much_work, "multiply-adds"),
        (foreign_part, "com.example.Anything"),
        (lambda: b"no network", "not ONNX"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_asks_for_too_much_is_refused(
    folder: Callable[[bytes], Path], network: Callable[[], bytes], said: str
) -> None:
    with pytest.raises(CheckpointError, match=said) as refused:
        load_shipped(folder(network()))
    assert "sfumato" in refused.value.advice


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"taken": ["b", 3, SIZE // 2, SIZE]}, "not \\(b, 3, 48, 48\\)"),
        ({"taken": ["b", 1, SIZE, SIZE]}, "not \\(b, 3, 48, 48\\)"),
        ({"taken": ["b", 3, SIZE]}, "does not take float32 pictures"),
        ({"given": "logits"}, "no output called evidence"),
    ],
    ids=["size", "colours", "rank", "output"],
)
def test_a_network_for_something_else_is_refused(
    folder: Callable[[bytes], Path], changes: dict[str, object], said: str
) -> None:
    with pytest.raises(CheckpointError, match=said):
        load_shipped(folder(honest(**changes)))


def test_a_network_with_other_numbers_is_refused(folder: Callable[[bytes], Path]) -> None:
    mean = helper.make_node("ReduceMean", ["images"], ["evidence"], axes=[2, 3], keepdims=0)
    with pytest.raises(CheckpointError, match="not 2 numbers"):
        load_shipped(folder(model([mean])))


@pytest.mark.parametrize("size", [0, -3, 10**9, "large", None])
def test_a_record_with_an_absurd_size_is_refused(folder: Callable[[bytes], Path], size: object) -> None:
    place = folder(honest())
    record = json.loads((place / RECORD).read_text())
    record["config"]["model"]["size"] = size
    (place / RECORD).write_text(json.dumps(record))
    with pytest.raises(CheckpointError):
        load_shipped(place)


def test_openvino_networks_are_held_to_the_same(folder: Callable[[bytes], Path], tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    from detector.inference.network_bounds import hold_network

    parts = {}
    for name, network in (("honest", honest()), ("loop", loop()), ("large", large_value())):
        openvino.save_model(openvino.Core().read_model(network), tmp_path / f"{name}.xml")
        parts[name] = ((tmp_path / f"{name}.xml").read_bytes(), (tmp_path / f"{name}.bin").read_bytes())
    hold_network(*parts["honest"], SIZE)
    with pytest.raises(CheckpointError, match="loop or a branch"):
        hold_network(*parts["loop"], SIZE)
    with pytest.raises(CheckpointError, match="numbers in one value"):
        hold_network(*parts["large"], SIZE)
    with pytest.raises(CheckpointError, match="not \\(b, 3, 64, 64\\)"):
        hold_network(*parts["honest"], 64)
