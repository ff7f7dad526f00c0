"""The perceptual networks: what they are fed, which layers are read, from which files they come, and what is
refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from generator.config import LossConfig
from generator.losses.perceptual import (
    VGG19_TAPS,
    VGGFACE_TAPS,
    ContentLoss,
    VggFeatures,
    _caffe_names,
    load_vgg,
    present,
    require_weights,
)  # fmt: skip
from sfumato.errors import MissingPartError


class Seen(nn.Module):
    """A network that hands its input on."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x]


def colour(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1) * torch.ones(1, 3, 8, 8)


def test_caffe_networks_see_bgr_from_0_to_255_without_the_mean() -> None:
    seen = present(colour(1.0, -1.0, 0.0), "caffe")[0, :, 0, 0]
    assert torch.allclose(seen, torch.tensor([127.5 - 103.939, 0 - 116.779, 255 - 123.68]), atol=1e-4)


def test_torchvision_networks_see_the_image_net_normalisation() -> None:
    seen = present(colour(1.0, -1.0, 0.0), "torchvision")[0, :, 0, 0]
    assert torch.allclose(seen, torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, (0.5 - 0.406) / 0.225]), atol=1e-4)


def test_the_content_losses_scale_is_caffes() -> None:
    loss = ContentLoss(Seen(), "caffe")(colour(0.1, 0.1, 0.1), colour(0, 0, 0))
    assert loss.item() == pytest.approx(12.75, rel=1e-4)  # a tenth of half of 0..255; torchvision's would be .2


def test_the_content_loss_reaches_the_made_picture_only() -> None:
    torch.manual_seed(0)
    made, wanted = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(2))
    ContentLoss(VggFeatures(19, (1, 6)), "caffe")(made, wanted).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert wanted.grad is None


def test_the_content_losses_network_is_not_trained() -> None:
    loss = ContentLoss(VggFeatures(16, VGGFACE_TAPS), "caffe")
    assert not [p for p in loss.parameters() if p.requires_grad]


@pytest.mark.parametrize(("depth", "taps"), [(19, VGG19_TAPS), (16, VGGFACE_TAPS)])
def test_the_taps_follow_relus_of_the_papers_layers(depth: int, taps: tuple[int, ...]) -> None:
    network = VggFeatures(depth, taps)
    assert all(isinstance(network.features[index], nn.ReLU) for index in taps)
    assert [f.shape[1] for f in network(torch.zeros(1, 3, 32, 32))] == [64, 128, 256, 512, 512]


def saved(network: VggFeatures, path: Path, names: dict[str, str] | None = None) -> str:
    """`network`'s weights as a file: safetensors or .pth by the suffix, under its own names or others."""
    tensors = {(names or {}).get(name, name): value for name, value in network.state_dict().items()}
    torch.save(tensors, path) if path.suffix == ".pth" else save_file(tensors, path)
    return str(path)


CAFFE = {"features.0.weight": "conv1_1.weight", "features.0.bias": "conv1_1.bias",
         "features.2.weight": "conv1_2.weight",
         "features.2.bias": "conv1_2.bias", "features.5.weight": "conv2_1.weight",
         "features.5.bias": "conv2_1.bias"}  # fmt: skip


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("names", [None, CAFFE])
def test_vgg_weights_are_read_from_a_file(tmp_path: Path, suffix: str, names: dict[str, str] | None) -> None:
    torch.manual_seed(0)
    network, x = VggFeatures(19, (1, 6)), torch.randn(1, 3, 8, 8)
    path = saved(network, tmp_path / f"vgg{suffix}", names)
    read, origin = load_vgg(19, (1, 6), path)
    assert all(torch.equal(a, b) for a, b in zip(read(x), network(x), strict=True))
    assert f"vgg{suffix}" in origin and hashlib.sha256(Path(path).read_bytes()).hexdigest() in origin


@pytest.mark.parametrize(("depth", "last"), [(16, "conv5_3"), (19, "conv5_4")])
def test_caffes_names_end_with_the_fifth_block(depth: int, last: str) -> None:
    network = VggFeatures(depth, (36 if depth == 19 else 30,))
    assert list(_caffe_names(depth)) == list(network.state_dict())
    assert list(_caffe_names(depth).values())[-1] == f"{last}.bias"


def test_torchvisions_vgg_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(VggFeatures(19, (1,)), tmp_path / "vgg.pth")
    monkeypatch.setattr(
        "generator.losses.perceptual._TORCHVISION", (hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8],)
    )
    with pytest.raises(MissingPartError, match="another scale"):
        load_vgg(19, (1,), path)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def test_a_pth_that_holds_code_is_refused_and_not_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    torch.save({"features.0.weight": Evil()}, tmp_path / "vgg.pth")
    with pytest.raises(MissingPartError, match="does not hold VGG19"):
        load_vgg(19, (1,), str(tmp_path / "vgg.pth"))
    assert "run" not in capfd.readouterr().out


@pytest.mark.parametrize("name", ["vgg.safetensors", "vgg.pth"])
@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MissingPartError, match="does not hold VGG19"):
        load_vgg(19, (1,), str(tmp_path / name))


def test_missing_weights_are_refused_with_the_settings_that_name_them() -> None:
    with pytest.raises(MissingPartError, match="no file is named") as refused:
        require_weights(LossConfig())
    assert "--set loss.vgg19_weights=FILE --set loss.vggface_weights=FILE" in refused.value.advice
    assert "loss.lite0" in refused.value.advice


def test_only_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"x")
    with pytest.raises(MissingPartError, match=r"not found at none\.pth") as refused:
        require_weights(LossConfig(vgg19_weights=str(tmp_path / "a.pth"), vggface_weights="none.pth"))
    assert "vgg19" not in refused.value.advice.replace("loss.vggface", "")


def test_losses_without_vgg_need_no_file() -> None:
    require_weights(LossConfig(vgg19=0, vggface=0))


def test_a_file_that_holds_no_vgg_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(MissingPartError, match="does not hold VGG19"):
        load_vgg(19, (1,), str(tmp_path / "other.safetensors"))
