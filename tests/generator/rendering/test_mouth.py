"""The fast painter of mouths against the one that training has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generator.motion.retarget import canonical_face
from generator.networks.families import Composition
from generator.rendering.mouth import Mouth
from tests.generator_fixtures import checkpoint, talking


@pytest.mark.parametrize("size", [48, 160])
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_it_paints_what_the_painter_in_training_paints(size: int, turn: float) -> None:
    networks = checkpoint(mouth=8)
    generator, psi = networks.generator, networks.generator.project(torch.ones(1, 16))
    cos, sin = np.cos(turn), np.sin(turn)
    points = (talking(canonical_face()) @ np.array([[cos, sin], [-sin, cos]])).astype(np.float32)
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 12) * 2 - 1, size=(size, size), mode="bilinear")
    plain = Composition(picture, picture, picture, torch.zeros(1, 1, size, size))
    with torch.no_grad():
        expected = generator.open_mouth(plain, psi, torch.from_numpy(points)[None]).image[0].permute(1, 2, 0).numpy()
    made = np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy())
    fast = Mouth(generator.mouth, psi[:, generator.network.coefficients :].detach(), "torch")
    fast.paint(made, points)
    assert np.abs(expected - picture[0].permute(1, 2, 0).numpy()).max() > 0.2
    assert np.abs(made - expected).max() < 0.02
    assert fast.products > 0


def test_a_mouth_outside_of_the_picture_changes_nothing() -> None:
    networks = checkpoint(mouth=8)
    psi = networks.generator.project(torch.ones(1, 16))[:, networks.generator.network.coefficients :].detach()
    picture = np.zeros((32, 32, 3), np.float32)
    Mouth(networks.generator.mouth, psi, "torch").paint(picture, talking(canonical_face()) + 5)
    assert not picture.any()
