"""An exported detector becomes a net again: the same logits, norms that divide as in training, what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from detector.config import ModelConfig
from detector.inference.bundle import NETWORK, RECORD
from detector.models.net import DetectorNet
from detector.models.restore import restore_net
from detector.training.export import TOLERANCE, export_onnx, largest_difference
from sfumato.errors import CheckpointError
from tests.detector_fixtures import bottleneck_network


def worn_net(config: ModelConfig) -> DetectorNet:
    """A net whose norms and heads are not those it was built with."""
    torch.manual_seed(3)
    net = DetectorNet(config)
    with torch.no_grad():
        net.train()(pictures(config.size))  # running statistics
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5)
                part.bias.uniform_(-0.2, 0.2)
        net.heads.weight.normal_()
        net.heads.bias.normal_()
    return net.eval()


def pictures(size: int) -> Tensor:
    return torch.rand(12, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def folder_of(network: bytes, config: ModelConfig, folder: Path, **changes: Any) -> Path:
    record = {"config": {"model": asdict(config) | changes}, "training": {"step": 7, "backbone_weights": "somewhere"}}
    folder.mkdir(exist_ok=True)
    (folder / NETWORK).write_bytes(network)
    (folder / RECORD).write_text(json.dumps(record))
    return folder


@pytest.fixture(scope="module", params=["test_resnet", "test_efficientnet"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ModelConfig]:
    config = ModelConfig(backbone=request.param, size=48, dropout=0.0, pretrained="none")
    return folder_of(export_onnx(worn_net(config)), config, tmp_path_factory.mktemp("exported")), config


def test_logits_are_those_of_the_export(exported: tuple[Path, ModelConfig]) -> None:
    folder, config = exported
    net = restore_net(folder, config, pictures(48))
    assert not net.training
    assert largest_difference(net, (folder / NETWORK).read_bytes()) < TOLERANCE / 10
    assert net.backbone.source == "somewhere, then 7 steps of an earlier run"


def test_norms_divide_as_their_input_asks(exported: tuple[Path, ModelConfig]) -> None:
    folder, config = exported
    net = restore_net(folder, config, pictures(48))
    standing = net(pictures(48))
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.train()  # divides by what this batch says: the batch that it was set with
    assert torch.allclose(net(pictures(48)), standing, rtol=1e-3, atol=1e-3)


def test_another_net_is_refused(exported: tuple[Path, ModelConfig], tmp_path: Path) -> None:
    folder, config = exported
    with pytest.raises(CheckpointError, match=r"has model\.backbone") as refused:
        restore_net(folder, ModelConfig(size=48, pretrained="none"), pictures(48))
    assert f"model.backbone={config.backbone}" in str(refused.value.advice)
    lying = folder_of((folder / NETWORK).read_bytes(), config, tmp_path / "lying", backbone="test_convnext")
    with pytest.raises(CheckpointError, match="cannot be trained on"):
        restore_net(lying, ModelConfig(backbone="test_convnext", size=48, pretrained="none"), pictures(48))


def test_constants_in_other_files_are_not_followed(exported: tuple[Path, ModelConfig], tmp_path: Path) -> None:
    import onnx

    folder, config = exported
    model = onnx.load(folder / NETWORK)
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="/etc/hostname")
    with pytest.raises(CheckpointError):
        restore_net(folder_of(model.SerializeToString(), config, tmp_path), config, pictures(48))


@pytest.mark.parametrize(
    ("network", "cause"), [(b"\xff" * 9, "is not ONNX"), (bottleneck_network(), "cannot be trained on")]
)
def test_networks_of_others_are_refused(network: bytes, cause: str, tmp_path: Path) -> None:
    config = ModelConfig(backbone="test_resnet", size=48, pretrained="none")
    with pytest.raises(CheckpointError, match=cause):
        restore_net(folder_of(network, config, tmp_path), config, pictures(48))
