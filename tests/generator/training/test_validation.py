"""Validation: fixed episodes, known values for a perfect and for a blank picture, and the sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from generator.networks.embedder import Embedder
from generator.networks.synthesizer import Generator
from generator.training.validation import Validation, Validator, validation_episodes
from sfumato.media.images import read_image
from tests.generator_fixtures import PLAIN, SIZE, model, people, train_config


class Answers(Generator):
    """Makes the pictures that it was given, in turn."""

    def __init__(self, answers: list[Tensor]) -> None:
        super().__init__(model(PLAIN))
        self.answers = iter(answers)

    def forward(self, sketch: Tensor, psi: Tensor) -> Tensor:
        return next(self.answers)


def validator(count: int = 2) -> Validator:
    return Validator(people(count), train_config(PLAIN), torch.device("cpu"))


def wanted(judge: Validator) -> list[Tensor]:
    return [e.target for e in validation_episodes(judge.people, judge.config)]


def test_the_targets_themselves_get_full_marks(tmp_path: Path) -> None:
    judge = validator()
    seen = judge.measure(Embedder(model(PLAIN)), Answers(wanted(judge)), tmp_path / "sheet.png")
    assert (seen.ssim, seen.l1, seen.csim) == pytest.approx((1, 0, 1), abs=1e-4)
    assert read_image(tmp_path / "sheet.png").shape == (
        4 * SIZE,
        4 * SIZE,
        3,
    )  # source, landmarks, output, target of 2 x 2


def test_l1_of_inverted_pictures_is_their_mean_distance() -> None:
    judge = validator()
    targets = wanted(judge)
    seen = judge.measure(Embedder(model(PLAIN)), Answers([-t for t in targets]))
    assert seen.l1 == pytest.approx(float(torch.cat(targets).abs().mean()), abs=1e-4)
    assert seen.ssim < 0.5 and seen.csim < 0.9


def test_the_score_is_ssim_and_csim() -> None:
    assert Validation(0.6, 0.1, 0.3, 1.0).score == pytest.approx(0.9)


def test_validation_takes_sources_from_the_first_half_and_targets_from_the_second() -> None:
    person = people(1, frames=8)[0]
    episodes = list(validation_episodes((person,), train_config(frames=4)))
    early = [torch.from_numpy(p) for p in (2 * person.clips[0].landmarks[:4] + 1) / SIZE - 1]
    for drawn in episodes:
        for points in drawn.landmarks[0]:
            assert any(torch.allclose(points, e) for e in early)
        assert not any(torch.allclose(drawn.target_landmarks[0], e) for e in early)
