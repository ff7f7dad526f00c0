"""Pairs: labels, equal treatment of both sides, twins, determinism by step."""

import numpy as np
import pytest
import torch

from detector.config import HEADS
from detector.samples import PairedBatches, PairSource, as_batch, even
from sfumato.errors import UsageError
from tests.detector_fixtures import TINY, clip_row, face_picture


def source(toy, split: str = "train") -> PairSource:
    rows, cache = toy
    return PairSource([row for row in rows if row.split == split], cache, TINY)


def test_reals_are_zero_and_each_fake_teaches_its_own_head() -> None:
    batch = as_batch([face_picture(i, 48) for i in range(4)], ["blend", "reenact"])
    blend, synthesis = HEADS.index("blend"), HEADS.index("synthesis")
    assert batch.target[0::2].sum() == 0
    assert batch.target[1].tolist() == [1.0, 0.0]
    assert batch.weight[1, synthesis] == 0
    assert batch.target[3, synthesis] == 1
    assert batch.weight[3, blend] == 0
    assert (batch.weight[0::2] > 0).all()


def test_identical_pictures_stay_identical_through_the_pass(toy) -> None:
    pairs = source(toy)
    pair = pairs.draw(np.random.default_rng(0))
    same = type(pair)(pair.real, pair.real, pair.family)
    for seed in range(5):
        real, fake = pairs.finish(same, np.random.default_rng(seed))
        assert np.array_equal(real, fake)
        assert real.shape == (48, 48, 3)


def test_both_come_at_the_smaller_resolution() -> None:
    real, fake = even(face_picture(0, 200), face_picture(0, 96))
    assert real.shape == fake.shape == (96, 96, 3)


def test_twin_is_the_clip_that_pair_of_names(toy) -> None:
    pairs = source(toy)
    for fake in pairs.fakes:
        assert pairs.twin(fake).path == fake.pair_of
        assert pairs.twin(fake).identity == fake.identity


def test_a_batch_follows_from_seed_and_step(toy) -> None:
    first, second, other = PairedBatches(source(toy), 1)[5], PairedBatches(source(toy), 1)[5], PairedBatches(source(toy), 2)[5]
    assert torch.equal(first.images, second.images)
    assert not torch.equal(first.images, other.images)
    assert first.images.shape == (12, 3, 48, 48)
    assert first.images.abs().max() <= 1


def test_split_without_reals_is_refused(toy) -> None:
    rows, cache = toy
    with pytest.raises(UsageError, match="real"):
        PairSource([row for row in rows if row.label == "fake"], cache, TINY)


def test_fake_without_twin_gets_a_real_of_the_same_person(toy) -> None:
    rows, cache = toy
    real = next(row for row in rows if row.label == "real" and row.split == "train")
    orphan = clip_row("orphan.mp4", "fake", identity=real.identity)
    pairs = PairSource([row for row in rows if row.label == "real" and row.split == "train"], cache, TINY)
    assert pairs.twin(orphan) is None
