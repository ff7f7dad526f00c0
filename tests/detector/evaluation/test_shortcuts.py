"""The shortcut audit finds a shortcut that was planted, and none where there is none."""

import numpy as np
import pytest

from detector.evaluation.rows import clusters_of
from detector.evaluation.shortcuts import matched_auc, metadata_auc, sharpness_auc
from sfumato.errors import UsageError
from tests.evaluation_fixtures import scored


def videos(count: int, facts, seed: int = 0):
    """`facts(fake, rng)` gives the keywords of each."""
    rng = np.random.default_rng(seed)
    return [scored(f"v{i}", ("real", "fake")[i % 2], 0.5, **facts(bool(i % 2), rng)) for i in range(count)]


def media(rng, **more):
    return {
        "media": {
            "width": 640,
            "height": 480,
            "size": int(rng.integers(1e5, 1e6)),
            "duration": float(rng.uniform(2, 9)),
        }
        | more
    }


def test_a_codec_of_its_own_is_found() -> None:
    found = videos(80, lambda fake, rng: media(rng, codec="h264" if fake or rng.random() < 0.1 else "vp9"))
    audit = metadata_auc(found, clusters_of(found))
    assert audit["auc"] > 0.9
    assert audit["features"][0].startswith("codec")


def test_a_bit_rate_is_found_though_size_and_duration_alone_are_not() -> None:
    def facts(fake, rng):
        seconds = float(rng.uniform(1, 30))
        return {"media": {"duration": seconds, "size": int(seconds * rng.uniform(0.9, 1.1) * (1e5 if fake else 2e5))}}

    found = videos(120, facts)
    audit = metadata_auc(found, clusters_of(found))
    assert audit["auc"] > 0.95
    assert audit["features"][0] == "bitrate"


def test_equal_files_stay_near_chance() -> None:
    found = videos(200, lambda fake, rng: media(rng))
    assert 0.35 < metadata_auc(found, clusters_of(found))["auc"] < 0.65


def test_folds_keep_people_together() -> None:
    """Everybody has a resolution of their own: it tells who somebody is, and nothing about people who were never
    seen.
    """
    rng = np.random.default_rng(0)
    found = []
    for person in range(24):
        size = {
            "width": int(rng.integers(200, 2000)),
            "height": int(rng.integers(200, 2000)),
            "size": int(rng.integers(1e4, 1e7)),
        }
        found += [
            scored(f"v{person}-{i}", ("real", "fake")[person % 2], 0.5, media=size, identity=f"p{person}")
            for i in range(10)
        ]
    assert metadata_auc(found, clusters_of(found))["auc"] < 0.75


def test_sharpness_alone() -> None:
    blurred = videos(60, lambda fake, rng: {"sharpness": float(rng.uniform(10, 50) if fake else rng.uniform(60, 90))})
    assert sharpness_auc(blurred)["auc"] == 1.0
    sharper = videos(60, lambda fake, rng: {"sharpness": float(rng.uniform(60, 90) if fake else rng.uniform(10, 50))})
    assert sharpness_auc(sharper)["auc"] == 0.0
    assert sharpness_auc(blurred)["videos"] == 60


def test_pairs_of_equal_sharpness_undo_a_detector_of_blur() -> None:
    """The score is the blur itself: near perfect on all, chance on pairs of equal sharpness."""
    found = videos(400, lambda fake, rng: {"sharpness": float(np.exp(rng.normal(3.5 if fake else 5.0, 0.8)))})
    scores = [-float(item.sharpness or 0) for item in found]
    audit = matched_auc(found, scores)
    assert audit["pairs"] > 40
    assert abs(audit["auc"] - 0.5) < 0.06
    assert matched_auc(found, [float(item.sample.label == "fake") for item in found])["auc"] == 1.0


def test_what_cannot_be_audited_is_refused() -> None:
    plain = videos(40, lambda fake, rng: {})
    for audit in (
        lambda: metadata_auc(plain, clusters_of(plain)),
        lambda: sharpness_auc(plain),
        lambda: matched_auc(plain, [0.5] * 40),
    ):
        with pytest.raises(UsageError):
            audit()
    alone = videos(40, lambda fake, rng: media(rng) | {"identity": "fake" if fake else str(rng.random())})
    with pytest.raises(UsageError, match="one person"):
        metadata_auc(alone, clusters_of(alone))
