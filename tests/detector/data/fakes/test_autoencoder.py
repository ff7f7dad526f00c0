"""The autoencoder of faces: sizes kept, it learns, same seed same weights, and files that are not its own are
refused.
"""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from detector.data.fakes.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    build,
    draw_config,
    load_autoencoder,
    save_autoencoder,
    train_autoencoder,
)  # fmt: skip
from sfumato.errors import CheckpointError, UsageError
from tests.detector_fixtures import face_picture

SMALL = AutoencoderConfig(width=8, bottleneck=8)


def batches():
    return ([face_picture(4 * number + i, 48) for i in range(4)] for number in itertools.count())


@pytest.mark.parametrize("upsampling", ["nearest", "transposed"])
@pytest.mark.parametrize("shape", [(64, 64), (50, 71)])
def test_reconstructions_have_the_pictures_size(upsampling, shape) -> None:
    config = AutoencoderConfig(upsampling, 4, 4)
    (made,) = Autoencoder(config, build(config).eval()).reconstruct([np.zeros((*shape, 3), np.uint8)])
    assert made.shape == (*shape, 3) and made.dtype == np.uint8


def test_it_learns_to_give_the_picture_back() -> None:
    picture = face_picture(1, 48)
    errors = []
    for steps in (1, 150):
        trained = train_autoencoder(
            itertools.repeat([face_picture(i, 48) for i in range(3)]), steps=steps, config=SMALL
        )
        errors.append(np.abs(trained.reconstruct([picture])[0].astype(int) - picture).mean())
    assert trained.record["steps"] == 150
    assert errors[1] < 0.5 * errors[0]


def test_same_seed_same_weights() -> None:
    first, second, other = (train_autoencoder(batches(), steps=3, seed=seed, config=SMALL) for seed in (3, 3, 4))
    tensors = [
        torch.cat([value.flatten() for value in trained.net.state_dict().values()])
        for trained in (first, second, other)
    ]
    assert torch.equal(tensors[0], tensors[1]) and not torch.equal(tensors[0], tensors[2])


def test_seeds_draw_both_ways_up() -> None:
    assert [draw_config(seed).upsampling for seed in range(4)] == ["nearest", "transposed"] * 2


def test_a_file_is_read_back(tmp_path: Path) -> None:
    trained = train_autoencoder(batches(), steps=2, config=SMALL)
    save_autoencoder(tmp_path / "a.safetensors", trained)
    again = load_autoencoder(tmp_path / "a.safetensors")
    assert again.config == SMALL and again.record == trained.record and len(again.digest) == 64
    assert np.array_equal(again.reconstruct([face_picture(0)])[0], trained.reconstruct([face_picture(0)])[0])


def test_other_files_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "a.safetensors"
    with pytest.raises(CheckpointError):
        load_autoencoder(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(CheckpointError):
        load_autoencoder(path)
    save_file({"a": torch.zeros(1)}, path, {"format": "something else"})
    with pytest.raises(CheckpointError, match="something else"):
        load_autoencoder(path)
    trained = train_autoencoder(batches(), steps=1, config=SMALL)
    save_autoencoder(path, dataclasses.replace(trained, config=AutoencoderConfig(width=16)))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_autoencoder(path)


def test_training_needs_an_end_and_crops() -> None:
    with pytest.raises(UsageError, match="end"):
        train_autoencoder(batches())
    with pytest.raises(UsageError, match="no face crops"):
        train_autoencoder(iter([]), steps=3)
