"""A solved seam: gradients of the face, edge of the picture."""

import numpy as np

from detector.fakes.seam import solve_seam
from tests.detector_fixtures import face_picture


def test_a_step_of_colour_is_gone_and_the_gradients_stay() -> None:
    target = np.full((64, 64, 3), 90, np.uint8)
    grain = np.random.default_rng(0).integers(-8, 9, (64, 64, 1))
    face = np.clip(150 + grain, 0, 255).astype(np.uint8).repeat(3, axis=2)
    hull = np.zeros((64, 64), np.float32)
    hull[16:48, 20:44] = 1
    result, where = solve_seam(target, face, hull)
    inside = result[20:44, 24:40, 0].astype(float)
    assert np.array_equal(where, hull) and np.array_equal(result[where == 0], target[where == 0])
    assert abs(inside.mean() - 90) < 12  # pasted as it is, it would be 150
    assert np.corrcoef(inside.ravel(), grain[20:44, 24:40, 0].ravel())[0, 1] > 0.9


def test_hulls_at_the_border_and_of_nothing_are_survived() -> None:
    target, face = face_picture(0, 48), face_picture(1, 48)
    whole, none = np.ones((48, 48), np.float32), np.zeros((48, 48), np.float32)
    assert not solve_seam(target, face, whole)[1][[0, -1]].any()
    assert not solve_seam(target, face, none)[1].any()
