"""`sfumato export detector`: the shipped detector passes the gate in every backend; a spoiled one does not."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from detector.config import HEADS, LAYER_HEADS
from detector.inference.backend_names import REGISTRY
from detector.inference.backends import OnnxScorer
from detector.inference.bundle import load_shipped, shipped_folder
from detector.training.export_parity import GateSet, compare, require
from detector.training.layers import with_heads
from sfumato.app import detector_export as subject
from sfumato.app.cli.main import main
from sfumato.app.detector_export import as_openvino, export_detector, gate_crops
from sfumato.errors import CheckpointError, MissingPartError, UsageError
from tests.detector_fixtures import TINY, face_picture, tiny_net, write_shipped


@pytest.fixture(scope="module")
def crops() -> GateSet:
    return gate_crops(load_shipped().size)


@pytest.fixture(scope="module")
def shipped(crops):
    """The detector, and what it says of the crops of the gate; said once."""
    detector = load_shipped()
    said = detector.scorer([*crops.reals, *crops.fakes])
    return detector, lambda images: said


@pytest.fixture(scope="module")
def converted() -> tuple[bytes, bytes]:
    """The network that ships, as OpenVINO's two files."""
    pytest.importorskip("openvino")
    return as_openvino((shipped_folder() / "detector.onnx").read_bytes())


@pytest.fixture
def toy_gate(monkeypatch) -> None:
    """Noise in place of paintings, for what the gate is not about."""
    rng = np.random.default_rng(0)
    faces = [[rng.integers(0, 256, (48, 48, 3), dtype=np.uint8) for _ in range(8)] for _ in range(2)]
    monkeypatch.setattr(subject, "gate_crops", lambda size: GateSet(*faces))


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_network) -> Path:
    """A training run with its weights in torch, and calibrated."""
    from detector.models.checkpoint import save_weights

    folder = tmp_path_factory.mktemp("run")
    write_shipped(folder / "weights", tiny_network)
    save_weights(folder / "detector.safetensors", tiny_net(), TINY, {"step": 1})
    return folder


def test_gate_is_large_enough_and_neither_blind_nor_trivial(crops, shipped) -> None:
    assert len(crops.reals) == len(crops.fakes) >= 60
    detector, said = shipped
    assert 0.6 < compare(said, said, detector.stack, crops).auc < 1


@pytest.mark.parametrize("name", ["openvino", "openvino-bf16"])
def test_shipped_detector_passes_the_gate(crops, shipped, converted, name) -> None:
    detector, said = shipped
    network, weights = converted
    scorer = REGISTRY.load(name)(network, weights=weights)
    found = compare(said, scorer, detector.stack, crops)
    require(found, scorer.tolerance)


def test_shipped_detector_passed_the_gate_against_the_trained_one() -> None:
    record = load_shipped().record["network"]
    assert record["maps"]
    assert record["gate"]["crops"] >= 60
    assert abs(record["gate"]["auc"] - record["gate"]["exported_auc"]) <= 0.005
    assert record["gate"]["largest_logit_difference"] <= OnnxScorer.tolerance


def test_a_net_with_coarse_weights_is_held_back(crops, shipped) -> None:
    model = onnx.load(shipped_folder() / "detector.onnx")
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.float16 and values.size > 256:
            step = np.abs(values).max() / 7  # 4 bits
            weights.CopyFrom(numpy_helper.from_array((np.round(values / step) * step).astype(np.float16), weights.name))
    detector, said = shipped
    few = [slice(start, start + 12) for start in (0, len(crops.reals))]  # so far off that no more are needed
    known = np.concatenate([said([])[part] for part in few])
    some = GateSet(crops.reals[few[0]], crops.fakes[few[0]])
    found = compare(lambda images: known, OnnxScorer(model.SerializeToString()), detector.stack, some)
    with pytest.raises(CheckpointError, match="not the trained one"):
        require(found, OnnxScorer.tolerance)


