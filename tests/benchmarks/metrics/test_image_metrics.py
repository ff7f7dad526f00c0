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
    scores, features = metrics.scores([target])
    assert tuple(scores) == METRICS
    assert [scores[name] for name in METRICS] == pytest.approx([1, 0, 1, 0, 0], abs=1e-3)
    assert features.shape == (1, 320)


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
    scores, _ = metrics.scores([np.full((SIDE, SIDE, 3), 127, np.uint8)])
    assert (scores["csim"], scores["landmark_error"]) == (0.0, 1.0)


def test_a_grey_picture_is_unlike_the_target_though_the_mesh_lays_its_points(metrics: ImageMetrics) -> None:
    assert metrics.scores([np.full((SIDE, SIDE, 3), 127, np.uint8)])[0]["csim"] < 0.4


def test_a_flat_difference_of_ten_levels_is_an_l1_of_ten_of_255(metrics: ImageMetrics, target: np.ndarray) -> None:
    brighter = np.where(target <= 245, target + 10, target - 10).astype(np.uint8)
    assert metrics.scores([brighter])[0]["l1"] == pytest.approx(10 / 255, abs=1e-4)


def test_a_face_moved_by_an_eye_distance_is_wrong_by_one(metrics: ImageMetrics, target: np.ndarray) -> None:
    moved = np.roll(target, 4, axis=1)
    face = FaceDetector().detect(target)[0]
    points = load_backend("mesh").detect(target, face.box)
    eyes = float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))
    assert metrics.scores([moved])[0]["landmark_error"] == pytest.approx(4 / eyes, rel=0.25)
