"""Export: the same logits from ONNX Runtime, any batch size, half the bytes, a budget, no path of this machine."""

import dataclasses

import numpy as np
import pytest
import torch

from detector.inference.backends import OnnxScorer
from detector.models.net import DetectorNet
from detector.training import export
from sfumato.errors import CheckpointError
from sfumato.media.tensors import to_tensor
from tests.detector_fixtures import TINY, face_picture, tiny_net


@pytest.fixture(scope="module")
def net() -> DetectorNet:
    return tiny_net()


@pytest.fixture(scope="module")
def network(tiny_network: bytes) -> bytes:
    return tiny_network


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


def test_budget_is_kept(net, network, monkeypatch) -> None:
    monkeypatch.setattr(export, "SIZE_BUDGET", 1000)
    monkeypatch.setattr(export, "_export", lambda net, size, path: path.write_bytes(network))
    with pytest.raises(CheckpointError, match="MB"):
        export.export_onnx(net)


def test_no_path_of_the_exporting_machine_is_shipped(network) -> None:
    assert b"site-packages" not in network
    assert b".py" not in network
