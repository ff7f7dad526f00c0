"""The state of a run: what was saved goes on as if never stopped; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from generator.training.state import load_state, save_state
from generator.training.trainer import MetaTrainer
from sfumato.errors import CheckpointError, OutputError
from tests.generator_fixtures import WARP, model, people, train_config

CPU = torch.device("cpu")


def trainer(family: str = WARP, **changes: object) -> MetaTrainer:
    return MetaTrainer(train_config(family, **changes), people(4, pictures=2), CPU)


def test_a_resumed_trainer_equals_one_that_was_never_stopped(tmp_path: Path) -> None:
    whole, first, second = (trainer(model=model(spectral_norm=True), critic_updates=2) for _ in range(3))
    for _ in range(4):
        expected = whole.step()
    for _ in range(2):
        first.step()
    save_state(tmp_path / "state.safetensors", first, 0.5)
    torch.rand(7)  # what happens in between does not matter
    assert load_state(tmp_path / "state.safetensors", second) == 0.5
    for _ in range(2):
        log = second.step()
    assert log == expected
    for name, module in whole.modules.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, second.modules[name].state_dict()[key]), f"{name}.{key}"


def test_moments_lie_in_memory_as_their_weights_do(tmp_path: Path) -> None:
    first, second = trainer(), trainer()
    first.step()
    save_state(tmp_path / "state.safetensors", first)
    load_state(tmp_path / "state.safetensors", second)
    for optimiser in second.optimisers.values():
        for parameter, entry in optimiser.state.items():
            assert entry["exp_avg"].stride() == parameter.stride()


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch
    from safetensors import SafetensorError

    def full(*arguments: object, **keywords: object) -> None:
        raise SafetensorError("No space left on device")

    path, run = tmp_path / "state.safetensors", trainer()
    save_state(path, run)
    before = path.read_bytes()
    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        save_state(path, run)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_state_of_another_network_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "state.safetensors", trainer())
    with pytest.raises(CheckpointError, match="another model"):
        load_state(tmp_path / "state.safetensors", trainer(model=model(width=16)))


def test_a_state_of_other_footage_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "state.safetensors", trainer())
    with pytest.raises(CheckpointError, match="other footage"):
        load_state(tmp_path / "state.safetensors", MetaTrainer(train_config(), people(3), CPU))


@pytest.mark.parametrize("content", [b"", b"no state", b"\x10\0\0\0\0\0\0\0{}"])
def test_a_damaged_state_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="Cannot resume"):
        load_state(tmp_path / "state.safetensors", trainer())
