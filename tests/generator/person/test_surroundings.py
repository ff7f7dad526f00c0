"""Where the picture ends inside the square there is no second face, and elsewhere the square is the picture's own."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.person.portrait import read_portrait
from generator.person.surroundings import cut_square
from sfumato.media.faces import Crop, FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import portrait

SIZE = 192
Image = NDArray[np.uint8]


def tight(name: str = "mona-lisa") -> Image:
    """A painting cut right around its face: from half the forehead to the chin."""
    image = portrait(name)
    x, y, width, height = FaceDetector().detect(image)[0].box
    return np.ascontiguousarray(image[int(y) : int(y + height), int(x) : int(x + width)])


def cut(image: Image) -> tuple[Image, Image, Crop]:
    """The square, the one that `Crop.apply` gives, and of what."""
    found = read_portrait(image, FaceDetector(), load_backend("mesh"), SIZE)
    return found.large, found.crop.apply(image, SIZE), found.crop


def test_a_square_inside_the_picture_is_the_crop_itself() -> None:
    image = portrait()
    square, mirrored, _ = cut(image)
    assert np.array_equal(square, mirrored)


@pytest.mark.parametrize("name", ["mona-lisa", "la-velata", "lady-agnew"])
def test_a_tight_picture_gives_one_face(name: str) -> None:
    square, _, _ = cut(tight(name))
    assert len(FaceDetector().look(square)) == 1


def test_inside_the_picture_nothing_changes() -> None:
    image = tight()
    square, mirrored, crop = cut(image)
    scale = SIZE / crop.side
    rows = slice(int(np.ceil(-crop.top * scale)) + 1, int((image.shape[0] - crop.top) * scale) - 1)
    columns = slice(int(np.ceil(-crop.left * scale)) + 1, int((image.shape[1] - crop.left) * scale) - 1)
    assert np.array_equal(square[rows, columns], mirrored[rows, columns])
    assert not np.array_equal(square, mirrored)


def test_there_is_no_step_at_the_pictures_border() -> None:
    ramp = np.repeat(np.linspace(40, 200, 200).astype(np.uint8)[:, None, None], 200, 1).repeat(3, 2)
    landmarks = np.stack([np.linspace(-0.3, 0.3, 68), np.linspace(-0.3, 0.3, 68)[::-1] ** 2], axis=1)
    square = cut_square(ramp, Crop(-40, -40, 280), 140, landmarks.astype(np.float32)).astype(int)
    assert max(np.abs(np.diff(square, axis=axis)).max() for axis in (0, 1)) <= 4


def test_what_stands_beside_the_face_is_not_seen_twice() -> None:
    picture = np.full((200, 200, 3), 128, np.uint8)
    picture[90:110, 16:30] = (255, 0, 0)  # a neighbour, close to the border
    landmarks = np.stack([np.linspace(-0.1, 0.3, 68), np.linspace(-0.3, 0.3, 68)[::-1] ** 2], axis=1)
    crop = Crop(-40, 0, 200)
    red = [
        (square[:, :39, 0].astype(int) - square[:, :39, 1]).max()
        for square in (crop.apply(picture, 200), cut_square(picture, crop, 200, landmarks.astype(np.float32)))
    ]
    assert red[0] == 255 and red[1] < 10
