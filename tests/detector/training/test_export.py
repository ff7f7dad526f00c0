"""Export: the same logits from ONNX Runtime, any batch size, half the bytes, a budget; and what is refused when
loading.
"""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
import torch

from detector.inference.backends import OnnxScorer
from detector.inference.bundle import RECORD_FORMAT, from_parts, load_shipped
from detector.inference.crops import DETECTOR_CROP
from detector.models.checkpoint import load_detector, save_weights
from detector.models.net import DetectorNet
from detector.training import export
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, MissingPartError
from sfumato.media.tensors import to_tensor
from tests.detector_fixtures import TINY, face_picture


@pytest.fixture(scope="module")
def net() -> DetectorNet:
    torch.manual_seed(0)
    net = DetectorNet(TINY.model).eval()
    torch.nn.init.normal_(net.heads.weight, std=0.5)
    return net


@pytest.fixture(scope="module")
def network(net: DetectorNet) -> bytes:
    return export.export_onnx(net)


def record(network: bytes) -> dict:
    return {
        "format": RECORD_FORMAT, "crop": DETECTOR_CROP, "network": {"sha256": hashlib.sha256(network).hexdigest()},
        "config": to_dict(TINY),
        "calibration": {"stack": {"scale": [1.0, 1.0], "offset": [0.0, 0.0]},
                        "thresholds": {"0.1": 0.5}, "n_real": 9, "id": "x"},
        "video_calibration": {"thresholds": {"0.1": 0.7}},
    }  # fmt: skip


def test_logits_are_equal_for_any_batch(net, network) -> None:
    for count in (1, 5):
        images = [face_picture(i, 48) for i in range(count)]
        with torch.no_grad():
            expected = net(to_tensor(images)).numpy()
        assert np.abs(OnnxScorer(network)(images) - expected).max() < export.TOLERANCE


def test_frequency_branch_is_exported() -> None:
    net = DetectorNet(dataclasses.replace(TINY.model, frequency=True)).eval()
    torch.nn.init.normal_(net.heads.weight, std=0.5)
    assert export.largest_difference(net, export.export_onnx(net)) < export.TOLERANCE


def test_weights_take_half_the_bytes(net, network) -> None:
    assert len(network) < 0.8 * sum(p.numel() for p in net.parameters()) * 4 + 100_000


def test_no_pictures_no_scores(network) -> None:
    assert OnnxScorer(network)([]).shape == (0, 2)


def test_budget_is_kept(net, monkeypatch) -> None:
    monkeypatch.setattr(export, "SIZE_BUDGET", 1000)
    with pytest.raises(CheckpointError, match="MB"):
        export.export_onnx(net)


def test_shipped_pair_loads(network, tmp_path) -> None:
    (tmp_path / "detector.onnx").write_bytes(network)
    (tmp_path / "detector.json").write_text(json.dumps(record(network)))
    shipped = load_shipped(tmp_path)
    assert shipped.thresholds == {0.1: 0.5}
    assert shipped.video_thresholds == {0.1: 0.7}
    assert shipped.size == 48


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "sfumato-detector-9"}, "format"),
        ({"crop": "square40-v0"}, "crops"),
        ({"network": {"sha256": "0" * 64}}, "not the file"),
        ({"calibration": {}}, "lacks"),
        ({"video_calibration": {}}, "lacks"),
    ],
)
def test_what_does_not_fit_is_refused(network, change, message) -> None:
    with pytest.raises(CheckpointError, match=message):
        from_parts(network, record(network) | change)


def test_record_that_is_no_record_is_refused(network) -> None:
    with pytest.raises(CheckpointError, match="format"):
        from_parts(network, ["a list"])


def test_garbage_network_is_refused() -> None:
    with pytest.raises(CheckpointError, match="cannot be run"):
        from_parts(b"garbage", record(b"garbage"))


def test_missing_detector_says_how_to_get_one(tmp_path) -> None:
    with pytest.raises(MissingPartError, match="train detector"):
        load_shipped(tmp_path)


def test_weights_on_disk_are_half_precision_and_checked(net, tmp_path) -> None:
    save_weights(tmp_path / "a.safetensors", net, TINY, {"step": 1})
    loaded, config, found = load_detector(tmp_path / "a.safetensors")
    assert config == TINY
    assert found["step"] == 1
    assert all(
        torch.allclose(a.float(), b.float(), atol=2e-3, rtol=2e-3)
        for a, b in zip(net.state_dict().values(), loaded.state_dict().values(), strict=True)
    )
    (tmp_path / "b.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:200])
    with pytest.raises(CheckpointError, match="damaged"):
        load_detector(tmp_path / "b.safetensors")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_detector(tmp_path / "c.safetensors")


def test_no_path_of_the_exporting_machine_is_shipped(network) -> None:
    assert b"site-packages" not in network
    assert b".py" not in network
