"""Batches: labels, equal treatment of both sides, the mix, determinism by step."""

import dataclasses

import numpy as np
import pytest
import torch

from detector.config import HEADS
from detector.data.pairs import PairedBatches, PairSource, as_batch
from sfumato.errors import UsageError
from tests.detector_fixtures import TINY, face_picture


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
    same = dataclasses.replace(pair, fake=pair.real)
    for seed in range(5):
        real, fake = pairs.finish(same, np.random.default_rng(seed))
        assert np.array_equal(real, fake)
        assert real.shape == (48, 48, 3)


def test_a_batch_follows_from_seed_and_step(toy) -> None:
    first, second, other = (
        PairedBatches(source(toy), 1)[5],
        PairedBatches(source(toy), 1)[5],
        PairedBatches(source(toy), 2)[5],
    )
    assert torch.equal(first.images, second.images)
    assert not torch.equal(first.images, other.images)
    assert first.images.shape == (12, 3, 48, 48)
    assert first.images.abs().max() <= 1


def test_a_pass_that_shrinks_is_cut_like_any_other(toy) -> None:
    small = dataclasses.replace(TINY.degrade, shrink=1.0)
    pairs = PairSource(train_rows(toy), toy[1], dataclasses.replace(TINY, degrade=small))
    pair, steady = source(toy).draw(np.random.default_rng(0)), source(toy)
    soft, plain = (
        pairs.finish(pair, np.random.default_rng(1)),
        steady.finish(pair, np.random.default_rng(1), steady=True),
    )
    assert soft[0].shape == plain[0].shape == (48, 48, 3)
    assert (
        np.abs(soft[0].astype(int) - plain[0]).mean() < 25
    )  # the same face at the same place, or nearly so, only softer


def test_shuffled_exchanges_about_half_of_the_pairs_and_nothing_else(toy) -> None:
    shuffled = dataclasses.replace(TINY, samples=dataclasses.replace(TINY.samples, shuffled=True))
    plain, other = PairedBatches(source(toy), 1), PairedBatches(PairSource(train_rows(toy), toy[1], shuffled), 1)
    exchanged = []
    for step in range(10):
        for (real, fake), (first, second) in zip(plain[step].images.split(2), other[step].images.split(2), strict=True):
            exchanged.append(not torch.equal(real, first))
            assert torch.equal(
                torch.stack([fake, real] if exchanged[-1] else [real, fake]), torch.stack([first, second])
            )
    assert 0.25 < np.mean(exchanged) < 0.75
    assert torch.equal(plain[0].target, other[0].target)


def test_split_without_reals_is_refused(toy) -> None:
    rows, cache = toy
    with pytest.raises(UsageError, match="real"):
        PairSource([row for row in rows if row.label == "fake"], cache, TINY)


def test_several_processes_share_one_global_batch(toy) -> None:
    pairs = source(toy)
    double = dataclasses.replace(TINY, train=dataclasses.replace(TINY.train, pairs=12))
    whole = PairedBatches(PairSource(train_rows(toy), toy[1], double), 1)[5]
    parts = [PairedBatches(pairs, 1, first=first)[5] for first in (0, 6)]
    assert torch.equal(whole.images, torch.cat([part.images for part in parts]))


def test_the_mix_is_what_is_drawn(toy) -> None:
    pairs = mixed(
        toy, mix={"self-blend": 1.0, "toy": 3.0, "composite": 6.0}
    )  # there are no composites: their share goes to the others
    drawn = [pairs.draw(np.random.default_rng(i)).method for i in range(200)]
    assert set(drawn) == {"self-blend", "toy"}
    assert drawn.count("toy") == pytest.approx(150, abs=25)


@pytest.mark.parametrize(
    ("changes", "methods"),
    [
        ({"mix": {"swap": 1.0}}, ["swap-alpha", "swap-poisson"]),
        ({"mix": {"swap-poisson": 1.0}}, ["swap-poisson"]),
        ({"mix": {"lip-sync": 1.0}}, ["lip-sync"]),
        (
            {"mix": {"blend": 1.0, "swap": 0.0}},
            ["lip-sync", "self-blend"],
        ),  # the longest key that names a method counts, not its family's
        ({"mix": {"reenact": 1.0}}, ["toy"]),
        ({"leave_out": ("swap-alpha", "reenact")}, ["self-blend", "swap-poisson"]),
    ],
)
def test_methods_and_families_can_be_chosen_and_left_out(toy, changes, methods) -> None:
    assert mixed(toy, **changes).methods == methods


def test_a_test_measures_what_was_left_out_too(toy) -> None:
    settings = dataclasses.replace(TINY.samples, leave_out=("blend",))
    whole = PairSource(train_rows(toy), toy[1], dataclasses.replace(TINY, samples=settings), everything=True)
    assert whole.methods == ["lip-sync", "self-blend", "swap-alpha", "swap-poisson", "toy"]


def test_a_mix_that_leaves_nothing_is_refused(toy) -> None:
    with pytest.raises(UsageError, match="leave no fakes"):
        mixed(toy, mix={"composite": 1.0})


def mixed(toy, **changes) -> PairSource:
    return PairSource(
        train_rows(toy), toy[1], dataclasses.replace(TINY, samples=dataclasses.replace(TINY.samples, **changes))
    )


def train_rows(toy):
    return [row for row in toy[0] if row.split == "train"]
