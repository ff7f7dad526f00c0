"""Training on a toy that anybody can tell apart: the loss falls, unseen people are separated, a stopped run goes on unharmed."""

import dataclasses
import json

import pytest
import torch

from detector.samples import PairSource, as_batch
from detector.state import load_detector
from detector.train import Trainer, evidence_loss, train
from sfumato.errors import CheckpointError, OutputError, UsageError
from sfumato.run import RunFolder
from tests.detector_fixtures import TINY, face_picture


def with_steps(steps: int, **changes) -> object:
    return dataclasses.replace(TINY, train=dataclasses.replace(TINY.train, steps=steps, **changes))


def test_toy_is_learned_and_recorded(toy, tmp_path) -> None:
    rows, cache = toy
    config = with_steps(60)
    shares = []
    done = train(rows, RunFolder(tmp_path / "run"), config, cache, advance=shares.append)
    assert done.step == 60
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
    train(rows, RunFolder(tmp_path / "whole"), config, cache)
    stopped = trainer(rows, cache, tmp_path / "parts", config)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(_stop_after(6))
    train(rows, RunFolder(tmp_path / "parts", resume=True), config, cache, resume=True)
    whole, parts = (load_detector(tmp_path / name / "detector.safetensors")[0].state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_backbone_rests_while_the_heads_start(toy, tmp_path) -> None:
    rows, cache = toy
    subject = trainer(rows, cache, tmp_path / "run", with_steps(10))
    before = {name: value.clone() for name, value in subject.net.state_dict().items()}
    subject.train_step(as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"]), share=0.0)
    after = subject.net.state_dict()
    assert all(torch.equal(before[n], after[n]) for n in before if n.startswith("backbone."))
    assert not torch.equal(before["heads.bias"], after["heads.bias"]) or not torch.equal(before["heads.weight"], after["heads.weight"])


def test_untaught_head_gets_no_gradient() -> None:
    logits = torch.zeros(4, 2, requires_grad=True)
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "blend"])
    evidence_loss(logits, batch.target, batch.weight).backward()
    assert logits.grad[:, 1].abs().sum() == 0
    assert logits.grad[:, 0].abs().sum() > 0


def test_existing_run_is_not_overwritten(toy, tmp_path) -> None:
    RunFolder(tmp_path / "run").write_options({})
    with pytest.raises(OutputError):
        RunFolder(tmp_path / "run")


def test_missing_split_is_refused(toy, tmp_path) -> None:
    rows, cache = toy
    with pytest.raises(UsageError, match="validation"):
        train([row for row in rows if row.split == "train"], RunFolder(tmp_path / "run"), TINY, cache)


def test_checkpoint_of_another_net_is_refused(toy, tmp_path) -> None:
    rows, cache = toy
    train(rows, RunFolder(tmp_path / "run"), with_steps(2), cache)
    other = dataclasses.replace(TINY, model=dataclasses.replace(TINY.model, backbone="test_efficientnet"))
    subject = trainer(rows, cache, tmp_path / "run", other, resume=True)
    with pytest.raises(CheckpointError, match="do not fit"):
        subject.resume()


def trainer(rows, cache, path, config, resume: bool = False) -> Trainer:
    training, validation = (PairSource([row for row in rows if row.split == name], cache, config) for name in ("train", "validation"))
    return Trainer(RunFolder(path, resume=resume), config, training, validation, torch.device("cpu"))


def _stop_after(steps: int):
    left = [steps]

    def advance(amount: float) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return advance


def test_run_starts_from_an_earlier_detector(toy, tmp_path) -> None:
    rows, cache = toy
    train(rows, RunFolder(tmp_path / "first"), with_steps(3), cache)
    earlier = tmp_path / "first" / "detector.safetensors"
    subject = trainer(rows, cache, tmp_path / "second", with_steps(3, start=earlier))
    expected = load_detector(earlier)[0].state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in subject.net.state_dict().items())
    assert "earlier run" in subject.net.backbone.source
    other = dataclasses.replace(with_steps(3, start=earlier), model=dataclasses.replace(TINY.model, backbone="test_efficientnet"))
    with pytest.raises(CheckpointError, match="do not fit"):
        trainer(rows, cache, tmp_path / "third", other)
