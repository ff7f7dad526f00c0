"""Training on a toy that anybody can tell apart: the loss falls, unseen people are separated, a stopped run goes on
unharmed.
"""

import dataclasses
import json
import os
import shutil
import socket
from pathlib import Path

import pytest
import torch

from detector.data.pairs import PairSource, as_batch
from detector.inference.bundle import NETWORK, RECORD
from detector.models.checkpoint import load_detector
from detector.training.export import export_onnx
from detector.training.train import Trainer, evidence_loss, pair_loss, train
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, OutputError, UsageError
from sfumato.run import RunFolder
from sfumato.training.distributed import ranks_of_this_run
from sfumato.training.piece import Piece
from tests.detector_fixtures import TINY, face_picture
from tests.process_fixtures import ready_processes


def with_steps(steps: int, **changes) -> object:
    return dataclasses.replace(TINY, train=dataclasses.replace(TINY.train, steps=steps, **changes))


@pytest.fixture(scope="module")
def short_run(shared_toy, tmp_path_factory) -> Path:
    """The folder of a run of two steps: not to be changed."""
    folder = tmp_path_factory.mktemp("short") / "run"
    rows, cache = shared_toy
    train(rows, RunFolder(folder), with_steps(2), cache)
    return folder


def test_toy_is_learned_and_recorded(toy, tmp_path) -> None:
    rows, cache = toy
    config = with_steps(40)
    shares = []
    done = train(rows, RunFolder(tmp_path / "run"), config, cache, advance=shares.append)
    assert done.step == 40
    assert done.scores["toy"] > 0.9
    assert sum(shares) == pytest.approx(1.0)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [entry["loss"] for entry in log if "loss" in entry]
    assert losses[-1] < losses[0]
    options = json.loads((tmp_path / "run" / "options.json").read_text())
    assert options["families"] == ["blend", "reenact"]
    assert options["people"] == {"train": 12, "validation": 12}
    net, loaded, record = load_detector(tmp_path / "run" / "detector.safetensors")
    assert loaded == config
    assert options["methods"] == ["self-blend", "swap-alpha", "swap-poisson", "toy"]
    assert record["validation"] == done.scores
    assert not net.training


