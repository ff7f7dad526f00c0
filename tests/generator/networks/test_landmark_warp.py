"""The family without a network: its picture is the warp, at every size; nothing of it can be trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from generator.networks.checkpoint import TRAINING_FREE, checkpoint_path, load_checkpoint
from generator.networks.landmark_warp import LandmarkWarp, landmark_warp
from generator.networks.warp import nearest, sample, warp_grid
from generator.person.fine_tune import fine_tune, meet, picture
from generator.person.portrait import Portrait
from generator.rendering.animator import Animator, tune_config
from generator.training.meta_train import MetaTrainer
from sfumato.errors import MissingFileError, UsageError
from sfumato.media.faces import Crop, Face
from tests.generator_fixtures import drawn_face, episode, people, pose, train_config


def sitter(seed: int, size: int = 96) -> Portrait:
    """A drawn portrait of one person; `seed` is the pose."""
    points = pose(seed, size)
    face = Face((10.0, 10.0, 60.0, 60.0), 1.0, np.zeros((5, 2), np.float32))
    return Portrait(
        Crop(0, 0, size), face, drawn_face(0, points, size), ((2 * points + 1) / size - 1).astype(np.float32)
    )


def target(seed: int = 9) -> np.ndarray:
    return np.asarray((2 * pose(seed, 64) + 1) / 64 - 1, np.float32)


def test_it_is_loaded_by_its_name_and_says_what_it_is() -> None:
    loaded = load_checkpoint(checkpoint_path("landmark-warp"))
    assert loaded.config.family == TRAINING_FREE and isinstance(loaded.generator, LandmarkWarp)
    assert (
        len(loaded.digest) == 64 and not list(loaded.generator.parameters()) and not list(loaded.embedder.parameters())
    )


def test_the_file_that_ships_is_what_the_code_describes() -> None:
    loaded, made = load_checkpoint(checkpoint_path("landmark-warp")), landmark_warp()
    assert (loaded.config, loaded.landmarks, loaded.crop, loaded.record) == (
        made.config,
        made.landmarks,
        made.crop,
        made.record,
    )


@pytest.mark.parametrize("size", [64, 96, 250])
@pytest.mark.parametrize("count", [1, 3])
def test_a_picture_is_the_warp_of_the_nearest_source_at_every_size(size: int, count: int) -> None:
    sitters = [sitter(i) for i in range(count)]
    animator = Animator(landmark_warp())
    animator.set_identity(sitters)
    made = animator.render(target(), size)
    points = torch.from_numpy(target())[None]
    landmarks = torch.from_numpy(np.stack([s.landmarks for s in sitters]))
    chosen = int(nearest(landmarks[None], points, 1)[0, 0])
    source = torch.from_numpy(sitters[chosen].large).permute(2, 0, 1)[None].float() / 127.5 - 1
    expected = sample(source, warp_grid(landmarks[chosen][None], points, size))[0]
    assert made.shape == (size, size, 3)
    assert np.abs(made - ((expected + 1) * 127.5).permute(1, 2, 0).numpy()).max() <= 1


def test_its_own_pose_gives_the_portrait_itself() -> None:
    portrait = sitter(1)
    animator = Animator(landmark_warp())
    animator.set_identity([portrait])
    assert np.abs(animator.render(portrait.landmarks).astype(int) - portrait.large).mean() < 1


def test_fine_tuning_is_refused() -> None:
    animator = Animator(landmark_warp())
    with pytest.raises(UsageError, match="nothing to train"):
        animator.set_identity([sitter(0)], tune_config(landmark_warp(), 1.0))


def test_meta_training_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to train"):
        MetaTrainer(train_config(TRAINING_FREE), people(2), torch.device("cpu"))


def test_it_serves_where_trained_families_do() -> None:
    small = episode(batch=1)
    person = meet(landmark_warp(), small.faces[0], small.sketches[0], small.landmarks[0])
    made = picture(person.generator, person.psi, small)
    assert made.shape == small.target.shape and made.abs().max() <= 1
    with pytest.raises(UsageError):
        fine_tune(landmark_warp(), person, tune_config(landmark_warp(), 1.0))


def test_an_unknown_name_lists_it() -> None:
    with pytest.raises(MissingFileError, match=TRAINING_FREE):
        checkpoint_path(Path("landmark-wrap"))
