"""Starting from another checkpoint: the same networks, or one of half the size that answers alike for blocks of 2 x 2
pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from generator.networks.checkpoint import save_checkpoint
from generator.networks.embedder import Embedder
from generator.networks.families import WarpGenerator, build_generator
from generator.networks.upscale_checkpoint import start_from
from generator.training.meta_train import MetaTrainer
from sfumato.errors import CheckpointError
from tests.generator_fixtures import checkpoint, model, people, train_config


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def test_the_enlarged_network_answers_for_blocks_what_the_small_one_does_for_pixels() -> None:
    large = model(size=64, stem=4)
    small = checkpoint(size=32, stem=2)
    embedder, generator = Embedder(large).eval(), build_generator(large).eval()
    start_from(small, large, embedder, generator)
    face, sketch = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        embedding = small.embedder(face, sketch)
        torch.testing.assert_close(embedder(doubled(face), doubled(sketch)), embedding, rtol=1e-4, atol=1e-4)
        assert isinstance(small.generator, WarpGenerator)
        assert isinstance(generator, WarpGenerator)
        guide = torch.rand(2, 3 + 5 * large.warps, 32, 32) * 2 - 1
        psi = small.generator.project(embedding)
        answer = small.generator.network(guide, psi)
        assert answer.std() > 0.1
        torch.testing.assert_close(generator.network(doubled(guide), psi), doubled(answer), rtol=1e-4, atol=1e-4)


def test_the_same_shape_is_copied() -> None:
    config = model()
    old = checkpoint()
    embedder, generator = Embedder(config), build_generator(config)
    start_from(old, config, embedder, generator)
    for name, value in generator.state_dict().items():
        assert torch.equal(value, old.generator.state_dict()[name])


@pytest.mark.parametrize(
    "change", [{"width": 16}, {"size": 64}, {"size": 64, "stem": 2}, {"stem": 4}, {"family": "zakharov2019"}]
)
def test_another_shape_is_refused(change: dict[str, Any]) -> None:
    config = model(**change)
    with pytest.raises(CheckpointError, match="cannot start"):
        start_from(checkpoint(), config, Embedder(config), build_generator(config))


def test_a_run_starts_from_the_named_checkpoint(tmp_path: Path) -> None:
    path, old = tmp_path / "old.safetensors", checkpoint(seed=5)
    save_checkpoint(path, old)
    trainer = MetaTrainer(train_config(start_from=str(path)), people(), torch.device("cpu"))
    for name, value in trainer.ema_generator.state_dict().items():
        assert torch.equal(value, old.generator.state_dict()[name])
