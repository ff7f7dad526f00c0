"""The metrics of made pictures: known values for a copy, for a brighter copy, and for a picture without a face."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.metrics.image_metrics import METRICS, ImageMetrics
from sfumato.errors import NoFaceError
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import astronaut

SIDE = 256


@pytest.fixture(scope="module")
def target() -> np.ndarray:
    import cv2

    return np.ascontiguousarray(cv2.resize(astronaut(), (SIDE, SIDE), interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="module")
def metrics(target: np.ndarray) -> ImageMetrics:
    """It has looked at one target."""
    found = ImageMetrics()
    face = FaceDetector().detect(target)[0]
    found.look_at([target], [load_backend("mesh").detect(target, face.box)])
    return found


def test_the_target_itself_is_perfect(metrics: ImageMetrics, target: np.ndarray) -> None:
    judged = metrics.scores([target])
    assert tuple(judged.scores) == METRICS
    assert [judged.scores[name] for name in METRICS] == pytest.approx([1, 0, 1, 0, 0, 1, 0], abs=1e-3)
    assert {name: found.shape for name, found in judged.features.items()} == {"fd_lite0": (1, 320)}
    assert judged.same_faces == 1
    assert judged.shapes["mesh"] == pytest.approx(metrics.targets["mesh"])


def test_a_smeared_mouth_is_seen_in_its_region_and_hardly_in_the_whole(
    metrics: ImageMetrics, target: np.ndarray
) -> None:
    import cv2

    low, high = (metrics.targets["mesh"][0, 48:68].min(0).astype(int), metrics.targets["mesh"][0, 48:68].max(0))
    there = (slice(low[1], int(high[1])), slice(low[0], int(high[0])))
    smeared = target.copy()
    smeared[there] = cv2.GaussianBlur(target, (0, 0), 6)[there]
    scores = metrics.scores([smeared]).scores
    assert scores["ssim"] > 0.97 > 0.9 > scores["mouth_ssim"]
    assert scores["mouth_perceptual"] > 2 * scores["perceptual"]


def test_a_picture_that_was_judged_is_not_looked_at_again(
    metrics: ImageMetrics, target: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = np.full_like(target, 90)
    first = metrics.scores([grey])
    monkeypatch.setattr(metrics, "readers", None)  # who asks for it now fails
    assert metrics.scores([grey.copy()]).scores == first.scores


class Unsure:
    """The mesh, but it finds no face in a picture of one colour."""

    def __init__(self) -> None:
        self.mesh = load_backend("mesh")

    def detect(self, image, box):
        if image.std() == 0:
            raise NoFaceError("No face", "Show one.")
        return self.mesh.detect(image, box)


def test_a_picture_without_a_face_has_no_likeness_and_an_error_of_one_eye_distance(target: np.ndarray) -> None:
    metrics = ImageMetrics(Unsure())
    face = FaceDetector().detect(target)[0]
    metrics.look_at([target], [load_backend("mesh").detect(target, face.box)])
    scores = metrics.scores([np.full((SIDE, SIDE, 3), 127, np.uint8)]).scores
    assert (scores["csim"], scores["landmark_error"]) == (0.0, 1.0)


def test_a_grey_picture_is_unlike_the_target_though_the_mesh_lays_its_points(metrics: ImageMetrics) -> None:
    assert metrics.scores([np.full((SIDE, SIDE, 3), 127, np.uint8)]).scores["csim"] < 0.4


def test_a_flat_difference_of_ten_levels_is_an_l1_of_ten_of_255(metrics: ImageMetrics, target: np.ndarray) -> None:
    brighter = np.where(target <= 245, target + 10, target - 10).astype(np.uint8)
    assert metrics.scores([brighter]).scores["l1"] == pytest.approx(10 / 255, abs=1e-4)


def test_a_face_moved_by_an_eye_distance_is_wrong_by_one(metrics: ImageMetrics, target: np.ndarray) -> None:
    moved = np.roll(target, 4, axis=1)
    face = FaceDetector().detect(target)[0]
    points = load_backend("mesh").detect(target, face.box)
    eyes = float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))
    assert metrics.scores([moved]).scores["landmark_error"] == pytest.approx(4 / eyes, rel=0.25)
