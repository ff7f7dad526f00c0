"""Checkpoints: what was saved comes back; anything else is refused, in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generator.networks import checkpoint as module
from generator.networks.checkpoint import (
    FORMAT,
    SHIPPED,
    checkpoint_name,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
)
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, MissingFileError, OutputError
from sfumato.media.clips import file_digest
from tests.generator_fixtures import PLAIN, WARP, checkpoint, episode, model, same_picture


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "model.safetensors", checkpoint(PLAIN))
    return tmp_path / "model.safetensors"


def header(**changes: Any) -> dict[str, str]:
    values = {
        "format": FORMAT,
        "config": json.dumps(to_dict(model(PLAIN))),
        "landmarks": "mesh",
        "crop": "square60-v1",
        "record": "{}",
    }
    return {k: v for k, v in {**values, **changes}.items() if v is not None}


def rewrite(path: Path, tensors: dict[str, torch.Tensor] | None = None, **changes: Any) -> Path:
    """The file again, with other tensors or another header."""
    save_file(tensors if tensors is not None else load_file(path), path, metadata=header(**changes))
    return path


@pytest.mark.parametrize("family", [PLAIN, WARP])
def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path, family: str) -> None:
    made = checkpoint(family)
    made.record["steps"] = 7
    save_checkpoint(tmp_path / "model.safetensors", made)
    read = load_checkpoint(tmp_path / "model.safetensors")
    assert read.config == made.config and read.record == {"steps": 7} and read.landmarks == "mesh"
    psi = torch.randn(2, made.generator.network.coefficients)
    assert torch.equal(same_picture(read, episode(), psi), same_picture(made, episode(), psi))


def test_half_precision_is_half_the_size_and_nearly_the_same(tmp_path: Path) -> None:
    made = checkpoint(PLAIN)
    save_checkpoint(tmp_path / "full.safetensors", made)
    save_checkpoint(tmp_path / "half.safetensors", made, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * (tmp_path / "full.safetensors").stat().st_size
    read = load_checkpoint(tmp_path / "half.safetensors")
    psi = torch.randn(2, made.generator.network.coefficients) * 0.1
    assert torch.allclose(same_picture(read, episode(), psi), same_picture(made, episode(), psi), atol=0.02)
    assert next(read.generator.parameters()).dtype == torch.float32


def test_w_is_dropped_and_the_rest_of_the_critic_kept(saved: Path) -> None:
    names = load_file(saved)
    assert not [n for n in names if "identities" in n]
    read = load_checkpoint(saved)
    assert read.critic is not None
    assert torch.equal(read.critic.shared, names["critic.shared"])


def test_the_digest_is_the_files(saved: Path) -> None:
    assert load_checkpoint(saved).digest == file_digest(saved)


def test_the_file_can_be_read_by_whoever_may_read_new_files(saved: Path) -> None:
    (saved.parent / "plain").write_text("")
    assert saved.stat().st_mode == (saved.parent / "plain").stat().st_mode


def test_another_landmark_backend_is_refused_with_advice(saved: Path) -> None:
    with pytest.raises(CheckpointError, match="--landmarks mesh"):
        load_checkpoint(saved).require("face-alignment")


def test_another_crop_is_refused(saved: Path) -> None:
    with pytest.raises(CheckpointError, match="crop 'square40-v0'"):
        load_checkpoint(rewrite(saved, crop="square40-v0")).require("mesh")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\xff" * 64, b"\x08\0\0\0\0\0\0\0notjson!"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path)


@pytest.mark.parametrize("part", [0.2, 0.9, 0.9999])
def test_a_cut_off_file_is_refused(saved: Path, part: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(saved)


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    torch.save({"x": torch.zeros(1)}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="not safetensors"):
        load_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize("change", [{"format": "other-1"}, {"format": None}])
def test_another_format_is_refused(saved: Path, change: dict[str, str | None]) -> None:
    with pytest.raises(CheckpointError, match="format"):
        load_checkpoint(rewrite(saved, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"config": "{"}, {"config": "[]"}, {"config": None}, {"config": '{"family": "gan"}'},
        {"config": '{"size": 100}'},
        {"record": "[1]"},
        {"config": json.dumps(to_dict(model(PLAIN, width=16)))}, {"config": json.dumps(to_dict(model(WARP)))},
        {"config": "[" * 5000},
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_is_refused(saved: Path, change: dict[str, str | None]) -> None:
    with pytest.raises(CheckpointError, match="does not fit"):
        load_checkpoint(rewrite(saved, **change))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(saved: Path, value: float) -> None:
    tensors = load_file(saved)
    tensors["generator.network.last.bias"][0] = value
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(rewrite(saved, tensors))


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_other_tensors_are_refused(saved: Path, change: str) -> None:
    tensors = load_file(saved)
    if change == "missing":
        del tensors["embedder.blocks.0.conv1.weight"]
    elif change == "extra":
        tensors["generator.more"] = torch.zeros(1)
    else:
        tensors["generator.network.last.bias"] = torch.zeros(99)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_checkpoint(rewrite(saved, tensors))


def test_a_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_checkpoint(tmp_path / "none" / "model.safetensors", checkpoint(PLAIN))


def test_a_path_is_taken_as_given(saved: Path) -> None:
    assert checkpoint_path(saved) == saved
    assert checkpoint_path(str(saved)) == saved


def test_a_shipped_name_is_found_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").mkdir()
    for name in SHIPPED:
        (tmp_path / "weights" / f"{name}.safetensors").write_bytes(b"x")
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    assert checkpoint_path() == tmp_path / "weights" / "portrait-256.safetensors"
    assert checkpoint_path("paper-128").name == "paper-128.safetensors"


def test_a_shipped_name_that_is_not_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    with pytest.raises(CheckpointError, match="not part of this installation"):
        checkpoint_path("portrait-256")


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(MissingFileError, match="portrait-256, paper-128"):
        checkpoint_path("../portrait")


@pytest.mark.parametrize(
    ("path", "name"), [("a/mine.safetensors", "mine"), ("one/model.safetensors", "one/model"), ("a/best", "a/best")]
)
def test_a_checkpoint_is_called_what_its_owner_called_it(path: str, name: str) -> None:
    assert checkpoint_name(Path(path)) == name


def test_a_name_that_is_nearly_right_is_told() -> None:
    with pytest.raises(MissingFileError, match="Did you mean 'portrait-256'"):
        checkpoint_path("portrait256")
