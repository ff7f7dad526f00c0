"""The region around the lips and what shows between them, on painted faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.metrics.lip_region import SIDE, inside_lips, lip_crop, lip_region, lips_open, teeth_show
from generator.motion.retarget import canonical_face

SIZE = 128
SKIN, TEETH, TONGUE, DARK = (200, 150, 120), (210, 200, 180), (190, 70, 70), (40, 15, 15)


def face(opening: float = 0.15) -> NDArray[np.float32]:
    """(68, 2) px: the canonical face with its inner lips apart by so much of its height."""
    points = ((canonical_face() + 1) * SIZE - 1) / 2
    height = float(np.linalg.norm(points[8] - points[27]))
    points[[61, 62, 63], 1], points[[67, 66, 65], 1] = points[60, 1], points[60, 1] + opening * height
    return points.astype(np.float32)


def painted(colour: tuple[int, int, int], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Skin everywhere, `colour` between the lips."""
    image = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    image[inside_lips(points, SIZE)] = colour
    return image


def test_the_region_is_half_as_wide_again_as_the_lips_and_in_their_middle() -> None:
    points = face(0)
    crop = lip_crop(points)
    assert crop.side == pytest.approx(1.5 * float(points[54, 0] - points[48, 0]), rel=0.02)
    middle = (points[48:].min(0) + points[48:].max(0)) / 2
    assert crop.to_crop(middle[None], SIDE)[0] == pytest.approx([SIDE / 2 - 0.5] * 2, abs=0.01)


def test_the_region_is_cut_and_resized() -> None:
    points = face()
    image = painted(DARK, points)
    region = lip_region(image, points)
    assert region.shape == (SIDE, SIDE, 3)
    assert region[0, 0].tolist() == list(SKIN) and region[SIDE // 2, SIDE // 2].max() < 60


def test_lips_are_open_from_a_twentieth_of_the_face_on() -> None:
    assert [lips_open(face(opening)) for opening in (0.0, 0.045, 0.055)] == [False, False, True]


@pytest.mark.parametrize(("colour", "shown"), [(TEETH, True), (TONGUE, False), (DARK, False), (SKIN, False)], ids=str)
def test_teeth_are_bright_and_pale(colour: tuple[int, int, int], shown: bool) -> None:
    points = face()
    assert teeth_show(painted(colour, points), points) is shown


def test_teeth_behind_closed_lips_do_not_show() -> None:
    points = face(0.03)
    assert not teeth_show(painted(TEETH, points), points)


def test_a_row_of_teeth_in_a_dark_mouth_is_enough() -> None:
    points = face(0.2)
    image = painted(DARK, points)
    rows = np.flatnonzero(inside_lips(points, SIZE).any(1))
    upper = inside_lips(points, SIZE) & (np.arange(SIZE)[:, None] < rows[0] + len(rows) // 4)
    image[upper] = TEETH
    assert teeth_show(image, points)


def test_what_is_between_the_lips_is_their_polygon() -> None:
    points = face()
    wanted = cv2.contourArea(points[60:68].round().astype(np.int32))
    assert inside_lips(points, SIZE).sum() == pytest.approx(wanted, rel=0.4)  # its edge is inside, too
