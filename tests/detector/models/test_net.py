"""The net: shapes, even odds at the start, mirrored faces, refusals."""

import pytest
import torch

from detector.config import ModelConfig
from detector.models.net import DetectorNet, check_format
from sfumato.errors import CheckpointError


def tiny(**changes) -> ModelConfig:
    return ModelConfig(**({"backbone": "test_resnet", "size": 48, "pretrained": "none"} | changes))


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050"])
def test_any_backbone_gives_two_logits_at_even_odds(name: str) -> None:
    net = DetectorNet(tiny(backbone=name, size=64)).eval()
    assert net(torch.rand(3, 3, 64, 64) * 2 - 1).tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize("record", [{}, {"format": "sfumato-detector-0"}, {"format": 1}])
def test_unknown_format_is_refused(record) -> None:
    with pytest.raises(CheckpointError, match="format"):
        check_format(record)


def test_a_face_and_its_mirror_image_are_judged_alike() -> None:
    net = DetectorNet(ModelConfig(backbone="mobilenetv3_small_050", size=64, pretrained="none")).eval()
    torch.nn.init.normal_(net.heads.weight)
    face = torch.rand(3, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(net(face), net(face.flip(3)), atol=1e-5)
        alone = DetectorNet(
            ModelConfig(backbone="mobilenetv3_small_050", size=64, pretrained="none", mirrored=False)
        ).eval()
        alone.load_state_dict(net.state_dict())
        assert torch.allclose(net(face), (alone(face) + alone(face.flip(3))) / 2, atol=1e-5)
        assert not torch.allclose(alone(face), alone(face.flip(3)), atol=1e-3)