def test_resumed_run_ends_with_the_same_weights(toy, tmp_path) -> None:
    rows, cache = toy
    config = with_steps(8, validations=2)
    config = dataclasses.replace(
        config, model=dataclasses.replace(config.model, dropout=0.3)
    )  # its draws must be the same as well
    train(rows, RunFolder(tmp_path / "whole"), config, cache)
    stopped = trainer(rows, cache, tmp_path / "parts", config)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(_stop_after(6))
    train(rows, RunFolder(tmp_path / "parts", resume=True), config, cache, resume=True)
    whole, parts = (
        load_detector(tmp_path / name / "detector.safetensors")[0].state_dict() for name in ("whole", "parts")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_processes_that_prepare_batches_change_nothing(toy, tmp_path) -> None:
    rows, cache = toy
    ready_processes("detector")
    for workers in (0, 1):
        train(rows, RunFolder(tmp_path / str(workers)), with_steps(4, workers=workers), cache)
    states = [load_detector(tmp_path / str(workers) / "detector.safetensors")[0].state_dict() for workers in (0, 1)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_norm_tuning_moves_nothing_else_of_the_backbone(toy, tmp_path) -> None:
    rows, cache = toy
    subject = trainer(rows, cache, tmp_path / "run", with_steps(10, tune="norm"))
    before = {name: value.clone() for name, value in subject.net.named_parameters()}
    for _ in range(2):  # the heads start at 0: the first step gives the backbone no gradient
        subject.train_step(as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"]), share=0.5)
    moved = {name for name, value in subject.net.named_parameters() if not torch.equal(before[name], value)}
    norms = {name for name, part in subject.net.named_modules() if isinstance(part, torch.nn.BatchNorm2d)}
    assert {name.rpartition(".")[0] for name in moved if name.startswith("backbone.")} <= norms
    assert any(name.startswith("backbone.") for name in moved)


def test_frequency_branch_is_trained_and_kept(toy, tmp_path) -> None:
    rows, cache = toy
    config = dataclasses.replace(with_steps(6), model=dataclasses.replace(TINY.model, frequency=True))
    fresh = trainer(rows, cache, tmp_path / "fresh", config).net.state_dict()
    train(rows, RunFolder(tmp_path / "run"), config, cache)
    net = load_detector(tmp_path / "run" / "detector.safetensors")[0]
    assert net.frequency is not None
    assert not torch.allclose(
        net.state_dict()["frequency.layers.0.weight"], fresh["frequency.layers.0.weight"], atol=1e-3
    )


# A part of the batch each, LayerNorm in the backbone (batch statistics would be of half a batch each): what is left is
# rounding. Measured over 6 steps: losses 2e-7 apart, weights 3e-5.
TOLERANCE = 1e-4


def test_two_processes_are_one_with_twice_the_batch(toy, tmp_path) -> None:
    rows, cache = toy
    config = dataclasses.replace(
        with_steps(6, pairs=3, head_share=0.2), model=dataclasses.replace(TINY.model, backbone="test_convnext", size=64)
    )
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    ready_processes("detector")
    given = (port, rows, cache, config, tmp_path / "two")
    torch.multiprocessing.start_processes(_one_of_two, given, nprocs=2, start_method="forkserver")
    whole = trainer(
        rows, cache, tmp_path / "one", dataclasses.replace(config, train=dataclasses.replace(config.train, pairs=6))
    )
    expected = [float(whole.train_step(batch, step / 6)) for step, batch in _first_batches(whole, 6)]
    found = json.loads((tmp_path / "two" / "losses.json").read_text())
    assert found == pytest.approx(expected, abs=TOLERANCE)
    weights = torch.load(tmp_path / "two" / "net.pt", weights_only=True)
    assert all(torch.allclose(value, weights[name], atol=TOLERANCE) for name, value in whole.net.state_dict().items())


def _one_of_two(rank: int, port: int, rows, cache, config, path) -> None:
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)}
    with ranks_of_this_run("cpu") as ranks:
        subject = trainer(rows, cache, path, config, ranks=ranks)
        losses = [
            ranks.mean({"loss": float(subject.train_step(b, step / 6))})["loss"]
            for step, b in _first_batches(subject, 6)
        ]
    if ranks.first:
        (path / "losses.json").write_text(json.dumps(losses))
        torch.save(subject.net.state_dict(), path / "net.pt")


def _first_batches(subject: Trainer, count: int):
    for step, batch in zip(range(count), subject._batches(0), strict=False):
        subject.progress.step = step
        yield step, batch


def test_backbone_rests_while_the_heads_start(toy, tmp_path) -> None:
    rows, cache = toy
    subject = trainer(rows, cache, tmp_path / "run", with_steps(10))
    before = {name: value.clone() for name, value in subject.net.state_dict().items()}
    subject.train_step(as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"]), share=0.0)
    after = subject.net.state_dict()
    assert all(torch.equal(before[n], after[n]) for n in before if n.startswith("backbone."))
    assert not torch.equal(before["heads.bias"], after["heads.bias"]) or not torch.equal(
        before["heads.weight"], after["heads.weight"]
    )


def test_untaught_head_gets_no_gradient() -> None:
    logits = torch.zeros(4, 2, requires_grad=True)
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "blend"])
    evidence_loss(logits, batch.target, batch.weight).backward()
    assert logits.grad[:, 1].abs().sum() == 0
    assert logits.grad[:, 0].abs().sum() > 0


