"""What a training run shows of generated faces: sealed as a file, sealed inside TensorBoard's events, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from generator.networks.embedder import Embedder
from generator.networks.synthesizer import Generator
from generator.training.run_log import RunLog
from generator.training.validation import Validation, Validator, validation_episodes, weights_digest
from provenance.verifying.verify import verify
from sfumato.errors import MissingPartError, SfumatoWarning
from sfumato.registry import Registry
from sfumato.run import RunFolder
from tests.generator_fixtures import PLAIN, model, people, train_config


class Same(Generator):
    """Gives back the targets."""

    def __init__(self, targets: list[Tensor]) -> None:
        super().__init__(model(PLAIN))
        self.targets = iter(targets)

    def forward(self, sketch: Tensor, psi: Tensor) -> Tensor:
        return next(self.targets)


def write_samples(sheet: Path) -> Validation:
    judge = Validator(people(1), train_config(PLAIN), torch.device("cpu"))
    targets = [episode.target for episode in validation_episodes(judge.people, judge.config)]
    return judge.measure(Embedder(model(PLAIN)), Same(targets), sheet)


def test_samples_are_sealed_and_so_is_what_tensorboard_gets(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    sheet = folder.path / "samples.png"
    seen = write_samples(sheet)
    found = verify(sheet)
    assert (found.outcome, found.declares) == ("untrusted", ("trainedAlgorithmicMedia",))
    assert found.facts["model_name"].endswith("in training")
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = RunLog(folder, 0)
    log.validation(1, seen, sheet)
    log.close()
    (event,) = EventAccumulator(str(folder.path / "tensorboard")).Reload().Images("samples")
    assert event.encoded_image_string == sheet.read_bytes()


def test_without_keys_a_run_goes_on_without_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SFUMATO_KEYS", str(tmp_path / "file" / "keys"))
    with pytest.warns(SfumatoWarning, match="samples were not written"):
        write_samples(tmp_path / "samples.png")
    assert not (tmp_path / "samples.png").exists()


def test_where_nothing_can_sign_a_run_goes_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Registry, name: str) -> object:
        raise MissingPartError("The seal needs a package")

    monkeypatch.setattr(Registry, "load", missing)
    with pytest.warns(SfumatoWarning, match="The seal needs a package"):
        write_samples(tmp_path / "samples.png")
    assert not (tmp_path / "samples.png").exists()


def test_the_digest_of_weights_is_theirs() -> None:
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert weights_digest(one) == weights_digest(one) != weights_digest(other)
