"""Faces: found in real pictures, followed over frames, and cut out by the one crop that everything uses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sfumato.media.faces import (
    FACE_SHARE,
    Box,
    Crop,
    Face,
    FaceDetector,
    FaceTracker,
    crop_around,
    face_box,
    intersection_over_union,
)
from tests.generator_fixtures import astronaut, portrait

Image = NDArray[np.uint8]
ASTRONAUT_NOSE = (223, 115)  # px in the 512 px picture


def face(x: float, y: float, size: float = 50.0, score: float = 0.9) -> Face:
    return Face((x, y, size, size), score, np.zeros((5, 2), np.float32))


def noise(height: int = 90, width: int = 120, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def test_a_photograph_has_one_face_where_it_is(detector: FaceDetector) -> None:
    found = detector.detect(astronaut())
    assert len(found) == 1
    x, y, width, height = found[0].box
    assert x < ASTRONAUT_NOSE[0] < x + width and y < ASTRONAUT_NOSE[1] < y + height
    assert found[0].score > 0.6 and found[0].size == max(width, height)
    right_eye, left_eye = found[0].points[:2]
    assert right_eye[0] < left_eye[0]


def test_a_painting_has_one_face(detector: FaceDetector) -> None:
    assert len(detector.detect(portrait())) == 1


def test_nothing_has_none(detector: FaceDetector) -> None:
    assert detector.detect(np.full((200, 300, 3), 127, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 2), (17, 33)])
def test_pictures_of_any_shape_are_looked_at(detector: FaceDetector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*shape, 3), np.uint8)) == []


def test_a_large_picture_gives_the_same_box_in_its_own_pixels(detector: FaceDetector) -> None:
    small = detector.detect(astronaut())[0]
    large = detector.detect(np.asarray(cv2.resize(astronaut(), (2048, 2048), interpolation=cv2.INTER_CUBIC), np.uint8))[
        0
    ]
    assert (
        intersection_over_union((small.box[0] * 4, small.box[1] * 4, small.box[2] * 4, small.box[3] * 4), large.box)
        > 0.8
    )
    assert np.allclose(large.points, small.points * 4, atol=30)


def test_a_face_that_fills_the_picture_is_found_on_a_second_look(detector: FaceDetector) -> None:
    x, y, width, height = (int(v) for v in detector.detect(astronaut())[0].box)
    close = astronaut()[y + 4 : y + height - 4, x + 4 : x + width - 4]
    found = detector.detect(np.ascontiguousarray(close))
    assert found and found[0].size > 0.6 * height


def test_faces_come_largest_first(detector: FaceDetector) -> None:
    canvas = np.full((512, 1024, 3), 100, np.uint8)
    canvas[:, :512] = astronaut()
    canvas[200:456, 600:856] = cv2.resize(astronaut(), (256, 256), interpolation=cv2.INTER_AREA)
    boxes = [f.box for f in detector.detect(canvas)]
    assert len(boxes) == 2 and boxes[0][2] > 1.5 * boxes[1][2]


# The tracker


def test_two_faces_keep_their_identifiers_whatever_their_order() -> None:
    tracker = FaceTracker()
    for index in range(10):
        left, right = face(10 + 3 * index, 50), face(300 - 3 * index, 50)
        seen = tracker.update(index, [left, right] if index % 2 else [right, left])
        if index == 0:
            names = {identifier: f.box[0] < 150 for identifier, f in seen.items()}
        assert {identifier: f.box[0] < 150 for identifier, f in seen.items()} == names
    assert [len(track.frames) for track in tracker.tracks] == [10, 10]


def test_a_gap_within_patience_continues_the_track() -> None:
    tracker = FaceTracker(patience=5)
    (before,) = tracker.update(0, [face(10, 10)])
    for index in range(1, 5):
        assert tracker.update(index, []) == {}
    assert list(tracker.update(5, [face(12, 10)])) == [before]


def test_a_gap_beyond_patience_starts_a_new_track() -> None:
    tracker = FaceTracker(patience=5)
    (before,) = tracker.update(0, [face(10, 10)])
    (after,) = tracker.update(6, [face(10, 10)])
    assert after != before and len(tracker.tracks) == 2


def test_a_face_elsewhere_is_somebody_else() -> None:
    tracker = FaceTracker()
    (before,) = tracker.update(0, [face(10, 10)])
    (after,) = tracker.update(1, [face(200, 10)])
    assert after != before


def test_boxes_are_smoothed_and_faces_given_as_seen() -> None:
    tracker = FaceTracker(smoothing=0.6)
    tracker.update(0, [face(10, 10)])
    seen = tracker.update(1, [face(20, 10)])
    assert seen[0].box[0] == 20
    assert tracker.tracks[0].box[0] == pytest.approx(0.6 * 10 + 0.4 * 20)


def test_smoothing_starts_again_after_a_gap() -> None:
    tracker = FaceTracker(smoothing=0.6)
    tracker.update(0, [face(10, 10)])
    tracker.update(3, [face(20, 10)])
    assert tracker.tracks[0].box[0] == 20


@pytest.mark.parametrize(
    ("other", "known"),
    [
        ((0, 0, 10, 10), 1.0),
        ((5, 0, 10, 10), 1 / 3),
        ((10, 0, 10, 10), 0.0),
        ((2, 2, 5, 5), 0.25),
        ((50, 0, 1, 1), 0.0),
    ],
)
def test_overlap_known_values(other: Box, known: float) -> None:
    assert intersection_over_union((0, 0, 10, 10), other) == pytest.approx(known)


# The crop

crops = st.builds(Crop, st.floats(-50, 80), st.floats(-50, 80), st.floats(20, 300))


@given(crops, st.integers(16, 256), st.floats(-500, 500), st.floats(-500, 500))
def test_from_crop_is_the_inverse_of_to_crop(crop: Crop, size: int, x: float, y: float) -> None:
    points = np.array([[x, y]])
    assert np.allclose(crop.from_crop(crop.to_crop(points, size), size), points, atol=0.02)


@given(crops, st.integers(8, 200))
def test_a_crop_is_never_black_outside_the_picture(crop: Crop, size: int) -> None:
    cut = crop.apply(noise(), size)
    assert cut.shape == (size, size, 3) and cut.dtype == np.uint8
    assert cut.max(axis=2).min() > 0  # the picture itself has no zeros


def test_a_crop_of_the_same_scale_copies_pixels() -> None:
    image = noise()
    assert np.array_equal(Crop(20, 10, 64).apply(image, 64), image[10:74, 20:84])


@pytest.mark.parametrize("size", [32, 100, 128, 200])
def test_a_whole_crop_is_a_resize(size: int) -> None:
    """Pixel centres, not corners, are mapped: a half-pixel shift would show at every size but the same."""
    image = np.asarray(cv2.GaussianBlur(noise(128, 128), (0, 0), 6), np.uint8)
    known = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if size < 64 else cv2.INTER_LINEAR)
    inner = slice(4, -4)
    assert np.abs(Crop(0, 0, 128).apply(image, size).astype(int) - known)[inner, inner].max() <= 2


@pytest.mark.parametrize("size", [24, 48, 96, 192, 250])
def test_points_lie_where_the_picture_shows_them(size: int) -> None:
    image = np.zeros((160, 200, 3), np.uint8)
    cv2.circle(image, (120, 70), 8, (255, 255, 255), -1)
    crop = Crop(60.0, 25.0, 96.0)
    cut = crop.apply(image, size)[:, :, 0].astype(float)
    y, x = np.mgrid[0:size, 0:size]
    centre = np.array([(x * cut).sum(), (y * cut).sum()]) / cut.sum()
    assert np.allclose(crop.to_crop(np.array([120, 70]), size), centre, atol=0.08)


def test_a_strong_reduction_averages_instead_of_sampling() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    cut = Crop(0, 0, 512).apply(stripes, 64).astype(float)
    assert cut.std() < 3 and cut.mean() == pytest.approx(127.5, abs=2)


@given(st.floats(100, 500), st.floats(100, 500), st.floats(20, 200), st.floats(20, 200))
def test_the_face_fills_its_share_of_the_crop(x: float, y: float, width: float, height: float) -> None:
    crop = crop_around((x, y, width, height))
    assert max(width, height) / crop.side == pytest.approx(FACE_SHARE)
    assert crop.left + crop.side / 2 == pytest.approx(x + width / 2)


def test_a_crop_that_leaves_the_picture_is_pushed_back_by_a_tenth_at_most() -> None:
    side = 60 / FACE_SHARE
    assert crop_around((15, 200, 60, 60), (640, 480)).left == pytest.approx(0.0)  # a little out: all the way back
    far = crop_around((-20, 200, 60, 60), (640, 480))
    assert far.left == pytest.approx(-20 + 30 - side / 2 + side / 10)
    assert crop_around((300, 200, 60, 60), (640, 480)).left == pytest.approx(330 - side / 2)
    assert crop_around((560, 200, 60, 60), (640, 480)).left == pytest.approx(640 - side)


def test_the_face_box_holds_the_landmarks_and_the_forehead() -> None:
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[:, 0], landmarks[:, 1] = np.linspace(-0.5, 0.5, 68), np.linspace(-0.2, 0.6, 68)
    left, top, wide, high = face_box((landmarks + 1) * 100)
    assert (left, wide) == pytest.approx((50, 100))
    assert top == pytest.approx(80 - 20)
    assert top + high == pytest.approx(160)
