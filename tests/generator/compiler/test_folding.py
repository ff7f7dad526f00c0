"""A folded plan gives what the network gives, whatever the network has; psi's every slice is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from generator.compiler.folding import Plan, as_torch, fold, motion_basis
from tests.generator_fixtures import PLAIN, WARP, checkpoint

CASES: list[tuple[str, dict[str, Any]]] = [
    (WARP, {}),
    (WARP, {"stem": 2}),
    (WARP, {"warps": 1, "spectral_norm": True}),
    (PLAIN, {"spectral_norm": True, "encoder_attention": 16, "decoder_attention": 16}),
]


def folded(made: Any, psi: torch.Tensor) -> Plan:
    network = made.generator.network
    return fold(network, psi, made.config.size // network.stem, lambda w: w, lambda w, b: (w, b))


@pytest.mark.parametrize(("family", "changes"), CASES)
def test_a_plan_gives_what_the_network_gives(family: str, changes: dict[str, Any]) -> None:
    made = checkpoint(family, **changes)
    network = made.generator.network
    for module in made.generator.modules():
        if hasattr(module, "gain"):
            module.gain.data.fill_(0.5)  # attention starts silent
    psi = 0.3 * torch.randn(1, network.coefficients)
    inputs = 3 if family == PLAIN else 3 + 5 * made.config.warps
    guide = torch.rand(1, inputs, 32, 32) * 2 - 1
    with torch.inference_mode():
        expected = torch.nn.functional.pixel_unshuffle(network(guide, psi), network.stem)
    found = as_torch(folded(made, psi), "cpu")(torch.nn.functional.pixel_unshuffle(guide, network.stem))
    assert float((found - expected).abs().max()) < 1e-5 * max(1.0, float(expected.abs().max()))


def test_folding_saves_products() -> None:
    made = checkpoint(WARP)
    psi = torch.zeros(1, made.generator.network.coefficients)
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made.generator.network(torch.zeros(1, 3 + 5 * made.config.warps, 32, 32), psi)
    assert folded(made, psi).products < 0.95 * counter.get_total_flops() / 2


@pytest.mark.parametrize("stem", [1, 2, 4])
def test_the_motion_basis_holds_planes_and_bows(stem: int) -> None:
    basis = motion_basis(stem)
    y, x = np.mgrid[:stem, :stem] / 8
    field = (0.1 + 0.2 * x - 0.3 * y + 0.05 * x * y + 0.01 * y * y).ravel()
    assert np.abs(basis @ (basis.T @ field) - field).max() < 1e-6
