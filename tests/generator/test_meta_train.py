"""Meta-training: it learns, it resumes as if never stopped, and it says when it dies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from generator.checkpoint import load_checkpoint
from generator.config import LossConfig, TrainConfig
from generator.dataset import Dataset
from generator.meta_train import DEAD_SPREAD, MetaTrainer, TrainingDied, frozen, meta_train, validation_episodes
from sfumato.errors import CheckpointError, ConfigError
from sfumato.run import RunFolder
from tests.generator_fixtures import PIXELS, PLAIN, SIZE, WARP, dataset, model, people, train_config

CPU = torch.device("cpu")


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def trainer(family: str = WARP, **changes: object) -> MetaTrainer:
    return MetaTrainer(train_config(family, **changes), people(4, pictures=2), CPU)


@pytest.mark.parametrize("family", [PLAIN, WARP])
def test_one_step_moves_every_network(family: str) -> None:
    run = trainer(family)
    before = {name: [p.detach().clone() for p in m.parameters()] for name, m in run._modules().items()}
    for _ in range(3):
        run.step()
    for name, module in run._modules().items():
        assert any(not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True)), name


def test_the_plain_family_learns_to_draw() -> None:
    run = trainer(PLAIN, steps=40, batch=4, learning_rate=2e-3, ema=0.9, loss=LossConfig(vgg19=0, vggface=0, pixel=8, adversarial=0))
    before = run.validate(people(4))
    for _ in range(40):
        run.step()
    after = run.validate(people(4))
    assert after.l1 < 0.8 * before.l1
    assert after.ssim > before.ssim


def test_the_embedder_stays_alive_in_a_short_run() -> None:
    run = trainer(WARP, steps=12, batch=4, pictures=0.0, loss=PIXELS)
    spreads = [run.step()["spread"] for _ in range(12)]
    assert min(spreads) > DEAD_SPREAD


def test_a_dead_embedder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from generator.embedder import Embedder

    monkeypatch.setattr(Embedder, "forward", lambda self, face, sketch: torch.zeros(len(face), 16))
    warnings: list[str] = []
    config = train_config(steps=2, loss=LossConfig(vgg19=0, vggface=0, pixel=8, adversarial=0))
    meta_train(dataset(), config, RunFolder(tmp_path / "run"), CPU, warn=warnings.append)
    assert warnings and "embedder" in warnings[0]


def test_losses_that_are_not_finite_end_the_run() -> None:
    run = trainer()
    with torch.no_grad():
        next(run.generator.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDied, match="not finite"):
        run.step()


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, first, second = (trainer(model=model(spectral_norm=True)) for _ in range(3))
    for _ in range(4):
        whole.step()
    for _ in range(2):
        first.step()
    first.save_state(tmp_path / "state.safetensors")
    torch.rand(7)  # what happens in between does not matter
    second.load_state(tmp_path / "state.safetensors")
    for _ in range(2):
        second.step()
    for name, module in whole._modules().items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, second._modules()[name].state_dict()[key]), f"{name}.{key}"


def test_a_killed_run_continues_from_its_last_save(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    steps: list[float] = []

    def kill(share: float) -> None:
        steps.append(share)
        if len(steps) == 4:  # after the save of step 2
            raise Killed

    footage, config = dataset(), train_config(steps=4, log_every=1, validate_every=100)
    with pytest.raises(Killed):
        meta_train(footage, config, RunFolder(tmp_path / "run"), CPU, advance=kill)
    resumed = meta_train(footage, config, RunFolder(tmp_path / "run", resume=True), CPU, resume=True)
    whole = meta_train(footage, config, RunFolder(tmp_path / "whole"), CPU)
    for a, b in zip(resumed.generator.parameters(), whole.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_state_of_another_network_is_refused(tmp_path: Path) -> None:
    trainer().save_state(tmp_path / "state.safetensors")
    with pytest.raises(CheckpointError, match="another model"):
        trainer(model=model(width=16)).load_state(tmp_path / "state.safetensors")


def test_a_state_of_other_footage_is_refused(tmp_path: Path) -> None:
    trainer().save_state(tmp_path / "state.safetensors")
    with pytest.raises(CheckpointError, match="other footage"):
        MetaTrainer(train_config(), people(3), CPU).load_state(tmp_path / "state.safetensors")


@pytest.mark.parametrize("content", [b"", b"no state", b"\x10\0\0\0\0\0\0\0{}"])
def test_a_damaged_state_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="Cannot resume"):
        trainer().load_state(tmp_path / "state.safetensors")


def test_a_run_leaves_options_log_samples_and_a_checkpoint_without_w(tmp_path: Path) -> None:
    from safetensors import safe_open

    footage: Dataset = dataset()
    meta_train(footage, train_config(), RunFolder(tmp_path / "run"), CPU)
    options = json.loads((tmp_path / "run" / "options.json").read_text())
    assert len(options["held_out"]) == 2 and options["training_people"] == len(footage.people) - 2
    assert (tmp_path / "run" / "samples.png").stat().st_size > 0
    with safe_open(str(tmp_path / "run" / "model.safetensors"), framework="pt") as file:
        assert not [name for name in file.keys() if "identities" in name]  # noqa: SIM118
    assert load_checkpoint(tmp_path / "run" / "model.safetensors").record["steps"] == 4
    assert any("validation" in line for line in lines(tmp_path / "run"))


def test_feed_forward_training_has_no_match_loss() -> None:
    assert "match" in trainer(mode="FT").step()
    assert "match" not in trainer(mode="FF").step()


def test_the_adversary_comes_in_late() -> None:
    run = trainer(steps=4, loss=LossConfig(vgg19=0, vggface=0, pixel=8, adversary_from=0.5))
    logs = [run.step() for _ in range(4)]
    assert ["critic" in log for log in logs] == [False, False, True, True]


def test_the_critic_is_updated_as_often_as_told() -> None:
    run = trainer(critic_updates=3)
    calls: list[int] = []
    step = run._critic_step
    run._critic_step = lambda episode: calls.append(1) or step(episode)  # type: ignore[method-assign,func-returns-value]
    run.step()
    assert len(calls) == 3


def test_frozen_lets_gradients_through_and_keeps_none() -> None:
    layer, x = nn.Linear(2, 2), torch.ones(1, 2, requires_grad=True)
    with frozen(layer):
        layer(x).sum().backward()
    assert x.grad is not None and layer.weight.grad is None
    assert layer.weight.requires_grad


def test_the_average_of_spectral_norms_directions_stays_a_unit_vector() -> None:
    run = trainer(model=model(spectral_norm=True))
    for _ in range(3):
        run.step()
    for name, vector in run.ema_generator.named_buffers():
        if vector.ndim == 1:
            assert vector.norm().item() == pytest.approx(1, abs=1e-4), name


def test_validation_takes_sources_from_the_first_half_and_targets_from_the_second() -> None:
    person = people(1, frames=8)[0]
    episodes = list(validation_episodes((person,), train_config(frames=4), SIZE))
    early = [torch.from_numpy(p) for p in (2 * person.clips[0].landmarks[:4] + 1) / SIZE - 1]
    for drawn in episodes:
        for points in drawn.landmarks[0]:
            assert any(torch.allclose(points, e) for e in early)
        assert not any(torch.allclose(drawn.target_landmarks[0], e) for e in early)


def test_bf16_runs() -> None:
    assert trainer(precision="bf16").step()["loss"] > 0


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"ema": 1.0}, {"pictures": 2.0}, {"minutes": -1.0}, {"critic_updates": 0}, {"learning_rate": 0.0}]
)
def test_impossible_training_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        TrainConfig(**change)  # type: ignore[arg-type]
