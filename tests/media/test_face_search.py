"""Small faces in large pictures: each found once, wherever a tile ends, and nothing else changed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sfumato.media.face_search import SMALLEST, find_faces
from sfumato.media.faces import Box, Face, FaceDetector, intersection_over_union
from tests.generator_fixtures import astronaut, portrait

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def wall(height: int, width: int) -> Image:
    """Something to hang pictures on: soft, not flat."""
    y, x = np.mgrid[0:height, 0:width]
    return np.repeat((110 + 20 * np.sin(x / 40) + 15 * np.cos(y / 30)).astype(np.uint8)[..., None], 3, axis=-1)


def hung(canvas: Image, picture: Image, own: Box, size: float, at: tuple[int, int]) -> Box:
    """Puts `picture`, whose face is at `own`, on the canvas so that the face's longer side is `size` px; where it
    then is.
    """
    scale = size / max(own[2:])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top = at
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return own[0] * scale + left, own[1] * scale + top, own[2] * scale, own[3] * scale


def found_once(faces: list[Face], box: Box) -> bool:
    return sum(intersection_over_union(face.box, box) > 0.3 for face in faces) == 1


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("size", [SMALLEST, 80.0])
def test_a_face_in_a_panorama_is_found_down_to_the_promised_size(
    detector: FaceDetector, size: float, turned: bool
) -> None:
    own = detector.detect(portrait())[0].box
    canvas = wall(9000, 800) if turned else wall(800, 9000)
    box = hung(canvas, portrait(), own, size, (130, 4100) if turned else (4100, 130))
    assert not detector.detect(canvas)
    (face,) = find_faces(canvas, detector)
    assert intersection_over_union(face.box, box) > 0.5
    assert face.size == max(face.box[2:])


def test_points_lie_in_the_face(detector: FaceDetector) -> None:
    own = detector.detect(portrait())[0]
    canvas = wall(800, 6000)
    left, top, width, _ = hung(canvas, portrait(), own.box, 90.0, (3000, 100))
    (face,) = find_faces(canvas, detector)
    scale = width / own.box[2]
    expected = (own.points - np.array(own.box[:2])) * scale + np.array([left, top])
    assert np.abs(face.points - expected).max() < 6


def test_faces_of_all_sizes_are_found_once_wherever_tiles_end(detector: FaceDetector) -> None:
    picture = astronaut()
    own = detector.detect(picture)[0].box
    canvas = wall(1600, 5000)
    sizes = [60.0, 75.0, 95.0, 120.0, 140.0]
    boxes = [
        hung(canvas, picture, own, sizes[(row + column) % 5], (20 + column * 700 + row * 37, 10 + row * 780))
        for row in range(2)
        for column in range(7)
    ]
    faces = find_faces(canvas, detector)
    assert [found_once(faces, box) for box in boxes] == [True] * 14
    assert len(faces) == 14
    assert [face.box[2] * face.box[3] for face in faces] == sorted((f.box[2] * f.box[3] for f in faces), reverse=True)


def test_what_the_first_look_finds_stays_as_it_is(detector: FaceDetector) -> None:
    large = np.asarray(cv2.resize(astronaut(), (3000, 3000), interpolation=cv2.INTER_CUBIC), np.uint8)
    (first,), (same,) = detector.detect(large), find_faces(large, detector)
    assert same.box == first.box


@pytest.mark.parametrize("side", [512, 1900])
def test_a_picture_that_is_not_large_is_looked_at_as_before(detector: FaceDetector, side: int) -> None:
    image = np.asarray(cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert [face.box for face in find_faces(image, detector)] == [face.box for face in detector.detect(image)]


def test_a_face_that_fills_a_large_picture_is_found(detector: FaceDetector) -> None:
    x, y, width, height = (int(v) for v in detector.detect(astronaut())[0].box)
    close = astronaut()[y + 4 : y + height - 4, x + 4 : x + width - 4]
    found = find_faces(np.asarray(cv2.resize(close, (2400, 3000), interpolation=cv2.INTER_CUBIC), np.uint8), detector)
    assert found and found[0].size > 1800


class Counting(FaceDetector):
    """Adds up the pixels that it is given, and keeps the most of one look."""

    def __init__(self) -> None:
        super().__init__()
        self.pixels, self.largest = 0, 0

    def look(self, image: Image, *, side: int = 640, margin: float = 0.0) -> list[Face]:
        seen = round(image.shape[0] * image.shape[1] * min(1.0, side / max(image.shape[:2])) ** 2)
        self.pixels, self.largest = self.pixels + seen, max(self.largest, seen)
        return super().look(image, side=side, margin=margin)


@pytest.mark.parametrize("shape", [(4000, 6000), (900, 20_000)])
def test_what_is_looked_at_is_bounded(shape: tuple[int, int]) -> None:
    counting = Counting()
    assert find_faces(np.full((*shape, 3), 127, np.uint8), counting) == []
    assert counting.pixels < 1.6 * shape[0] * shape[1] / 9 + 2 * 640 * 640
    assert counting.largest <= 1024 * 1024


@pytest.mark.parametrize("shape", [(1, 1), (2, 9000), (9000, 2)])
def test_pictures_of_any_shape_are_looked_at(detector: FaceDetector, shape: tuple[int, int]) -> None:
    assert find_faces(np.zeros((*shape, 3), np.uint8), detector) == []
