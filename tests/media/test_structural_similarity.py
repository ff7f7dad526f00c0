"""SSIM is that of Wang et al. 2004: values worked out by hand and those of torchmetrics away from the border."""

from __future__ import annotations

import pytest
import torch

from sfumato.media.structural_similarity import structural_similarity


def test_equal_pictures_are_1() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 16, 20)
    assert structural_similarity(picture, picture).tolist() == pytest.approx([1, 1], abs=1e-6)


def test_two_flat_greys_differ_by_their_light_alone() -> None:
    """(2 ab + .01^2) / (a^2 + b^2 + .01^2): no other range of values gives this."""
    light, dark = torch.full((1, 1, 11, 11), 0.8), torch.full((1, 1, 11, 11), 0.2)
    assert structural_similarity(light, dark).item() == pytest.approx(0.3201 / 0.6801, abs=1e-4)


def test_an_inverted_ripple_shows_the_constant_of_contrast() -> None:
    """Equal means and opposite deviations: (2 cov + .03^2) / (var + var + .03^2), times the light, which is 1."""
    checks = (torch.arange(11)[:, None] + torch.arange(11)) % 2 * 0.1 - 0.05
    window = torch.exp(-((torch.arange(11) - 5.0) ** 2) / 4.5)
    window = torch.outer(window, window) / window.sum() ** 2
    mean = float((window * checks).sum())
    variance = float((window * checks**2).sum()) - mean**2
    known = (-2 * variance + 0.0009) / (2 * variance + 0.0009)
    made = structural_similarity(0.5 + checks[None, None], 0.5 - checks[None, None])
    assert made.item() == pytest.approx(known, abs=1e-3)


def test_it_is_torchmetrics_in_one_window() -> None:
    """Where the border counts for nothing: torchmetrics' map, without the pixels whose windows reach beyond it."""
    from torchmetrics.functional.image import structural_similarity_index_measure  # seconds: not while collecting

    torch.manual_seed(0)
    a = torch.rand(2, 3, 48, 40, dtype=torch.float64)
    b = (a + 0.15 * torch.randn_like(a)).clamp(0, 1)
    _, places = structural_similarity_index_measure(
        a, b, sigma=1.5, data_range=1.0, reduction="none", return_full_image=True
    )
    inside = places[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
    assert structural_similarity(a, b).tolist() == pytest.approx(inside.tolist(), abs=1e-6)


def test_it_is_that_of_scikit_image_with_the_settings_of_the_paper() -> None:
    from skimage.metrics import structural_similarity as reference  # seconds: not while collecting

    torch.manual_seed(0)
    a = torch.rand(1, 3, 48, 40, dtype=torch.float64)
    b = (a + 0.15 * torch.randn_like(a)).clamp(0, 1)
    known = reference(
        a[0].numpy(), b[0].numpy(), channel_axis=0, data_range=1.0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert structural_similarity(a, b).item() == pytest.approx(known, abs=1e-6)


def test_each_picture_has_its_own_value() -> None:
    torch.manual_seed(0)
    a = torch.rand(2, 1, 16, 16)
    found = structural_similarity(a, torch.stack([a[0], 1 - a[1]]))
    assert found[0].item() == pytest.approx(1, abs=1e-6) and found[1] < 0