@pytest.mark.parametrize(("source", "backend"), [(".", "onnxruntime"), ("weights", "openvino")])
def test_an_export_keeps_further_heads(run, tiny_network, toy_gate, tmp_path, source, backend) -> None:
    pytest.importorskip(REGISTRY.load(backend).package)
    shutil.copytree(run, tmp_path / "run")
    rng = np.random.default_rng(0)
    network = with_heads(tiny_network, rng.normal(size=(2, 96)), rng.normal(size=2))
    place = write_shipped(tmp_path / "run" / "weights", network)
    record = json.loads((place / "detector.json").read_text())
    wide = {"heads": [*HEADS, *LAYER_HEADS], "scale": [0.1] * 4, "offset": [0.0] * 4}
    for kind in ("calibration", "video_calibration"):
        record[kind]["stack"] = wide
    (place / "detector.json").write_text(json.dumps(record))
    export_detector(tmp_path / "run" / source, tmp_path / "out", backend)
    images = [face_picture(i, 48) for i in range(3)]
    found, known = load_shipped(tmp_path / "out").scorer(images), load_shipped(place).scorer(images)
    assert found.shape == (3, 4)
    assert np.abs(found - known).max() < 0.02 * np.abs(known).max()


@pytest.mark.parametrize(("source", "backend"), [(".", "onnxruntime"), ("weights", "openvino")])
def test_a_run_becomes_a_folder_that_scans(run, toy_gate, tmp_path, source, backend, capsys) -> None:
    pytest.importorskip(REGISTRY.load(backend).package)
    assert main(["export", "detector", str(run / source), "-o", str(tmp_path / "out"), "--backend", backend]) == 0
    assert "8 crops a class" in capsys.readouterr().out
    found, known = load_shipped(tmp_path / "out"), load_shipped(run / "weights")
    assert found.scorer.name == backend
    assert (found.stack, found.thresholds, found.video_thresholds) == (
        known.stack,
        known.thresholds,
        known.video_thresholds,
    )
    images = [face_picture(i, 48) for i in range(3)]
    assert np.abs(found.scorer(images) - known.scorer(images)).max() < 0.02
    assert found.scorer.maps(images).shape == (3, 2, 2, 2)
    again = ["export", "detector", str(run / source), "-o", str(tmp_path / "out"), "--backend", backend]
    assert main(again) == 2
    assert "exists already" in capsys.readouterr().err


def test_an_export_is_replaced_when_asked(run, toy_gate, tmp_path) -> None:
    (tmp_path / "detector.json").write_text("{}")
    assert main(["export", "detector", str(run / "weights"), "-o", str(tmp_path), "--overwrite"]) == 0
    assert load_shipped(tmp_path).stack == load_shipped(run / "weights").stack


def test_openvino_folder_is_checked_and_not_for_others(run, toy_gate, tmp_path) -> None:
    pytest.importorskip("openvino")
    export_detector(run / "weights", tmp_path / "out", "openvino")
    with pytest.raises(CheckpointError, match="OpenVINO"):
        load_shipped(tmp_path / "out", backend="onnxruntime")
    for backend in ("openvino", "onnxruntime"):
        with pytest.raises(UsageError, match="holds a network of OpenVINO"):
            export_detector(tmp_path / "out", tmp_path / "again", backend)
    (tmp_path / "out" / "detector.bin").write_bytes(b"0" * 100)
    with pytest.raises(CheckpointError, match="not the file"):
        load_shipped(tmp_path / "out")
    (tmp_path / "out" / "detector.bin").unlink()
    with pytest.raises(MissingPartError):
        load_shipped(tmp_path / "out")


def test_nothing_is_written_for_what_is_refused(run, toy_gate, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(OnnxScorer, "tolerance", -1.0)
    with pytest.raises(CheckpointError, match="not the trained one"):
        export_detector(run / "weights", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_without_calibration_is_refused(run, tmp_path) -> None:
    shutil.copy(run / "detector.safetensors", tmp_path)
    with pytest.raises(MissingPartError, match="calibration"):
        export_detector(tmp_path, tmp_path / "out")


def test_unknown_backend_and_empty_folder_are_refused(run, tmp_path, capsys) -> None:
    assert main(["export", "detector", str(run), "-o", str(tmp_path / "out"), "--backend", "none"]) == 2
    assert main(["export", "detector", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "openvino-bf16" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_shipped_record_describes_its_network() -> None:
    record = json.loads((shipped_folder() / "detector.json").read_text())
    assert record["network"]["bytes"] == (shipped_folder() / "detector.onnx").stat().st_size < 25_000_000
