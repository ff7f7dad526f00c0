"""Weights on disk: half precision, whole or refused."""

import pytest
import torch

from detector.models.checkpoint import load_detector, save_weights
from detector.models.net import DetectorNet
from sfumato.errors import CheckpointError
from tests.detector_fixtures import TINY, tiny_net


@pytest.fixture(scope="module")
def net() -> DetectorNet:
    return tiny_net()


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
