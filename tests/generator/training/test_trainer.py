"""One step: it moves every network, takes the losses it is told to, and refuses to go on with numbers that are none."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import torch

from generator.config import LossConfig, TrainConfig
from generator.data.dataset import PersonFootage
from generator.training.divergence import DEAD_SPREAD, TrainingDied
from generator.training.trainer import MetaTrainer
from generator.training.validation import Validator
from sfumato.config import load_config
from sfumato.errors import ConfigError
from tests.generator_fixtures import PIXELS, PLAIN, WARP, clip_of, model, people, train_config

CPU = torch.device("cpu")


def trainer(family: str = WARP, **changes: object) -> MetaTrainer:
    return MetaTrainer(train_config(family, **changes), people(4, pictures=2), CPU)


@pytest.mark.parametrize("family", [PLAIN, WARP])
def test_one_step_moves_every_network(family: str) -> None:
    run = trainer(family)
    before = {name: [p.detach().clone() for p in m.parameters()] for name, m in run.modules.items()}
    for _ in range(3):
        run.step()
    for name, module in run.modules.items():
        assert any(not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True)), name


def test_the_plain_family_learns_to_draw() -> None:
    run = trainer(
        PLAIN,
        steps=20,
        batch=4,
        learning_rate=4e-3,
        ema=0.9,
        loss=LossConfig(vgg19=0, vggface=0, pixel=8, adversarial=0),
    )
    judge = Validator(people(4), run.config, CPU)
    before = judge.measure(run.ema_embedder, run.ema_generator)
    for _ in range(20):
        run.step()
    after = judge.measure(run.ema_embedder, run.ema_generator)
    assert after.l1 < 0.8 * before.l1
    assert after.ssim > before.ssim


def test_the_embedder_stays_alive_in_a_short_run() -> None:
    run = trainer(WARP, steps=12, batch=4, pictures=0.0, loss=PIXELS)
    spreads = [run.step()["spread"] for _ in range(12)]
    assert min(spreads) > DEAD_SPREAD


def test_the_spread_is_over_the_last_eight_people_even_with_one_a_batch() -> None:
    run = trainer(batch=1, steps=12)
    assert run.step()["spread"] == 1.0  # nobody to differ from
    for _ in range(10):
        log = run.step()
    assert len(run.recent) == 8 and 0 < log["spread"] != 1.0


def test_losses_that_are_not_finite_end_the_run() -> None:
    run = trainer()
    with torch.no_grad():
        next(run.generator.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDied, match="not finite"):
        run.step()


def test_gradients_that_are_not_finite_end_the_run_before_the_weights_are_touched() -> None:
    run = trainer()
    before = [p.detach().clone() for p in run.generator.parameters()]
    run.embedder.blocks[0].conv1.weight.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingDied, match="Gradients are not finite at step 0") as died:
        run.step()
    assert "--resume" in died.value.advice
    assert all(torch.equal(a, b) for a, b in zip(before, run.generator.parameters(), strict=True))


def test_accumulated_batches_are_one_large_batch() -> None:
    """Adam's first step is the gradient's sign, so the gradients are compared, not the weights after it."""
    whole, parts = (trainer(batch=batch, accumulate=4 // batch, clip=0.0) for batch in (4, 2))
    logs = [run._generator_step(run.stream.take(0), adversary=False) for run in (whole, parts)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)
    for name in ("embedder", "generator"):
        for (key, a), b in zip(whole.modules[name].named_parameters(), parts.modules[name].parameters(), strict=True):
            if a.grad is not None and b.grad is not None:
                torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-6, msg=key)


def test_the_adversary_accumulates_too() -> None:
    """Not to the last bit: each forward pass takes D's spectral norm a step nearer to the norm (measured: 6 %)."""
    gradients = []
    for batch in (4, 2):
        run = trainer(batch=batch, accumulate=4 // batch)
        run._critic_step(run.stream.take(0))
        gradient = run.critic.identities.weight.grad
        assert gradient is not None
        gradients.append(gradient.to_dense())
    assert float((gradients[0] - gradients[1]).norm()) < 0.15 * float(gradients[0].norm())


def moved_rows(mode: str) -> bool:
    """Whether G's update, D's left out, moves W."""
    run = trainer(mode=mode)
    before = run.critic.identities.weight.detach().clone()
    run._generator_step(run.stream.take(0), adversary=True)
    return not torch.equal(before, run.critic.identities.weight)


def test_w_is_moved_towards_e_in_ft_and_by_d_alone_in_ff() -> None:
    assert moved_rows("FT")
    assert not moved_rows("FF")


def test_without_reaching_the_embedder_the_match_loss_moves_w_only() -> None:
    match_only = LossConfig(
        vgg19=0, vggface=0, adversarial=1e-9, feature_matching=0, match=1, match_reaches_embedder=False
    )
    run = trainer(loss=match_only, clip=0.0)
    run._generator_step(run.stream.take(0), adversary=True)
    pulled = [p.grad.abs().max() for p in run.embedder.parameters() if p.grad is not None]
    reaching = trainer(loss=replace(match_only, match_reaches_embedder=True), clip=0.0)
    reaching._generator_step(reaching.stream.take(0), adversary=True)
    assert max(pulled) < 1e-4 * max(p.grad.abs().max() for p in reaching.embedder.parameters() if p.grad is not None)


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


def test_the_average_of_spectral_norms_directions_stays_a_unit_vector() -> None:
    run = trainer(model=model(spectral_norm=True))
    for _ in range(3):
        run.step()
    for name, vector in run.ema_generator.named_buffers():
        if vector.ndim == 1:
            assert vector.norm().item() == pytest.approx(1, abs=1e-4), name


def test_bf16_runs() -> None:
    assert trainer(precision="bf16").step()["loss"] > 0


def test_a_full_size_step() -> None:
    """The paper's networks and losses but L_CNT, one step of E, G and D: K = 1, one episode. At 128 px: the widths are
    those of 256, a step takes seconds.
    """
    from generator.presets import preset_path

    settings = [
        "model.size=128",
        "frames=1",
        "batch=1",
        "critic_updates=1",
        "workers=0",
        "loss.vgg19=0",
        "loss.vggface=0",
        "loss.pixel=8",
    ]
    config = load_config(TrainConfig, None, settings, base=preset_path("paper-v2"))
    person = PersonFootage(hashlib.sha256(b"one").hexdigest()[:16], (clip_of(0, 3, size=128),))
    run = MetaTrainer(config, (person,), CPU)
    before = {name: next(module.parameters()).detach().clone() for name, module in run.modules.items()}
    log = run.step()
    assert {"pixel", "adversarial", "feature_matching", "match", "critic", "margin"} <= set(log)
    for name, module in run.modules.items():
        assert not torch.equal(before[name], next(module.parameters())), name


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"ema": 1.0},
        {"pictures": 2.0},
        {"minutes": -1.0},
        {"critic_updates": 0},
        {"learning_rate": 0.0},
        {"accumulate": 0},
        {"workers": -1},
        {"save_every": 0},
    ],
)
def test_impossible_training_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        TrainConfig(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(("adversarial", "exported"), [(0.0, False), (1.0, True)])
def test_a_critic_that_learned_nothing_is_not_exported(adversarial: float, exported: bool) -> None:
    run = trainer(loss=replace(PIXELS, adversarial=adversarial))
    run.step()
    assert (run.checkpoint().critic is not None) is exported
