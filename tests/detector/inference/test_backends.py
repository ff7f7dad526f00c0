"""Backends of the detector: one set of numbers, whoever runs the net; what cannot be run is refused with a way out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from detector.inference.backend_names import REGISTRY
from detector.inference.backends import OnnxScorer, load_scorer
from detector.inference.bundle import load_shipped
from detector.training.layers import with_heads, with_layers
from sfumato.errors import CheckpointError, MissingPartError, UsageError
from sfumato.execution.signal_stack import signal_stack
from tests.detector_fixtures import face_picture


@pytest.fixture(scope="module")
def network(shipped_detector: Path) -> bytes:
    return (shipped_detector / "detector.onnx").read_bytes()


@pytest.mark.parametrize(("name", "tolerance"), [("onnxruntime", 0.0), ("openvino", 1e-4), ("openvino-bf16", 0.1)])
def test_all_give_the_same_numbers(network, name, tolerance) -> None:
    pytest.importorskip(REGISTRY.load(name).package)
    images = [face_picture(i, 48) for i in range(5)]
    plain, scorer = load_scorer("onnxruntime", network), load_scorer(name, network)
    assert scorer.name == name
    for expected, found in ((plain(images), scorer(images, batch=2)), (plain.maps(images), scorer.maps(images))):
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= tolerance * max(1.0, float(np.abs(expected).max()))


def test_openvino_leaves_the_signal_stack_alone(network) -> None:
    pytest.importorskip("openvino")
    before = signal_stack()
    scorer = load_scorer("openvino", network)
    assert signal_stack() == before
    del scorer
    assert signal_stack() == before


def test_layers_come_with_the_logits(network) -> None:
    images = [face_picture(i, 48) for i in range(3)]
    scorer = OnnxScorer(with_layers(network))
    evidence, means = scorer.with_layers(images, batch=2)
    assert evidence == pytest.approx(OnnxScorer(network)(images), abs=1e-4)
    assert means == pytest.approx(scorer._all(images, "layers", 16).mean((2, 3)), abs=1e-5)


def test_a_network_with_other_heads_than_the_stack_is_refused(network) -> None:
    scorer = OnnxScorer(with_heads(network, np.ones((2, 96)), np.ones(2)))
    scorer.require_crops(48, 4)
    with pytest.raises(CheckpointError, match="not 2 numbers"):
        scorer.require_crops(48)


def test_unknown_backend_is_refused_with_the_known_ones(network) -> None:
    with pytest.raises(UsageError, match="onnxruntime"):
        load_scorer("tensorrt", network)


def test_backend_that_is_not_installed_says_what_to_install(network, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"\[fast\]"):
        load_scorer("openvino", network)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_garbage_is_refused(name) -> None:
    pytest.importorskip(REGISTRY.load(name).package)
    with pytest.raises(CheckpointError, match="cannot be run"):
        load_scorer(name, b"garbage")


def test_folder_says_what_runs_it_and_the_caller_may_choose_otherwise(shipped_detector, tmp_path) -> None:
    pytest.importorskip("openvino")
    shutil.copytree(shipped_detector, tmp_path / "d")
    record = json.loads((tmp_path / "d" / "detector.json").read_text())
    assert load_shipped(tmp_path / "d").scorer.name == "onnxruntime"
    (tmp_path / "d" / "detector.json").write_text(
        json.dumps(record | {"network": record["network"] | {"backend": "openvino"}})
    )
    assert load_shipped(tmp_path / "d").scorer.name == "openvino"
    assert load_shipped(tmp_path / "d", backend="onnxruntime").scorer.name == "onnxruntime"
