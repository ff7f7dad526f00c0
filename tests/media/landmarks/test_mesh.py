"""The embedded landmark backend: 68 points on real faces, whatever the box, the roll and the size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sfumato.errors import UsageError
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import (
    REGISTRY,
    LandmarkBackend,
    depth_of,
    detect_in_depth,
    follower_of,
    load_backend,
    mesh_net,
)
from sfumato.media.landmarks.mesh import MESH_TO_68, MeshFollower
from sfumato.media.landmarks.mesh_net import VIEW, opencv_net, openvino_net
from tests.generator_fixtures import astronaut, moving, portrait


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
def test_a_shaking_box_hardly_moves_the_points(
    backend: LandmarkBackend, points: NDArray[np.float32], change: tuple[int, int, int]
) -> None:
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
def test_a_box_that_makes_no_sense_gives_finite_points(
    backend: LandmarkBackend, box: tuple[float, float, float, float]
) -> None:
    assert np.isfinite(backend.detect(astronaut(), box)).all()


def test_every_backend_has_a_name_and_unknown_ones_list_them() -> None:
    assert REGISTRY.names() == ["face-alignment", "mesh"]
    with pytest.raises(UsageError, match="face-alignment, mesh"):
        load_backend("dots")


def view(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The astronaut's face, as the net wants it."""
    x, y, width, height = (round(v) for v in FaceDetector().detect(image)[0].box)
    return np.asarray(
        cv2.resize(image[y - height // 4 : y + height * 5 // 4, x - width // 4 : x + width * 5 // 4], (VIEW, VIEW)),
        np.uint8,
    )


def test_both_engines_say_the_same_and_know_a_face_from_a_wall() -> None:
    pytest.importorskip("openvino")
    face, wall = view(astronaut()), np.full((VIEW, VIEW, 3), 90, np.uint8)
    (points, presence), (others, other) = opencv_net()(face), openvino_net()(face)
    assert (
        points.shape == (468, 3) and np.abs(points - others).max() < 1e-2 and presence == pytest.approx(other, abs=1e-2)
    )
    assert presence > 22 and opencv_net()(wall)[1] < 8 and openvino_net()(wall)[1] < 8


@pytest.mark.parametrize("installed", [True, False])
def test_the_quickest_net_is_one_that_is_installed(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(mesh_net, "openvino_net", lambda: "openvino")
    monkeypatch.setattr(mesh_net, "opencv_net", lambda: "opencv")
    assert mesh_net.quickest_net() == ("openvino" if installed else "opencv")


@pytest.mark.parametrize("make", [opencv_net, mesh_net.quickest_net])
def test_a_follower_finds_what_detection_finds_frame_by_frame(
    backend: LandmarkBackend, points: NDArray[np.float32], make: Any
) -> None:
    images = moving(astronaut(), 12, 60)
    follower = MeshFollower(make())
    assert follower.step(images[0]) is None  # nothing to follow yet
    box = FaceDetector().detect(images[0])[0].box
    assert np.abs(follower.start(images[0], box) - backend.detect(images[0], box)).max() < 0.01
    for image in images[1:]:
        found = follower.step(image)
        known = backend.detect(image, FaceDetector().detect(image)[0].box)
        assert found is not None and np.linalg.norm(found - known, axis=1).mean() < 0.04 * eye_distance(points)


def face_in_depth(backend: LandmarkBackend, image: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    points, depth = detect_in_depth(backend, image, FaceDetector().detect(image)[0].box)
    assert depth is not None
    return points, depth


def test_the_nose_lies_before_the_eyes_and_the_ears_behind_them(
    backend: LandmarkBackend, points: NDArray[np.float32]
) -> None:
    found, depth = face_in_depth(backend, astronaut())
    assert np.array_equal(found, points)
    assert depth.shape == (68,) and depth.dtype == np.float32 and abs(depth.mean()) < 1e-3
    assert depth[30] < depth[27] < depth[36:48].mean() < depth[[0, 16]].mean()
    assert 0.8 < np.ptp(depth) / eye_distance(points) < 2.5


def test_depth_grows_with_the_picture_and_does_not_turn_with_it(backend: LandmarkBackend) -> None:
    _, depth = face_in_depth(backend, astronaut())
    large = np.asarray(cv2.resize(astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC), np.uint8)
    matrix = cv2.getRotationMatrix2D((256, 256), 20, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut(), matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    for image, scale in ((large, 2), (turned, 1)):
        assert np.abs(face_in_depth(backend, image)[1] / scale - depth).mean() < 0.08 * np.ptp(depth)


def test_a_follower_tells_the_depth_that_detection_tells(backend: LandmarkBackend) -> None:
    _, depth = face_in_depth(backend, astronaut())
    follower = follower_of(backend)
    assert depth_of(follower) is None
    follower.start(astronaut(), FaceDetector().detect(astronaut())[0].box)
    started = depth_of(follower)
    follower.step(astronaut())
    for found in (started, depth_of(follower)):
        assert found is not None and np.abs(found - depth).mean() < 0.05 * np.ptp(depth)


def test_a_backend_that_does_not_know_depth_gives_none(points: NDArray[np.float32]) -> None:
    class Flat:
        name = "flat"

        def detect(self, image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
            return points

    found, depth = detect_in_depth(Flat(), astronaut(), (0, 0, 10, 10))
    assert found is points and depth is None and depth_of(follower_of(Flat())) is None


def test_a_follower_does_not_shrink_the_face_in_time(backend: LandmarkBackend, points: NDArray[np.float32]) -> None:
    follower = follower_of(backend)
    follower.start(astronaut(), FaceDetector().detect(astronaut())[0].box)
    last = [follower.step(astronaut()) for _ in range(20)][-1]
    assert last is not None and np.ptp(last, axis=0) == pytest.approx(np.ptp(points, axis=0), rel=0.015)


@pytest.mark.parametrize("image", [np.full((512, 512, 3), 90, np.uint8), np.roll(astronaut(), 120, axis=1)])
def test_a_follower_doubts_what_is_gone_or_jumped_and_starts_again(
    backend: LandmarkBackend, image: NDArray[np.uint8]
) -> None:
    follower = follower_of(backend)
    box = FaceDetector().detect(astronaut())[0].box
    follower.start(astronaut(), box)
    assert follower.step(astronaut()) is not None
    assert follower.step(image) is None
    assert follower.step(astronaut()) is None
    follower.start(astronaut(), box)
    assert follower.step(astronaut()) is not None
