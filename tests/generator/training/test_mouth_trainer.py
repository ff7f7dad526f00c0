"""Training of the painter of mouths: what moves, what stays, and how it goes on after a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from generator.config import MouthConfig
from generator.data.mouths import Mouths, gather_mouths
from generator.networks.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from generator.networks.mouth import lip_masks
from generator.training.mouth_trainer import MouthTrainer, change, inside_l1
from generator.training.state import load_state, save_state
from sfumato.errors import CheckpointError, UsageError
from tests.generator.data.test_mouths import of, speaking
from tests.generator_fixtures import PLAIN, checkpoint

CPU = torch.device("cpu")


def mouths() -> Mouths:
    found = gather_mouths(of(speaking(0, 6), speaking(1, 6)), 32)
    assert found is not None
    return found


def config(**changes: object) -> MouthConfig:
    values: dict[str, object] = {"width": 8, "steps": 4, "batch": 4, "warm_up": 1, "adversary_from": 0.5}
    return MouthConfig(**{**values, **changes})  # type: ignore[arg-type]


def trainer(base: Checkpoint | None = None, **changes: object) -> MouthTrainer:
    return MouthTrainer(config(**changes), base or checkpoint(), mouths(), CPU)


def test_a_few_steps_bring_the_paint_nearer() -> None:
    run = trainer(steps=60, learning_rate=3e-3, adversarial=0.0)
    losses = [run.step()["pixel"] for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


def test_the_critic_takes_part_late() -> None:
    run = trainer()
    logs = [run.step() for _ in range(4)]
    assert ["critic" in log for log in logs] == [False, False, True, True]
    assert all(log["painted"] > 0 for log in logs)


def test_change_is_what_was_made_of_what_was_wanted() -> None:
    left, was = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    lips = torch.ones(2, 3, 64, 64)
    assert change(left, left, was, lips) == 0
    assert change(was, left, was, lips) == 1
    assert change((left + was) / 2, left, was, lips) == pytest.approx(0.5, abs=1e-5)


def test_the_base_stays_as_it_is(tmp_path: Path) -> None:
    base = checkpoint()
    before = {name: value.clone() for name, value in base.generator.state_dict().items()}
    run = trainer(base)
    run.step()
    made = run.checkpoint()
    save_checkpoint(tmp_path / "m.safetensors", made)
    read = load_checkpoint(tmp_path / "m.safetensors")
    for name, value in before.items():
        assert torch.equal(read.generator.state_dict()[name], value), name
    assert read.config.mouth == 8 and read.generator.mouth is not None
    assert read.record["mouth"]["steps"] == 1


def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path: Path) -> None:
    base = checkpoint()
    whole, first, second = (trainer(base) for _ in range(3))
    for _ in range(4):
        expected = whole.step()
    for _ in range(2):
        first.step()
    save_state(tmp_path / "state.safetensors", first, 0.5)
    assert load_state(tmp_path / "state.safetensors", second) == 0.5
    for _ in range(2):
        log = second.step()
    assert log == expected


def test_a_state_of_another_width_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "state.safetensors", trainer())
    with pytest.raises(CheckpointError, match="another model"):
        load_state(tmp_path / "state.safetensors", trainer(width=16))


def test_a_painter_is_taken_up_where_it_was_left() -> None:
    run = trainer()
    run.step()
    again = trainer(run.checkpoint())
    for name, value in run.average.net.state_dict().items():
        assert torch.equal(again.painter.state_dict()[name], value), name


def test_a_family_without_a_warp_is_refused() -> None:
    with pytest.raises(UsageError, match="no mouth"):
        trainer(checkpoint(PLAIN))


def test_only_what_lies_inside_the_lips_is_judged() -> None:
    from generator.motion.retarget import canonical_face
    from tests.generator_fixtures import talking

    lips = torch.from_numpy(lip_masks(talking(canonical_face())))[None]
    wanted = torch.zeros(1, 3, 64, 64)
    outside = torch.where(lips[:, 2:] > 0, wanted, wanted + 1)
    assert float(inside_l1(outside, wanted, lips)) == 0
    assert float(inside_l1(wanted + 1, wanted, lips)) == pytest.approx(1, abs=1e-5)
