"""Perceptual distance and the Frechet distance on Lite0's features: known values, order, symmetry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from benchmarks.metrics.perceptual import Perceptual, frechet_distance, pooled
from sfumato.media.tensors import to_tensor
from tests.generator_fixtures import astronaut


@pytest.fixture(scope="module")
def network() -> Perceptual:
    return Perceptual()


def test_equal_pictures_are_at_0_and_blur_grows_the_distance(network: Perceptual) -> None:
    picture = to_tensor(np.ascontiguousarray(astronaut()[:256, 64:320]))
    light, heavy = (torch.nn.functional.avg_pool2d(picture, n, 1, n // 2, count_include_pad=False) for n in (3, 9))
    assert float(network.distance(picture, picture)) == pytest.approx(0, abs=1e-6)
    assert 0.01 < float(network.distance(light, picture)) < float(network.distance(heavy, picture))
    assert float(network.distance(picture, heavy)) == pytest.approx(float(network.distance(heavy, picture)), rel=1e-5)


def test_features_are_320_numbers_a_picture(network: Perceptual) -> None:
    assert pooled(network.features(torch.zeros(2, 3, 64, 64))).shape == (2, 320)


@pytest.mark.parametrize(("made", "wanted", "width", "within"), [(400, 400, 320, 1e-6), (5, 7, 64, 1e-5)])
def test_the_frechet_distance_is_that_of_two_gaussians(made: int, wanted: int, width: int, within: float) -> None:
    torch.manual_seed(0)
    a, b = torch.randn(made, width), 1.5 * torch.randn(wanted, width) + 1
    x, y = a.double().numpy(), b.double().numpy()
    first, second = np.cov(x.T), np.cov(y.T)
    known = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(a, b) == pytest.approx(known, rel=within)
    assert frechet_distance(a, a) == pytest.approx(0, abs=within)
