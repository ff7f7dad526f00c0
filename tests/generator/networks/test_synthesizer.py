"""The paper's G: its size, and that every number of psi is read."""

from __future__ import annotations

import itertools

import pytest
import torch

from generator.config import ModelConfig
from generator.networks.families import build_generator
from generator.networks.layers import AdaptiveBlock
from generator.networks.synthesizer import Generator, Synthesizer
from sfumato.errors import ConfigError, UsageError
from tests.generator.networks.test_embedder import millions
from tests.generator_fixtures import PLAIN, episode, model


def test_full_size_has_the_papers_38_million_parameters() -> None:
    with torch.device("meta"):
        generator = Generator(ModelConfig(spectral_norm=False))
    assert millions(generator) == 37.95
    assert generator.network.coefficients == 13312


@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize("size", [32, 64])
def test_shape_and_range_at_any_size_and_width(size: int, width: int) -> None:
    torch.manual_seed(0)
    config = model(PLAIN, size=size, width=width, max_width=32)
    generator = build_generator(config)
    out = generator(episode(size=size).target_sketch, torch.randn(2, generator.network.coefficients))
    assert out.shape == (2, 3, size, size)
    assert out.abs().max() <= 1


def adain_slices(network: Synthesizer) -> list[slice]:
    """The part of psi that each AdaIN's scales, and each one's shifts, are."""
    norms = [
        n
        for block in [*network.same, *network.up]
        if isinstance(block, AdaptiveBlock)
        for n in (block.norm1, block.norm2)
    ]
    edges = [0]
    for norm in [*norms, network.last_norm]:
        edges += [edges[-1] + norm.channels, edges[-1] + 2 * norm.channels]
    assert edges[-1] == network.coefficients
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def test_every_slice_of_psi_changes_the_picture() -> None:
    torch.manual_seed(0)
    generator = build_generator(model(PLAIN, same_blocks=2)).eval()
    sketch, psi = episode().target_sketch, torch.randn(2, generator.network.coefficients) * 0.1
    before = generator(sketch, psi)
    for part in adain_slices(generator.network):
        changed = psi.clone()
        changed[:, part] += 0.5
        assert not torch.allclose(before, generator(sketch, changed), atol=1e-5), part


def test_psi_of_one_person_does_not_reach_another() -> None:
    torch.manual_seed(0)
    generator = build_generator(model(PLAIN)).eval()
    sketch, psi = episode().target_sketch, torch.randn(2, generator.network.coefficients)
    changed = psi.clone()
    changed[1] += 1
    assert torch.equal(generator(sketch, psi)[0], generator(sketch, changed)[0])


def test_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="zakharov2019"):
        build_generator(model("gan"))


@pytest.mark.parametrize(
    "change",
    [
        {"size": 48},
        {"size": 16},
        {"width": 12},
        {"width": 64},
        {"bottleneck": 4},
        {"warps": 0},
        {"flow_reach": 2.0},
        {"stem": 3},
    ],
)
def test_impossible_networks_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        model(**change)