def test_a_pair_counts_by_the_distance_of_its_fake_from_its_twin() -> None:
    """Known value: softplus(real - fake) of the one pair whose fake the head is taught; what both share cancels."""
    target = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    logits = torch.tensor([[5.0, 1.0], [7.0, -1.0], [-3.0, 2.0], [-3.0, 0.0]], requires_grad=True)
    loss = pair_loss(logits, target)
    assert loss.item() == pytest.approx((torch.tensor(-2.0).exp().log1p() + torch.tensor(2.0).log()).item() / 2)
    assert pair_loss(logits + 11, target).item() == pytest.approx(loss.item())
    loss.backward()
    assert logits.grad[:, 1].abs().sum() == 0
    assert (logits.grad[1::2, 0] < 0).all() and (logits.grad[0::2, 0] > 0).all()


def test_the_weight_of_pairs_reaches_the_training(toy, tmp_path) -> None:
    rows, cache = toy
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"])
    losses = {}
    for weight in (0.0, 0.5, 1.0):
        subject = trainer(rows, cache, tmp_path / str(weight), with_steps(4, pair_weight=weight))
        losses[weight] = float(subject.train_step(batch, share=0.5))
    assert losses[1.0] - losses[0.0] == pytest.approx(2 * (losses[0.5] - losses[0.0]), rel=1e-4) != 0


def test_a_compiled_step_is_the_plain_one(toy, tmp_path, monkeypatch) -> None:
    """What torch.compile is asked to compile is the net itself, and its result is what learns."""
    asked = []
    monkeypatch.setattr(torch, "compile", lambda net, dynamic: asked.append(net) or (lambda images: net(images) + 3))
    monkeypatch.setattr("shutil.which", lambda name: name)
    rows, cache = toy
    subject = trainer(rows, cache, tmp_path / "run", with_steps(4, compile=True))
    assert asked == [subject.net]
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"])
    wrong = (
        torch.tensor(3.0).exp().log1p().item()
    )  # a net whose heads are still 0 says 3 of all: right of each fake, wrong of each real
    expected = 2 * (1.5 * wrong + 1 * (wrong - 3)) / 2.5  # of each head two reals, weighing 1 and 1/2, and one fake
    assert float(subject.train_step(batch, share=0.5)) == pytest.approx(expected, abs=1e-5)


def test_small_crops_come_first(toy, tmp_path) -> None:
    rows, cache = toy
    subject = trainer(rows, cache, tmp_path / "run", with_steps(4, head_share=0.0, small_share=0.5, small_size=32))
    seen = []
    subject._forward = lambda images: seen.append(tuple(images.shape)) or subject.net(images)
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"])
    for share in (0.0, 0.49, 0.5, 0.9):
        assert float(subject.train_step(batch, share=share)) > 0
    assert seen == [(4, 3, 32, 32)] * 2 + [(4, 3, 48, 48)] * 2


def test_without_a_compiler_it_is_said_at_once(toy, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    rows, cache = toy
    with pytest.raises(UsageError, match="compiler") as refused:
        trainer(rows, cache, tmp_path / "run", with_steps(4, compile=True))
    assert "train.compile=false" in str(refused.value.advice)


def test_existing_run_is_not_overwritten(toy, tmp_path) -> None:
    RunFolder(tmp_path / "run").write_options({})
    with pytest.raises(OutputError):
        RunFolder(tmp_path / "run")


def test_what_is_left_out_must_be_there(toy, tmp_path) -> None:
    rows, cache = toy
    samples = dataclasses.replace(TINY.samples, leave_out=("swap", "swap-alfa"))
    with pytest.raises(UsageError, match="swap-alfa") as refusal:
        train(rows, RunFolder(tmp_path / "run"), dataclasses.replace(TINY, samples=samples), cache)
    assert "'swap-alpha'" in str(refusal.value.advice)


def test_missing_split_is_refused(toy, tmp_path) -> None:
    rows, cache = toy
    with pytest.raises(UsageError, match="validation"):
        train([row for row in rows if row.split == "train"], RunFolder(tmp_path / "run"), TINY, cache)


def test_checkpoint_of_another_net_is_refused(toy, short_run) -> None:
    rows, cache = toy
    other = dataclasses.replace(TINY, model=dataclasses.replace(TINY.model, backbone="test_efficientnet"))
    subject = trainer(rows, cache, short_run, other, resume=True)
    with pytest.raises(CheckpointError, match="do not fit"):
        subject.resume()


def trainer(rows, cache, path, config, resume: bool = False, ranks=None) -> Trainer:
    training, validation = (
        PairSource([row for row in rows if row.split == name], cache, config) for name in ("train", "validation")
    )
    return Trainer(RunFolder(path, resume=resume), config, training, validation, ranks)


def _stop_after(steps: int):
    left = [steps]

    def advance(amount: float) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return advance


def test_run_starts_from_an_earlier_detector(toy, short_run, tmp_path) -> None:
    rows, cache = toy
    earlier = short_run / "detector.safetensors"
    subject = trainer(rows, cache, tmp_path / "second", with_steps(3, start=earlier))
    expected = load_detector(earlier)[0].state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in subject.net.state_dict().items())
    assert "earlier run" in subject.net.backbone.source
    other = dataclasses.replace(
        with_steps(3, start=earlier), model=dataclasses.replace(TINY.model, backbone="test_efficientnet")
    )
    with pytest.raises(CheckpointError, match="do not fit"):
        trainer(rows, cache, tmp_path / "third", other)


