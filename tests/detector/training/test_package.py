"""What thresholds are set on: pictures and videos each on files of their own kind, a clip a person, by group."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.config import CalibrationConfig
from detector.data.cache import CropCache, StoredCrop
from detector.inference.fusion import Stack
from detector.inference.quality_norm import QUALITIES
from detector.training.evidence import ClipEvidence, Judge, copies_evidence
from detector.training.package import (
    FRAME_REALS,
    PICTURE_REALS,
    STAND_INS,
    VIDEO_REALS,
    _pictures,
    _video_thresholds,
    _videos,
)
from sfumato.media.clips import TWIN, ClipRow
from tests.detector_fixtures import TINY, clip_row, face_picture, landmarks

CONFIG = replace(TINY, calibration=CalibrationConfig(alphas=(0.5,)))  # one person is enough


def score(crops) -> np.ndarray:
    return np.zeros((len(crops), 2))


JUDGE = Judge(score)


@pytest.fixture
def cache(tmp_path: Path) -> CropCache:
    return CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)


def cut(cache: CropCache, name: str, person: str, method: str = "camera", dataset: str | None = None) -> ClipRow:
    """A real of the calibration split whose crops lie in the cache: two of a video, one of a picture."""
    row = replace(clip_row(name, split="calibration", identity=person), method=method, dataset=dataset)
    crops = [StoredCrop(face_picture(k), landmarks(96), float(k)) for k in range(2 if name.endswith(".mp4") else 1)]
    cache._write(cache.folder / f"{cache._key(row)}.npz", crops)
    return row


def judged(cache: CropCache, rows: list[ClipRow]) -> list[ClipEvidence]:
    return list(copies_evidence(JUDGE, rows, cache, TINY.model.size, 1, 2))


def named(clips: list[ClipEvidence]) -> dict[str, str]:
    return {clip.clip: clip.group for clip in clips}


def test_videos_do_not_count_among_pictures(cache) -> None:
    rows = [cut(cache, "a.png", "ann", dataset="ffhq"), cut(cache, "b.mp4", "bob"), cut(cache, "a.mp4", "ann")]
    found, of = _pictures(JUDGE, judged(cache, rows), rows, cache, CONFIG)
    assert (named(found), of) == ({"a.png": "ffhq"}, PICTURE_REALS)


def test_where_pictures_are_too_few_a_frame_of_the_others_videos_is_one(cache) -> None:
    rows = [cut(cache, "a.png", "ann"), cut(cache, "b.mp4", "bob"), cut(cache, "b2.mp4", "bob", TWIN)]
    few = replace(CONFIG, calibration=CalibrationConfig(alphas=(0.1,)))
    found, of = _pictures(JUDGE, judged(cache, rows), rows, cache, few)
    assert (named(found), of) == ({"a.png": "camera", "b.mp4": "camera (frames of videos)"}, FRAME_REALS)
    assert [(len(clip.evidence), clip.video) for clip in found] == [(1, False), (1, False)]
    assert all(clip.quality is not None and clip.quality[QUALITIES.index("video")] == 0 for clip in found)


def test_only_pictures_of_people_without_a_video_are_encoded(cache) -> None:
    rows = [
        cut(cache, "a.mp4", "ann"), cut(cache, "a.png", "ann"), cut(cache, "a-twin.mp4", "ann", TWIN),
        cut(cache, "b.png", "bob"), cut(cache, "b-twin.mp4", "bob", TWIN),
        cut(cache, "c.png", "cem", dataset="ffhq"),
    ]  # fmt: skip
    filmed, encoded = _videos(JUDGE, judged(cache, rows), rows, cache, CONFIG)
    assert named(filmed) == {"a.mp4": "camera", "b-twin.mp4": TWIN}
    assert named(encoded) == {"c.png": "ffhq (pictures through H.264)"}


def logits(count: int, group: str) -> list[ClipEvidence]:
    """Reals, all of other people, their logits 0, 1, 2 ..."""
    return [
        ClipEvidence(f"{group}-{i}", f"{group} {i}", "real", np.array([[float(i), 0.0]]), group=group)
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("films", "twins", "pictures", "alphas", "stand_in"),
    [
        (30, 0, 90, (0.1,), False),
        (30, 0, 90, (0.1, 0.01), True),
        (120, 0, 30, (0.1, 0.01), False),
        (120, 0, 30, (0.1, 0.01, 0.001), False),  # which both together do not carry either
        (80, 19, 60, (0.1, 0.01), True),  # 99 people, but those of a small group do not count for it
        (5, 0, 30, (0.1,), True),
        (30, 0, 0, (0.1, 0.01), False),
    ],
)
def test_pictures_stand_in_where_videos_cannot_carry_a_threshold_that_both_can(
    films: int, twins: int, pictures: int, alphas: tuple[float, ...], stand_in: bool
) -> None:
    filmed, encoded = (
        [*logits(films, "camera"), *logits(twins, TWIN)],
        logits(pictures, "ffhq (pictures through H.264)"),
    )
    found, clips, of = _video_thresholds(Stack(), filmed, encoded, alphas)
    assert of == (STAND_INS if stand_in else VIDEO_REALS)
    assert clips == [*filmed, *encoded] if stand_in else clips == filmed
    assert found.n_real == len(clips)


def test_a_person_counts_once(cache) -> None:
    rows = [cut(cache, f"a{i}.mp4", "ann") for i in range(4)] + [cut(cache, f"b{i}.png", "bob") for i in range(4)]
    clips = judged(cache, rows)
    filmed, encoded = _videos(JUDGE, clips, rows, cache, CONFIG)
    for found in ([*filmed, *encoded], _pictures(JUDGE, clips, rows, cache, CONFIG)[0]):
        assert len({clip.identity for clip in found}) == len(found)
