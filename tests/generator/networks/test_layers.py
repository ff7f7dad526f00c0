"""AdaIN, residual blocks and self-attention: what each does to a known input."""

from __future__ import annotations

import torch
from torch import nn

from generator.networks.layers import AdaIN, AdaptiveBlock, Block, SelfAttention, channels_at, wrapper


def test_adain_sets_mean_and_deviation_of_each_channel() -> None:
    psi = torch.tensor([[1.0, -0.5, 3.0, -2.0]])  # scales 1 + (1, -.5), shifts (3, -2)
    out = AdaIN(2)(torch.randn(1, 2, 16, 16), psi)
    assert torch.allclose(out.mean(dim=(2, 3)), torch.tensor([[3.0, -2.0]]), atol=1e-4)
    assert torch.allclose(out.std(dim=(2, 3), correction=0), torch.tensor([[2.0, 0.5]]), atol=1e-3)


def test_adain_of_a_constant_channel_is_finite_and_so_is_its_gradient() -> None:
    x = torch.full((1, 2, 8, 8), 5.0, requires_grad=True)
    out = AdaIN(2)(x, torch.zeros(1, 4))
    out.square().sum().backward()
    assert out.isfinite().all()
    assert x.grad is not None and x.grad.isfinite().all()


def test_nothing_normalises_again_after_adain() -> None:
    block = AdaptiveBlock(8, 8, wrapper(False), up=True)
    assert not [
        m for m in block.modules() if isinstance(m, nn.InstanceNorm2d | nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm)
    ]


def test_an_adaptive_block_keeps_the_scale_that_psi_gives() -> None:
    torch.manual_seed(0)
    block, x = AdaptiveBlock(8, 8, wrapper(False)), torch.randn(1, 8, 8, 8)
    loud = torch.zeros(1, block.coefficients)
    loud[:, 16:24] = 9.0  # the second AdaIN's scales: times 10
    change = (block(x, loud) - x).std() / (block(x, torch.zeros_like(loud)) - x).std()
    assert change > 5  # a second norm would make it 1


def test_block_resamples() -> None:
    x = torch.randn(1, 8, 16, 16)
    assert Block(8, 16, wrapper(False), resample="down")(x).shape == (1, 16, 8, 8)
    assert AdaptiveBlock(8, 16, wrapper(False), up=True)(x, torch.zeros(1, 48)).shape == (1, 16, 32, 32)


def test_an_image_enters_the_first_block_without_relu() -> None:
    torch.manual_seed(0)
    block = Block(3, 8, wrapper(False), resample="down", first=True)
    dark, darker = torch.full((1, 3, 8, 8), -0.5), torch.full((1, 3, 8, 8), -1.0)
    conv = block.conv1
    assert not torch.equal(conv(dark), conv(darker))
    block.skip = nn.Identity()
    block.resample = ""
    block.conv2 = nn.Conv2d(8, 3, 3, padding=1)
    assert not torch.allclose(
        block(dark) - dark, block(darker) - darker
    )  # a ReLU at the entrance would make both the same


def test_self_attention_starts_as_the_identity() -> None:
    x = torch.randn(2, 16, 8, 8)
    assert torch.equal(SelfAttention(16, wrapper(False))(x), x)


def test_self_attention_sees_the_whole_picture() -> None:
    torch.manual_seed(0)
    layer = SelfAttention(16, wrapper(False))
    layer.gain.data.fill_(1.0)
    x = torch.randn(1, 16, 8, 8, requires_grad=True)
    layer(x)[0, :, 0, 0].sum().backward()
    assert x.grad is not None and (x.grad[0, :, 7, 7] != 0).any()


def test_spectral_norm_bounds_the_layer() -> None:
    torch.manual_seed(0)
    layer = wrapper(True)(nn.Linear(32, 32))
    for _ in range(50):
        layer(torch.randn(4, 32))
    assert torch.linalg.matrix_norm(layer.weight, 2) < 1.05


def test_channels_double_up_to_the_limit() -> None:
    assert [channels_at(64, 512, level) for level in range(6)] == [64, 128, 256, 512, 512, 512]
