"""D: its size, raw scores, and W with one row a video."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from generator.config import ModelConfig
from generator.losses.terms import critic_loss
from generator.networks.discriminator import Critic, frozen
from tests.generator.networks.test_embedder import millions
from tests.generator_fixtures import episode, model


def test_full_size_has_the_papers_20_million_parameters() -> None:
    assert millions(Critic(ModelConfig(), 1).blocks) == 19.63


def test_scores_are_the_projection_and_have_no_bound() -> None:
    torch.manual_seed(0)
    critic, e = Critic(model(), 2).eval(), episode()
    weights = torch.randn(2, 16)
    once, _ = critic(e.target, e.target_sketch, weights)
    assert once.shape == (2,)
    scaled, _ = critic(e.target, e.target_sketch, 1000 * weights)
    assert torch.allclose(
        scaled - critic.bias, 1000 * (once - critic.bias), rtol=1e-3
    )  # a sigmoid would keep it within 0 and 1


def test_hinge_known_values() -> None:
    assert critic_loss(torch.tensor([-1.0]), torch.tensor([1.0])) == 0
    assert critic_loss(torch.tensor([0.0]), torch.tensor([0.0])) == 2
    assert critic_loss(torch.tensor([3.0]), torch.tensor([-5.0])) == 10  # grows without bound


def test_a_video_reads_its_own_row() -> None:
    critic = Critic(model(), 3)
    assert torch.equal(critic.weights_of(torch.tensor([2]))[0], critic.identities.weight[2] + critic.shared)


def test_a_step_moves_only_the_rows_it_saw() -> None:
    torch.manual_seed(0)
    critic = Critic(model(), 5)
    optimiser = torch.optim.SparseAdam([critic.identities.weight], lr=0.1)
    for videos in ([0, 3], [3, 4]):  # a shared Adam state would go on moving row 0 in the second step
        before = critic.identities.weight.detach().clone()
        optimiser.zero_grad()
        critic.weights_of(torch.tensor(videos)).square().sum().backward()
        optimiser.step()
        moved = (critic.identities.weight != before).any(dim=1).nonzero().flatten().tolist()
        assert moved == videos


def test_features_are_one_for_each_residual_block() -> None:
    _, features = Critic(model(), 1)(episode().target, episode().target_sketch, torch.zeros(2, 16))
    assert [f.shape[-1] for f in features] == [16, 8, 4, 4]


def test_one_pictures_score_does_not_depend_on_another() -> None:
    torch.manual_seed(0)
    critic, e = Critic(model(), 2).eval(), episode()
    weights = torch.randn(2, 16)
    both, _ = critic(e.target, e.target_sketch, weights)
    alone, _ = critic(e.target[:1], e.target_sketch[:1], weights[:1])
    assert both[0].item() == pytest.approx(alone[0].item(), rel=1e-4, abs=1e-5)


def test_frozen_lets_gradients_through_and_keeps_none() -> None:
    layer, x = nn.Linear(2, 2), torch.ones(1, 2, requires_grad=True)
    with frozen(layer):
        layer(x).sum().backward()
    assert x.grad is not None and layer.weight.grad is None
    assert layer.weight.requires_grad
