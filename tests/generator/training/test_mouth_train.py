"""A run that teaches the painter of mouths: its folder, its sheet, its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from generator.data.dataset import Dataset
from generator.networks.checkpoint import load_checkpoint, save_checkpoint
from generator.training.mouth_train import gather_split, start_of, train_mouth
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.faces import CROP_VERSION
from sfumato.run import RunFolder
from tests.generator.data.test_mouths import of, speaking
from tests.generator.training.test_mouth_trainer import config
from tests.generator_fixtures import checkpoint

CPU = torch.device("cpu")


def footage(widest: float = 0.2, landmarks: str = "mesh") -> Dataset:
    people = of(*(speaking(i, 24 if i < 3 else 1, widest) for i in range(5)))
    return Dataset(people, {"crop": CROP_VERSION, "landmarks": landmarks, "size": 32})


def test_a_run_leaves_a_checkpoint_that_paints(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "base.safetensors", checkpoint())
    chosen = config(start=str(tmp_path / "base.safetensors"), validate_every=2, save_every=2, log_every=1, held_out=1)
    data = footage()
    base = start_of(chosen, data, CPU)
    counted: list[float] = []
    mouths = gather_split(data, chosen, 32, counted.append)
    assert sum(counted) == 5
    run, shares = RunFolder(tmp_path / "run"), list[float]()
    train_mouth(data, *mouths, base, chosen, run, CPU, advance=shares.append)
    assert sum(shares) == pytest.approx(1)
    lines = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    validations = [line["validation"] for line in lines if "validation" in line]
    assert len(validations) == 2 and all(v["painted"] > 0 for v in validations)
    assert load_checkpoint(run.path / "model.safetensors").generator.mouth is not None
    assert load_checkpoint(run.path / "best.safetensors").record["mouth"]["validation"] in validations
    assert (run.path / "samples.png").exists()


def test_closed_mouths_teach_nothing() -> None:
    with pytest.raises(UsageError, match="opens the mouth"):
        gather_split(footage(0.0), config(held_out=1), 32)


def test_footage_with_other_landmarks_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "base.safetensors", checkpoint())
    with pytest.raises(CheckpointError, match="landmarks"):
        start_of(config(start=str(tmp_path / "base.safetensors")), footage(landmarks="face-alignment"), CPU)
