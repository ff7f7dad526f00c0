"""Further heads on all layers: what they read, that all else stays as it was, and networks that take none."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from detector.inference.backends import OnnxScorer, load_scorer
from detector.inference.network_bounds import hold_network
from detector.training.export import halve_weights
from detector.training.layers import has_heads, heads_of, with_heads, with_layers, without_heads
from sfumato.errors import CheckpointError
from tests.detector_fixtures import bottleneck_network, face_picture

STAGES, WIDTH = ("one", "two", "three"), 6 + 8 + 10
RNG = np.random.default_rng(1)
WEIGHT, BIAS = RNG.normal(size=(2, WIDTH)), RNG.normal(size=2)
KINDS = {
    "mirrored": bottleneck_network(),
    "as it is": bottleneck_network(mirrored=False),
    "odd": bottleneck_network(44),  # stages of 22, 11 and 6 places a side
    "in 16 bits": halve_weights(bottleneck_network()),
}


@pytest.fixture(params=KINDS)
def network(request: pytest.FixtureRequest) -> bytes:
    return KINDS[request.param]


def faces(network: bytes, count: int = 3) -> list[NDArray[np.uint8]]:
    side = onnx.load_from_string(network).graph.input[0].type.tensor_type.shape.dim[3].dim_value
    return [face_picture(i, side) for i in range(count)]


def layers(network: bytes) -> NDArray[np.float64]:
    return OnnxScorer(with_layers(network))._all(faces(network), "layers", 16)


def test_layers_are_the_means_of_what_leaves_each_stage_at_the_last_ones_places() -> None:
    network = KINDS["mirrored"]
    model = onnx.load_from_string(network)
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in STAGES)
    whole = OnnxScorer(model.SerializeToString())
    expected = []
    for name in STAGES:
        found = whole._all(faces(network), name, 16)  # (6, C, h, w)
        both = (found[:3] + found[3:, :, :, ::-1]) / 2
        by = both.shape[2] // 6
        expected.append(both.reshape(3, -1, 6, by, 6, by).mean((3, 5)))
    assert layers(network) == pytest.approx(np.concatenate(expected, axis=1), abs=1e-4)


def test_a_stage_whose_side_is_no_multiple_is_read_too() -> None:
    assert layers(KINDS["odd"]).shape == (3, WIDTH, 6, 6)


def test_without_linear_bottlenecks_the_last_features_are_read(tiny_network) -> None:
    assert layers(tiny_network).shape == (3, 96, 2, 2)


def test_what_the_network_said_before_it_says_as_before(network) -> None:
    before, after = OnnxScorer(network), OnnxScorer(with_heads(network, WEIGHT, BIAS))
    images = faces(network)
    assert after(images)[:, :2] == pytest.approx(before(images), abs=1e-4)
    assert after.maps(images)[:, :2] == pytest.approx(before.maps(images), abs=1e-4)
    assert OnnxScorer(with_layers(network))(images) == pytest.approx(before(images), abs=1e-4)


def test_further_heads_are_linear_in_the_layers_and_means_of_their_maps(network) -> None:
    scorer, images = OnnxScorer(with_heads(network, WEIGHT, BIAS)), faces(network)
    found = scorer(images)
    assert found[:, 2:] == pytest.approx(layers(network).mean((2, 3)) @ WEIGHT.T + BIAS, abs=1e-3)
    assert found - scorer.maps(images).mean((2, 3)) == pytest.approx(np.tile([0.5, -0.5, *BIAS], (3, 1)), abs=1e-4)


def test_a_mirrored_face_is_judged_alike() -> None:
    scorer = OnnxScorer(with_heads(KINDS["odd"], WEIGHT, BIAS))
    images = faces(KINDS["odd"])
    turned = [np.ascontiguousarray(image[:, ::-1]) for image in images]
    assert scorer(turned) == pytest.approx(scorer(images), abs=1e-3)
    assert scorer.maps(turned)[:, :, :, ::-1] == pytest.approx(scorer.maps(images), abs=1e-2)


def test_heads_are_exchanged_read_and_taken_away(network) -> None:
    first = with_heads(network, RNG.normal(size=(3, WIDTH)), np.zeros(3))
    second = with_heads(first, WEIGHT, BIAS)
    images = faces(network)
    assert OnnxScorer(second)(images) == pytest.approx(OnnxScorer(with_heads(network, WEIGHT, BIAS))(images), abs=1e-5)
    assert [part == pytest.approx(known) for part, known in zip(heads_of(second), (WEIGHT, BIAS), strict=True)] == [
        True,
        True,
    ]
    bare = without_heads(second)
    assert [has_heads(each) for each in (network, second, bare)] == [False, True, False]
    assert OnnxScorer(bare)(images) == pytest.approx(OnnxScorer(network)(images), abs=1e-4)
    again = with_heads(bare, WEIGHT, BIAS)
    assert OnnxScorer(again)(images) == pytest.approx(OnnxScorer(second)(images), abs=1e-5)


def test_layers_are_the_same_of_a_network_that_has_heads(network) -> None:
    assert layers(with_heads(network, WEIGHT, BIAS)) == pytest.approx(layers(network), abs=1e-5)


def test_a_network_with_further_heads_is_within_the_bounds(network) -> None:
    hold_network(with_heads(network, WEIGHT, BIAS), b"", len(faces(network)[0]))


@pytest.mark.parametrize("kind", ["odd", "as it is"])
def test_openvino_says_the_same(kind) -> None:
    pytest.importorskip("openvino")
    images = faces(KINDS[kind])
    for network in (whole := with_heads(KINDS[kind], WEIGHT, BIAS), without_heads(whole)):
        found, known = load_scorer("openvino", network), OnnxScorer(network)
        assert found(images) == pytest.approx(known(images), abs=1e-3)
        assert found.maps(images) == pytest.approx(known.maps(images), abs=1e-2)


def changed(**names: str) -> bytes:
    """The network with other names for its values."""
    model = onnx.load_from_string(KINDS["as it is"])
    for node in model.graph.node:
        for part in (node.input, node.output):
            part[:] = [names.get(name, name) for name in part]
    return model.SerializeToString()


def without_maps() -> bytes:
    model = onnx.load_from_string(KINDS["mirrored"])
    del model.graph.output[1]
    return model.SerializeToString()


def of_three_heads() -> bytes:
    model = onnx.load_from_string(KINDS["mirrored"])
    values = np.ones((3, 32, 1, 1), np.float32)
    name = next(node for node in model.graph.node if node.output[0] == "raw maps").input[1]
    weight = next(value for value in model.graph.initializer if value.name == name)
    weight.CopyFrom(onnx.numpy_helper.from_array(values, name))
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (without_maps, "a network with maps"),
        (of_three_heads, "two heads over places"),
        (lambda: changed(one="layers.all"), "takes no further heads"),
        (lambda: b"no network", "not ONNX"),
    ],
    ids=["maps", "heads", "names", "garbage"],
)
def test_a_network_that_takes_none_is_refused(network, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        with_heads(network(), WEIGHT, BIAS)
