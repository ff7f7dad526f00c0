"""The quality norm: what the qualities follow, that a threshold holds at every quality, refusals, the record there and
back.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.inference.fusion import Stack
from detector.inference.quality_norm import QUALITIES, QualityNorm, fit_norm, qualities
from detector.training.calibrate import clip_logit, with_norm
from detector.training.evidence import ClipEvidence
from detector.training.groups import conformal_threshold
from tests.detector_fixtures import face_picture

CROP = np.clip(face_picture(3, 192) + np.random.default_rng(0).normal(0, 8, (192, 192, 3)), 0, 255).astype(np.uint8)
FINE = QUALITIES.index("energy 1 px")


def copies(count: int, seed: int = 0, fake: bool = False) -> list[ClipEvidence]:
    """Clips whose first quality, say sharpness, is drawn; the softer a real, the higher its logit."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        quality = rng.normal(size=len(QUALITIES))
        logit = -4 - 1.5 * quality[0] + 0.3 * quality[0] ** 2 + rng.normal() + 3 * fake
        made.append(
            ClipEvidence(
                f"{i}.mp4", f"person {i}", "reenact" if fake else "real", np.array([[-40.0, logit]]), "", quality
            )
        )
    return made


def test_each_change_shows_where_it_should() -> None:
    import cv2

    plain = qualities(CROP, 400.0, True)
    blurred = qualities(np.asarray(cv2.GaussianBlur(CROP, (0, 0), 2.0), np.uint8), 400.0, True)
    noisy = np.clip(CROP + np.random.default_rng(1).normal(0, 20, CROP.shape), 0, 255).astype(np.uint8)
    assert plain.shape == (len(QUALITIES),) and np.isfinite(plain).all()
    assert blurred[FINE] < plain[FINE] - 1
    assert qualities(noisy, 400.0, True)[FINE] > plain[FINE] + 1
    assert plain[QUALITIES.index("pixels")] == 0
    assert (plain[QUALITIES.index("video")], qualities(CROP, 400.0, False)[QUALITIES.index("video")]) == (1, 0)
    assert qualities(CROP, 96.0, True)[QUALITIES.index("pixels")] == pytest.approx(np.log(0.5))


@pytest.mark.parametrize("value", [0, 255])
def test_a_flat_crop_has_qualities_too(value: int) -> None:
    assert np.isfinite(qualities(np.full((48, 48, 3), value, np.uint8), 48.0, False)).all()


def test_one_threshold_holds_at_every_quality() -> None:
    """Without the norm a threshold for one in ten flags most of the soft reals and none of the sharp ones."""
    stack = Stack((1.0, 1.0), (0.0, 0.0))
    normed = with_norm(stack, copies(3000), copies(300, 1) + copies(300, 2, fake=True))
    soft, sharp = ([c for c in copies(4000, 4) if sign * c.quality[0] > 1] for sign in (-1, 1))
    rates = {}
    for name, used in (("plain", stack), ("normed", normed)):
        threshold = conformal_threshold([clip_logit(used, clip) for clip in copies(1000, 3)], 0.1)
        for kind, clips in (("soft", soft), ("sharp", sharp)):
            rates[name, kind] = np.mean([clip_logit(used, clip) > threshold for clip in clips])
    assert rates["plain", "soft"] > 0.3 and rates["plain", "sharp"] < 0.02
    assert rates["normed", "soft"] == pytest.approx(0.1, abs=0.05) and rates["normed", "sharp"] == pytest.approx(
        0.1, abs=0.05
    )


def test_normed_logits_are_a_probabilitys() -> None:
    stack = with_norm(Stack(), copies(2000), copies(400, 1) + copies(400, 2, fake=True))
    real, fake = (np.array([clip_logit(stack, c) for c in copies(400, 5, kind)]) for kind in (False, True))
    assert np.mean(1 / (1 + np.exp(-fake))) > 0.8 > 0.2 > np.mean(1 / (1 + np.exp(-real)))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=len(QUALITIES), max_size=len(QUALITIES)),
    st.floats(-50, 50),
    st.floats(0.01, 50),
)
def test_at_one_quality_the_order_of_logits_stays(quality: list[float], logit: float, more: float) -> None:
    stack = dataclasses.replace(Stack(), norm=NORM).at(np.array(quality))
    lower, higher = stack.logit(np.array([[-90.0, logit], [-90.0, logit + more]]))
    assert np.isfinite([lower, higher]).all() and higher > lower
    each = stack.each(np.array([[-90.0, logit]]))
    assert each.max() <= lower + 1e-6 * (1 + abs(lower))


NORM = fit_norm(np.array([c.quality for c in copies(400)]), np.array([c.evidence[0, 1] for c in copies(400)]))


def test_weights_stay_the_gradient() -> None:
    stack = dataclasses.replace(Stack((0.7, 1.3), (0.2, -0.4)), norm=NORM).at(copies(1)[0].quality)
    evidence, step = np.array([0.3, -0.8]), 1e-5
    slopes = [
        (stack.logit(evidence + step * unit) - stack.logit(evidence - step * unit)) / (2 * step) for unit in np.eye(2)
    ]
    assert stack.weights(evidence) == pytest.approx(slopes, rel=1e-4)


def test_too_few_copies_make_no_norm() -> None:
    with pytest.raises(ValueError, match="more than"):
        fit_norm(np.zeros((20, len(QUALITIES))), np.zeros(20))
    again = [
        dataclasses.replace(clip, identity=f"person {i % 50}") for i, clip in enumerate(copies(2000))
    ]  # forty of each of fifty people
    assert with_norm(Stack(), again, copies(20, 1) + copies(20, 2, fake=True)) == Stack()


def test_the_record_goes_there_and_back() -> None:
    again = QualityNorm.from_json(NORM.as_json())
    assert again == NORM


@pytest.mark.parametrize(
    "change", [
        {"qualities": ["sharpness"]}, {"centre": [0.0]}, {"gain": 0.0}, {"gain": float("nan")},
        {"deviation": [0.0] * len(QUALITIES)},
        {"mean": ["x"] * len(QUALITIES)}, {"gain": 1e308}, {"gain": 10**400}, {"shift": float("inf")},
    ],
)  # fmt: skip
def test_a_garbled_record_is_refused(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, OverflowError)):
        QualityNorm.from_json(NORM.as_json() | change)
