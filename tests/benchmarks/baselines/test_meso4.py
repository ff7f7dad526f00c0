"""Meso4: as many parameters as the paper says, a forgery that anybody can see is learnt, labels by lot are not."""

import numpy as np
import pytest
import torch

from benchmarks.baselines.examples import Examples
from benchmarks.baselines.meso4 import PARAMETERS, SIDE, Meso4Config, Meso4Net, scores, train_meso4
from tests.detector_fixtures import checkered, face_picture

CONFIG = Meso4Config(steps=30, batch=8)


def drawn(count: int, start: int, forged: bool = True, seed: int = 0) -> Examples:
    """`count` drawn people, half of them under a checkerboard; unless forged, labels are drawn by lot."""
    labels = np.arange(count) % 2 if forged else np.random.default_rng(seed).permutation(np.arange(count) % 2)
    faces = [face_picture(start + i, SIDE) for i in range(count)]
    crops = [checkered(face) if forged and label else face for face, label in zip(faces, labels, strict=True)]
    return Examples(np.stack(crops), labels, np.arange(count))


def test_it_is_as_large_as_in_the_paper() -> None:
    assert sum(part.numel() for part in Meso4Net().parameters()) == PARAMETERS == 27977
    assert Meso4Net().eval()(torch.zeros(2, 3, SIDE, SIDE)).shape == (2,)


def test_a_forgery_that_anybody_can_see_is_learnt() -> None:
    steps = []
    net, known = train_meso4(drawn(24, 0), drawn(16, 100), CONFIG, steps.append)
    test = drawn(16, 200)
    found = scores(net, test.crops)
    assert found[test.labels == 1].min() > found[test.labels == 0].max()
    assert known["validation_auc"] == 1.0 and len(steps) == CONFIG.steps


def test_the_same_seed_learns_the_same() -> None:
    few = Meso4Config(steps=3, batch=4)
    nets = [train_meso4(drawn(8, 0), drawn(4, 100), few, lambda amount: None)[0] for _ in range(2)]
    crops = drawn(4, 200).crops
    assert np.array_equal(scores(nets[0], crops), scores(nets[1], crops))


def test_no_pictures_have_no_scores() -> None:
    assert scores(Meso4Net(), np.zeros((0, SIDE, SIDE, 3), np.uint8)).shape == (0,)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 1}, {"rate": 0.0}])
def test_settings_that_are_none_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="steps"):
        Meso4Config(**wrong)
