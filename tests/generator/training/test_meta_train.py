"""Meta-training as a whole: a run folder, a process killed at a random step, early warnings, the best checkpoint."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from generator.config import LossConfig
from generator.data.dataset import Dataset
from generator.networks.checkpoint import load_checkpoint
from generator.training.divergence import TrainingDied
from generator.training.meta_train import meta_train
from generator.training.validation import Validation, Validator
from sfumato.run import RunFolder
from sfumato.training.piece import Piece
from tests.generator_fixtures import dataset, train_config
from tests.process_fixtures import ready_processes

CPU = torch.device("cpu")
PLAIN_PIXELS = LossConfig(vgg19=0, vggface=0, pixel=8, adversarial=0)


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def long_run(steps: int):  # type: ignore[no-untyped-def]
    """A run whose schedule does not depend on where it ends, with every part that has a state."""
    return train_config(steps=steps, decay=False, save_every=3, validate_every=4, vary_frames=True, critic_updates=2)


def train_on(path: Path) -> None:
    """What the process does that is killed."""
    torch.set_num_threads(1)
    meta_train(dataset(), long_run(1000), RunFolder(path), CPU)


def tensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def test_a_process_killed_at_a_random_step_and_resumed_equals_an_uninterrupted_run(tmp_path: Path) -> None:
    """Bit for bit: every tensor of the model and of the state (optimisers, averages), and every logged loss."""
    fatal = random.SystemRandom().randint(3, 12)
    killed, log = tmp_path / "killed", tmp_path / "killed" / "log.jsonl"
    child = ready_processes("generator").Process(target=train_on, args=(killed,))
    child.start()
    while not log.exists() or log.read_bytes().count(b"\n") < fatal:
        assert child.is_alive(), "the child ended by itself"
        time.sleep(0.002)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    reached = max(int(line["step"]) for line in lines(killed)) if log.read_bytes().endswith(b"\n") else fatal
    steps = reached + 2
    meta_train(dataset(), long_run(steps), RunFolder(killed, resume=True), CPU, resume=True)
    meta_train(dataset(), long_run(steps), RunFolder(tmp_path / "whole"), CPU)
    for name in ("model.safetensors", "best.safetensors", "state.safetensors"):
        one, other = tensors(killed / name), tensors(tmp_path / "whole" / name)
        assert one.keys() == other.keys()
        different = [key for key, value in other.items() if not torch.equal(one[key], value)]
        assert not different, f"killed after step {reached}: {name}: {different[:5]}"
    one, other = (
        [{k: v for k, v in line.items() if k != "seconds"} for line in lines(folder)]
        for folder in (killed, tmp_path / "whole")
    )
    assert one == other, f"killed after step {reached}"


def test_a_run_leaves_options_log_samples_and_a_checkpoint_without_w(tmp_path: Path) -> None:
    from safetensors import safe_open

    footage: Dataset = dataset()
    meta_train(footage, train_config(), RunFolder(tmp_path / "run"), CPU)
    options = json.loads((tmp_path / "run" / "options.json").read_text())
    assert len(options["held_out"]) == 2 and options["training_people"] == len(footage.people) - 2
    assert options["processes"] == 1
    assert (tmp_path / "run" / "samples.png").stat().st_size > 0
    with safe_open(str(tmp_path / "run" / "model.safetensors"), framework="pt") as file:
        assert not [name for name in file.keys() if "identities" in name]  # noqa: SIM118
    assert load_checkpoint(tmp_path / "run" / "model.safetensors").record["steps"] == 4
    seen = [line["validation"] for line in lines(tmp_path / "run") if "validation" in line]
    assert len(seen) == 2 and set(seen[0]) == {"ssim", "l1", "csim", "spread"}


def test_the_record_says_which_perceptual_networks_were_used(tmp_path: Path) -> None:
    config = train_config(steps=1, loss=LossConfig(vgg19=0, vggface=0, identity=1, adversarial=0))
    meta_train(dataset(), config, RunFolder(tmp_path / "run"), CPU)
    said = {"identity": "SFace, in place of VGGFace"}
    assert load_checkpoint(tmp_path / "run" / "model.safetensors").record["perceptual"] == said
    assert json.loads((tmp_path / "run" / "options.json").read_text())["perceptual"] == said


def test_the_best_checkpoint_is_that_of_the_highest_ssim_and_csim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.2, 0.6, 0.4, 0.5, 0.55])

    def measure(self: Validator, embedder: object, generator: object, sheet: Path | None = None) -> Validation:
        return Validation(next(scores), 0.1, 0.1, 1.0)

    monkeypatch.setattr(Validator, "measure", measure)
    monkeypatch.setattr("generator.training.run_log.open_board", lambda path, step: None)
    config, path = train_config(steps=4, validate_every=1, save_every=1), tmp_path / "run"
    meta_train(dataset(), config, RunFolder(path), CPU)
    assert load_checkpoint(path / "best.safetensors").record["steps"] == 2
    meta_train(dataset(), train_config(steps=5, validate_every=1), RunFolder(path, resume=True), CPU, resume=True)
    assert load_checkpoint(path / "best.safetensors").record["steps"] == 2  # a resumed run still knows what to beat


def test_a_dead_embedder_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from generator.networks.embedder import Embedder

    monkeypatch.setattr(Embedder, "forward", lambda self, face, sketch: torch.zeros(len(face), 16))
    warnings: list[str] = []
    config = train_config(steps=12, loss=PLAIN_PIXELS, validate_every=100, save_every=100)  # at the end alone
    meta_train(dataset(), config, RunFolder(tmp_path / "run"), CPU, warn=warnings.append)
    assert len(warnings) == 1 and "step 5: the embedder gives everybody the same" in warnings[0]
    assert [line["step"] for line in lines(tmp_path / "run") if "warning" in line] == [5]


def test_a_run_that_dies_keeps_its_last_save_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.losses.terms import ReconstructionLoss

    forward, calls = ReconstructionLoss.forward, iter(range(100))

    def burst(self: ReconstructionLoss, *arguments: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        total, parts = forward(self, *arguments)
        return (total, parts) if next(calls) < 3 else (total * float("nan"), {**parts, "pixel": float("nan")})

    monkeypatch.setattr(ReconstructionLoss, "forward", burst)
    with pytest.raises(TrainingDied, match="Losses are not finite at step 3: loss, pixel") as died:
        config = train_config(steps=6, loss=PLAIN_PIXELS, validate_every=6)
        meta_train(dataset(), config, RunFolder(tmp_path / "run"), CPU)
    assert "--resume and a lower learning_rate" in died.value.advice
    monkeypatch.undo()
    config = train_config(steps=4, loss=PLAIN_PIXELS, validate_every=4)
    resumed = meta_train(dataset(), config, RunFolder(tmp_path / "run", resume=True), CPU, resume=True)
    assert resumed.record["steps"] == 4
    assert [line["step"] for line in lines(tmp_path / "run") if "loss" in line] == [1, 2, 3, 4]


def test_workers_give_the_same_run_and_end_with_it(tmp_path: Path) -> None:
    ready_processes("generator")
    for workers in (0, 2):
        config = train_config(workers=workers, critic_updates=2, validate_every=100, save_every=100)
        meta_train(dataset(), config, RunFolder(tmp_path / str(workers)), CPU)
    assert not multiprocessing.active_children()
    one, other = (tensors(tmp_path / str(workers) / "state.safetensors") for workers in (0, 2))
    assert all(torch.equal(one[key], value) for key, value in other.items())


class OneStep(Piece):
    """Over after each step."""

    def over(self, ranks: object) -> bool:
        return True


def test_a_run_in_pieces_is_the_run_in_one(tmp_path: Path) -> None:
    """Saved where each piece ends, though nothing is due there."""
    config = train_config(steps=3, save_every=100, validate_every=100, critic_updates=2)
    meta_train(dataset(), config, RunFolder(tmp_path / "one"), CPU)
    for step in (1, 2, 3):
        folder = RunFolder(tmp_path / "pieces", resume=True)
        made = meta_train(dataset(), config, folder, CPU, resume=True, piece=OneStep())
        assert made.record["steps"] == load_checkpoint(folder.path / "model.safetensors").record["steps"] == step
    one, pieces = (tensors(tmp_path / name / "state.safetensors") for name in ("one", "pieces"))
    assert one.keys() == pieces.keys()
    assert [key for key, value in one.items() if not torch.equal(pieces[key], value)] == []
