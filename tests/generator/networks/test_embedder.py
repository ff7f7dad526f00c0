"""The embedder: its size, the mean over K frames, and that two people are never mixed."""

from __future__ import annotations

import pytest
import torch

from generator.config import ModelConfig
from generator.networks.embedder import Embedder, spread
from tests.generator_fixtures import episode, model


def millions(module: torch.nn.Module) -> float:
    return round(sum(p.numel() for p in module.parameters()) / 1e6, 2)


def test_full_size_has_the_papers_15_million_parameters() -> None:
    with torch.device("meta"):
        assert millions(Embedder(ModelConfig(spectral_norm=False))) == 14.91


def test_shape_and_sign() -> None:
    torch.manual_seed(0)
    e = episode(batch=3)
    out = Embedder(model()).identity(e.faces, e.sketches)
    assert out.shape == (3, 16)
    assert (out >= 0).all()  # ReLU after the sum


def test_identity_is_the_mean_over_frames() -> None:
    torch.manual_seed(0)
    embedder, e = Embedder(model()), episode(batch=1, count=4)
    single = torch.stack([embedder(e.faces[:, k], e.sketches[:, k]) for k in range(4)]).mean(0)
    assert torch.allclose(embedder.identity(e.faces, e.sketches), single, atol=1e-5)


def test_frames_of_two_people_are_never_mixed() -> None:
    torch.manual_seed(0)
    embedder, e = Embedder(model()), episode(batch=3)
    before = embedder.identity(e.faces, e.sketches)
    changed = e.faces.clone()
    changed[1] = torch.rand_like(changed[1])
    after = embedder.identity(changed, e.sketches)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.allclose(before[1], after[1])


def test_permuting_people_permutes_embeddings() -> None:
    torch.manual_seed(0)
    embedder, e = Embedder(model()), episode(batch=3)
    order = torch.tensor([2, 0, 1])
    assert torch.allclose(
        embedder.identity(e.faces[order], e.sketches[order]), embedder.identity(e.faces, e.sketches)[order], atol=1e-5
    )


def test_the_order_of_the_frames_does_not_matter() -> None:
    torch.manual_seed(0)
    embedder, e = Embedder(model()), episode(batch=1, count=3)
    order = torch.tensor([1, 2, 0])
    assert torch.allclose(
        embedder.identity(e.faces[:, order], e.sketches[:, order]), embedder.identity(e.faces, e.sketches), atol=1e-5
    )


@pytest.mark.parametrize(
    ("embeddings", "known"), [(torch.ones(4, 8), 0.0), (torch.zeros(4, 8), 0.0), (torch.eye(2), 1.0)]
)
def test_spread_known_values(embeddings: torch.Tensor, known: float) -> None:
    assert spread(embeddings) == pytest.approx(known, abs=1e-6)


def test_spread_does_not_depend_on_scale() -> None:
    e = torch.rand(5, 8)
    assert spread(100 * e) == pytest.approx(spread(e), rel=1e-4)