def test_run_starts_from_an_exported_detector(toy, short_run, tmp_path) -> None:
    rows, cache = toy
    net, config, _ = load_detector(short_run / "detector.safetensors")
    (tmp_path / NETWORK).write_bytes(export_onnx(net))
    (tmp_path / RECORD).write_text(json.dumps({"config": to_dict(config)}))
    subject = trainer(rows, cache, tmp_path / "second", with_steps(3, start=tmp_path))
    faces = as_batch([face_picture(seed, 48) for seed in range(4)], ["blend", "blend"]).images
    assert torch.allclose(subject.net.eval()(faces), net.eval()(faces), atol=0.02)
    assert "earlier run" in subject.net.backbone.source


class OneStep(Piece):
    """Over after each step."""

    def over(self, ranks) -> bool:
        return True


def test_a_run_in_pieces_is_the_run_in_one(toy, tmp_path) -> None:
    rows, cache = toy
    config = with_steps(4, validations=2)
    train(rows, RunFolder(tmp_path / "one"), config, cache)
    for step in (1, 2, 3, 4):
        folder = RunFolder(tmp_path / "pieces", resume=True)
        assert train(rows, folder, config, cache, resume=True, piece=OneStep()).step == step
    one, pieces = (load_detector(tmp_path / name / "detector.safetensors") for name in ("one", "pieces"))
    assert one[2] == pieces[2]
    assert all(torch.equal(value, pieces[0].state_dict()[name]) for name, value in one[0].state_dict().items())


def test_a_run_that_is_over_is_not_written_anew(toy, short_run, tmp_path) -> None:
    rows, cache = toy
    shutil.copytree(short_run, tmp_path / "run")
    options = tmp_path / "run" / "options.json"
    written = options.read_text()
    assert train(rows[::-1], RunFolder(tmp_path / "run", resume=True), with_steps(2), cache, resume=True).step == 2
    assert options.read_text() == written
    options.unlink()
    train(rows, RunFolder(tmp_path / "run", resume=True), with_steps(2), cache, resume=True)
    assert options.exists()


def test_bf16_is_the_same_step_less_exactly(toy, tmp_path) -> None:
    rows, cache = toy
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"])
    losses, kinds = {}, {}
    for precision in ("fp32", "bf16"):
        subject = trainer(rows, cache, tmp_path / precision, with_steps(4, precision=precision))
        torch.nn.init.normal_(subject.net.heads.weight, std=0.5, generator=torch.Generator().manual_seed(0))
        seen: list[torch.dtype] = []
        subject._forward = lambda images, net=subject.net, seen=seen: seen.append(net(images).dtype) or net(images)
        losses[precision] = float(subject.train_step(batch, share=0.5))
        kinds[precision] = seen[0]
    assert kinds == {"fp32": torch.float32, "bf16": torch.bfloat16}
    assert 0 < abs(losses["bf16"] - losses["fp32"]) < 0.05 * losses["fp32"]
