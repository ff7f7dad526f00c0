"""Paste-back: far from the square the picture is itself, the square's border does not show, the head is where it should
be.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.person.portrait import Portrait, read_portrait
from generator.rendering.paste_back import PasteBack
from sfumato.media.faces import Crop, FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import portrait

SEAM = 3  # levels: what the pasted square may add to the difference between neighbouring pixels


@pytest.fixture(scope="module")
def painting() -> tuple[NDArray[np.uint8], Portrait, PasteBack]:
    image = portrait()
    found = read_portrait(image, FaceDetector(), load_backend("mesh"), 256)
    return image, found, PasteBack(image, found.crop, found.landmarks)


def square_of(paste: PasteBack) -> NDArray[np.uint8]:
    return paste.crop.apply(paste.frame, paste.size)


def steps(difference: NDArray[np.floating]) -> float:
    """The largest change between neighbours."""
    return max(float(np.abs(np.diff(difference, axis=axis)).max()) for axis in (0, 1))


def test_the_frame_is_the_picture_with_even_sides(painting: tuple[NDArray[np.uint8], Portrait, PasteBack]) -> None:
    image, _, paste = painting
    height, width = paste.frame.shape[:2]
    assert (height % 2, width % 2, paste.size % 2) == (0, 0, 0)
    assert np.array_equal(paste.frame, image[:height, :width])
    assert abs(paste.size - paste.crop.side) <= 1


def test_the_square_itself_pasted_back_changes_next_to_nothing(
    painting: tuple[NDArray[np.uint8], Portrait, PasteBack],
) -> None:
    _, found, paste = painting
    out = paste.apply(square_of(paste), found.landmarks).astype(int)
    assert np.abs(out - paste.frame).mean() < 1


@pytest.mark.parametrize("fill", [0, 128, 255])
def test_far_from_the_square_every_pixel_is_the_pictures_own(
    painting: tuple[NDArray[np.uint8], Portrait, PasteBack], fill: int
) -> None:
    _, found, paste = painting
    out = paste.apply(np.full((paste.size, paste.size, 3), fill, np.uint8), found.landmarks)
    outside = np.ones(out.shape[:2], bool)
    left, top, side = (int(v) for v in (paste.crop.left, paste.crop.top, paste.crop.side))
    outside[max(top, 0) : top + side + 2, max(left, 0) : left + side + 2] = False
    assert outside.sum() > 1000
    assert np.array_equal(out[outside], paste.frame[outside])
    assert not np.array_equal(out, paste.frame)


def test_a_brighter_square_is_matched_and_leaves_no_seam(
    painting: tuple[NDArray[np.uint8], Portrait, PasteBack],
) -> None:
    _, found, paste = painting
    shade = square_of(paste).astype(int) + np.array([20, -12, 8])
    out = paste.apply(shade.clip(0, 255).astype(np.uint8), found.landmarks).astype(int)
    exact = paste.apply(square_of(paste), found.landmarks).astype(int)
    assert ((shade < 0) | (shade > 255)).mean() < 0.2  # most of the shade is there to be matched
    assert np.abs(out - exact).mean() < 1


def test_a_foreign_square_leaves_no_step_at_the_border(painting: tuple[NDArray[np.uint8], Portrait, PasteBack]) -> None:
    _, found, paste = painting
    middle = PasteBack(np.full_like(paste.frame, 120), found.crop, found.landmarks)
    out = middle.apply(np.full((middle.size, middle.size, 3), 220, np.uint8), found.landmarks).astype(float)
    change = out - 120
    assert change.max() > 70  # it is there (the colours follow by what the border can tell, and no more),
    left, top, side = (round(v) for v in (middle.crop.left, middle.crop.top, middle.crop.side))
    ring = np.zeros(change.shape[:2], bool)
    ring[top - 3 : top + side + 3, left - 3 : left + side + 3] = True
    ring[top + 3 : top + side - 3, left + 3 : left + side - 3] = False
    assert np.abs(change[ring]).max() <= SEAM  # and not at the border,
    assert steps(change) <= 3 * SEAM  # nor is there a step anywhere on the way


def test_the_mask_follows_the_head(painting: tuple[NDArray[np.uint8], Portrait, PasteBack]) -> None:
    _, found, paste = painting
    rest, moved = paste._head(found.landmarks), paste._head(found.landmarks + np.float32([0.3, 0]))
    assert (moved >= rest - 1e-6).all() and moved[32, 58:].sum() > rest[32, 58:].sum() + 0.3
    for mask, points in (
        (rest, found.landmarks),
        (moved, found.landmarks),
        (moved, found.landmarks + np.float32([0.3, 0])),
    ):
        places = ((points + 1) * 32).astype(int).clip(0, 63)
        assert mask[places[:, 1], places[:, 0]].min() > 0.99  # nothing of the face shows through, then and now


def test_a_large_picture_is_bounded_and_the_square_with_it() -> None:
    image = np.zeros((3000, 2001, 3), np.uint8)
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[:, 0], landmarks[:, 1] = np.linspace(-0.5, 0.5, 68), np.linspace(-0.5, 0.5, 68) ** 2
    paste = PasteBack(image, Crop(500, 500, 1000), landmarks, longest=600)
    assert paste.frame.shape == (600, 400, 3)
    assert paste.crop == Crop(100, 100, 200) and paste.size == 200
    assert np.allclose(paste.to_frame(np.zeros((1, 2), np.float32)), 199.5)


def test_a_square_that_reaches_over_the_picture_is_cut_there() -> None:
    image = np.full((300, 200, 3), 90, np.uint8)
    landmarks = np.stack([np.linspace(-0.5, 0.5, 68), np.linspace(-0.4, 0.4, 68)[::-1] ** 2], axis=1).astype(np.float32)
    paste = PasteBack(image, Crop(-20.5, -10.25, 240), landmarks)
    out = paste.apply(np.full((paste.size, paste.size, 3), 200, np.uint8), landmarks)
    assert out.shape == (300, 200, 3) and np.array_equal(out[235:], image[235:])


def test_where_the_square_is_as_it_was_cut_the_picture_stays(
    painting: tuple[NDArray[np.uint8], Portrait, PasteBack],
) -> None:
    _, found, paste = painting
    square = square_of(paste)
    assert np.array_equal(paste.apply(square, found.landmarks), paste.frame)
    half = paste.size // 2
    square[half:, half:] //= 2
    out = paste.apply(square, found.landmarks)
    left, top, side = (int(v) for v in (paste.crop.left, paste.crop.top, paste.crop.side))
    still = (slice(top, top + int(0.4 * side)), slice(left, left + int(0.4 * side)))
    assert np.array_equal(out[still], paste.frame[still])
    assert not np.array_equal(out[top + half :, left + half :], paste.frame[top + half :, left + half :])
