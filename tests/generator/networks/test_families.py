"""The warp family: step 0 IS the warp, at every size, and everything can learn from there."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from generator.networks.episode import source_warps
from generator.networks.families import Composition, WarpGenerator, build_generator, opening
from generator.networks.warp import sample
from tests.generator_fixtures import SIZE, WARP, checkpoint, episode, model


def compose(generator: WarpGenerator, larger: int = 1) -> tuple[Composition, torch.Tensor]:
    """The composition of an episode at `larger` times the network's size, and the warp of its nearest source."""
    torch.manual_seed(0)
    small, psi = episode(), torch.randn(2, generator.network.coefficients)
    sources, grids = source_warps(small, generator.warps)
    head = generator.head(small.target_sketch, psi, sources, grids)
    if larger > 1:
        big = episode(size=SIZE * larger)
        sources, grids = source_warps(big, generator.warps)
    return generator.compose(head, sources, grids), sample(sources[:, 0], grids[:, 0])


@pytest.mark.parametrize("larger", [1, 2])
@pytest.mark.parametrize("warps", [1, 2, 3])
def test_step_0_is_exactly_the_warp(warps: int, larger: int) -> None:
    generator = build_generator(model(warps=warps))
    assert isinstance(generator, WarpGenerator)
    made, warp = compose(generator, larger)
    assert torch.equal(made.image, warp)


def test_flows_move_what_they_have_a_share_in() -> None:
    generator = build_generator(model(warps=2))
    sources, grids = source_warps(episode(), 2)
    head = torch.randn(2, 9, SIZE, SIZE)
    left = torch.zeros(2, 2, 1, SIZE, SIZE)
    left[..., : SIZE // 2] = 1
    whole, half = (generator.bend(head, sources, grids, shares) for shares in (None, left))
    still = generator.bend(torch.cat([head.new_zeros(2, 4, SIZE, SIZE), head[:, 4:]], dim=1), sources, grids)
    assert torch.equal(half[..., : SIZE // 2], whole[..., : SIZE // 2]) and not torch.equal(half, whole)
    assert torch.equal(half[..., SIZE // 2 :], still[..., SIZE // 2 :])


def test_gradients_reach_every_channel_that_acts_at_step_0() -> None:
    torch.manual_seed(0)
    generator, small = build_generator(model(warps=3)), episode()
    sources, grids = source_warps(small, 3)
    image = generator(
        small.target_sketch, torch.randn(2, generator.network.coefficients), sources, grids, small.target_landmarks
    ).image
    functional.mse_loss(image, small.target).backward()
    gradient = generator.network.last.bias.grad
    assert gradient is not None
    flows, gates, residual, mask = gradient.split([6, 2, 3, 1])
    assert (torch.cat([flows[:2], gates, residual]) != 0).all()
    # Behind a gate that is shut no flow can matter, and the mask blends the warp with itself: both wake with the first
    # step.
    assert (torch.cat([flows[2:], mask]) == 0).all()


def test_one_step_wakes_every_channel_of_the_head() -> None:
    torch.manual_seed(0)
    generator, small = build_generator(model(warps=3)), episode()
    sources, grids = source_warps(small, 3)
    psi = torch.randn(2, generator.network.coefficients)
    optimiser = torch.optim.Adam(generator.parameters(), lr=1e-3)
    for _ in range(2):
        optimiser.zero_grad()
        functional.mse_loss(
            generator(small.target_sketch, psi, sources, grids, small.target_landmarks).image, small.target
        ).backward()
        optimiser.step()
    gradient = generator.network.last.bias.grad
    assert gradient is not None and (gradient != 0).all()


def test_shape_and_range_of_a_trained_head() -> None:
    made, _ = compose(checkpoint(WARP).generator)
    assert made.image.shape == (2, 3, SIZE, SIZE)
    assert made.image.abs().max() <= 1.2  # a gate may reach a twentieth below 0
    assert made.mask.min() >= 0 and made.mask.max() <= 1


def test_a_gate_is_exactly_shut_at_0_and_can_move_both_ways() -> None:
    logits = torch.zeros(1, requires_grad=True)
    gate = opening(logits)
    gate.backward()
    assert gate.item() == 0
    assert logits.grad is not None and logits.grad.item() > 0
    assert -0.06 < opening(torch.tensor(-50.0)) < 0
    assert opening(torch.tensor(50.0)) == pytest.approx(1.0)
