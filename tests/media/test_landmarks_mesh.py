"""The embedded landmark backend: 68 points on real faces, whatever the box, the roll and the size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sfumato.errors import UsageError
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import REGISTRY, LandmarkBackend, load_backend
from sfumato.media.landmarks.mesh import MESH_TO_68
from tests.generator_fixtures import astronaut, portrait


@pytest.fixture(scope="module")
def backend() -> LandmarkBackend:
    return load_backend()


@pytest.fixture(scope="module")
def points(backend: LandmarkBackend) -> NDArray[np.float32]:
    return backend.detect(astronaut(), FaceDetector().detect(astronaut())[0].box)


def eye_distance(points: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))


def test_the_map_names_68_different_mesh_points() -> None:
    assert len(MESH_TO_68) == len(set(MESH_TO_68.tolist())) == 68
    assert MESH_TO_68.min() >= 0 and MESH_TO_68.max() < 468


def test_shape_and_order(points: NDArray[np.float32]) -> None:
    assert points.shape == (68, 2) and points.dtype == np.float32
    right, left, mouth, chin = points[36:42].mean(0), points[42:48].mean(0), points[48:68].mean(0), points[8]
    assert right[0] < left[0] and right[1] < mouth[1] < chin[1]
    assert points[0, 0] < right[0] and points[16, 0] > left[0]
    assert points[17:27, 1].mean() < right[1]
    assert (np.diff(points[27:31, 1]) > 0).all()


def test_eyes_lie_where_the_detector_sees_them(points: NDArray[np.float32]) -> None:
    seen = FaceDetector().detect(astronaut())[0].points
    for mine, known in ((points[36:42].mean(0), seen[0]), (points[42:48].mean(0), seen[1])):
        assert np.linalg.norm(mine - known) < 0.15 * eye_distance(points)


def test_a_painting_works_too(backend: LandmarkBackend) -> None:
    image = portrait()
    box = FaceDetector().detect(image)[0].box
    found = backend.detect(image, box)
    assert (found > (box[0] - box[2] * 0.3, box[1] - box[3] * 0.3)).all()


@pytest.mark.parametrize("change", [(8, 0, 0), (-8, 6, 0), (0, 0, 20), (0, 0, -15)])
def test_a_shaking_box_hardly_moves_the_points(backend: LandmarkBackend, points: NDArray[np.float32], change: tuple[int, int, int]) -> None:
    x, y, width, height = FaceDetector().detect(astronaut())[0].box
    dx, dy, grow = change
    other = backend.detect(astronaut(), (x + dx - grow / 2, y + dy - grow / 2, width + grow, height + grow))
    assert np.linalg.norm(other - points, axis=1).mean() < 0.06 * eye_distance(points)


@pytest.mark.parametrize("angle", [-25, 25])
def test_points_turn_with_the_head(backend: LandmarkBackend, points: NDArray[np.float32], angle: int) -> None:
    matrix = cv2.getRotationMatrix2D((256, 256), angle, 1.0)
    image = np.asarray(cv2.warpAffine(astronaut(), matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    found = backend.detect(image, FaceDetector().detect(image)[0].box)
    known = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(found - known, axis=1).mean() < 0.1 * eye_distance(points)


def test_points_scale_with_the_picture(backend: LandmarkBackend, points: NDArray[np.float32]) -> None:
    image = np.asarray(cv2.resize(astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC), np.uint8)
    x, y, width, height = FaceDetector().detect(astronaut())[0].box
    found = backend.detect(image, (2 * x, 2 * y, 2 * width, 2 * height))
    assert np.linalg.norm((found + 0.5) / 2 - 0.5 - points, axis=1).mean() < 0.04 * eye_distance(points)


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (-500, -500, 10, 10), (0, 0, 1e5, 1e5)])
def test_a_box_that_makes_no_sense_gives_finite_points(backend: LandmarkBackend, box: tuple[float, float, float, float]) -> None:
    assert np.isfinite(backend.detect(astronaut(), box)).all()


def test_every_backend_has_a_name_and_unknown_ones_list_them() -> None:
    assert REGISTRY.names() == ["face-alignment", "mesh"]
    with pytest.raises(UsageError, match="face-alignment, mesh"):
        load_backend("dots")
