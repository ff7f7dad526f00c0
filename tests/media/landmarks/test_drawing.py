"""The landmark sketch: colours and lines of the paper's authors, from coordinates, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from generator.motion.retarget import canonical_face
from sfumato.media.landmarks.drawing import PARTS, draw_sketch


def points(size: int) -> np.ndarray:
    return ((canonical_face() + 1) * size - 1) / 2


def test_the_ground_is_black_and_the_lines_have_their_colours() -> None:
    sketch = draw_sketch(points(256), 256)
    assert sketch.shape == (256, 256, 3) and sketch.dtype == np.uint8
    assert (sketch[0, 0] == 0).all() and (sketch.max(axis=2) == 0).mean() > 0.8
    p = points(256)
    for first, last, colour, _ in PARTS[:7]:  # lips overlap each other
        middle = p[(first + last) // 2]
        x, y = round(float(middle[0])), round(float(middle[1]))
        patch = sketch[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).astype(int)
        assert np.abs(patch - colour).max(axis=1).min() < 60, (first, last)


def test_jaw_is_open_and_eyes_are_closed() -> None:
    assert {(first, last): closed for first, last, _, closed in PARTS}[(0, 16)] is False
    assert all(closed for first, _, _, closed in PARTS if first >= 36)


def test_every_point_belongs_to_one_part() -> None:
    assert sorted(i for first, last, _, _ in PARTS for i in range(first, last + 1)) == list(range(68))


def test_lines_are_two_pixels_wide_at_256() -> None:
    level = np.zeros((68, 2)) - 900
    level[0:17] = np.stack([np.linspace(40, 200, 17), np.full(17, 100.0)], 1)
    column = draw_sketch(level, 256)[:, 120, 0].astype(float) / 255
    assert column.sum() == pytest.approx(3.4, abs=0.5)  # OpenCV's two pixels, with their soft edges
    assert column.max() == 1


def test_half_a_pixel_moves_the_line() -> None:
    assert not np.array_equal(draw_sketch(points(64), 64), draw_sketch(points(64) + 0.5, 64))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_points_that_are_no_places_do_not_break_it(value: float) -> None:
    wild = points(64)
    wild[::3] = value
    assert draw_sketch(wild, 64).shape == (64, 64, 3)
