"""Eyes read closely: how far they are open and where their irises are, whatever the size and the side."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sfumato.media.landmarks.iris import Eye, EyeReader, in_axes, opencv_net, openvino_net
from tests.generator_fixtures import drawn_eyes

MIRRORED = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]  # of the eyes' points, what 36 to 47 become


@pytest.fixture(scope="module")
def reader() -> EyeReader:
    return EyeReader()


def test_places_are_told_in_the_axes_of_the_eye() -> None:
    left, right = np.array([10.0, 10.0]), np.array([10.0, 30.0])  # an eye that stands on end: across is to the left
    found = in_axes(np.array([[10.0, 20.0], [10.0, 30.0], [5.0, 20.0]]), left, right)
    assert np.allclose(found, [[0, 0], [0.5, 0], [0, 0.25]])


def test_opening_is_the_distance_of_the_lids_in_widths() -> None:
    x = np.linspace(0, 40, 9, dtype=np.float32)
    upper, lower = (np.stack([x, np.full(9, y, np.float32)], axis=-1) for y in (0.0, 10.0))
    upper[[0, -1], 1] = lower[[0, -1], 1] = 5
    assert Eye(upper, lower, np.array([20, 5], np.float32), 5.0).opening == pytest.approx(0.25)


def test_an_eye_that_is_drawn_further_open_reads_as_further_open(reader: EyeReader) -> None:
    found = np.array([[eye.opening for eye in reader.read(*drawn_eyes(opening))] for opening in (0.1, 0.2, 0.35)])
    assert (np.diff(found, axis=0) > 0.04).all()


def test_irises_are_seen_where_they_are_drawn(reader: EyeReader) -> None:
    left, right = (
        np.array([eye.gaze for eye in reader.read(*drawn_eyes(gaze=(x, 0.0)))]) for x in (-0.15, 0.15)
    )  # (2, 2) each
    assert ((right - left)[:, 0] > 0.12).all() and (np.abs(right - left)[:, 1] < 0.05).all()


def test_a_mirrored_picture_has_mirrored_eyes(reader: EyeReader) -> None:
    image, points = drawn_eyes(gaze=(0.1, 0.0))
    other = points.copy()
    other[36:48] = points[MIRRORED]
    other[:, 0] = image.shape[1] - 1 - other[:, 0]
    plain, mirrored = reader.read(image, points), reader.read(np.ascontiguousarray(image[:, ::-1]), other)
    for eye, twin in zip(plain, mirrored[::-1], strict=True):
        assert np.allclose(eye.gaze, twin.gaze * (-1, 1), atol=0.01)
        assert eye.opening == pytest.approx(twin.opening, abs=0.01)


def test_a_larger_picture_reads_alike(reader: EyeReader) -> None:
    small, large = (reader.read(*drawn_eyes(size=size)) for size in (256, 768))
    for eye, other in zip(small, large, strict=True):
        assert np.allclose(eye.gaze, other.gaze, atol=0.04) and eye.opening == pytest.approx(other.opening, abs=0.05)
        assert other.width == pytest.approx(3 * eye.width, rel=0.1)


def test_both_engines_see_the_same() -> None:
    pytest.importorskip("openvino")
    view: NDArray[np.uint8] = drawn_eyes()[0][60:124, 60:124]
    for one, other in zip(opencv_net()(view), openvino_net()(view), strict=True):
        assert np.abs(one - other).max() < 0.01
