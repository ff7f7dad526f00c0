"""A solved seam: gradients of the face, edge of the picture, and a mask of all that changed."""

import numpy as np

from detector.data.fakes.forgery import paste
from detector.data.fakes.seam import solve_seam
from tests.detector_fixtures import face_picture

ROWS, COLUMNS = np.mgrid[:64, :64]
DIAMOND = (np.abs(ROWS - 32) + np.abs(COLUMNS - 32) < 22).astype(np.float32)  # not its own bounding box


def test_a_step_of_colour_is_gone_and_the_gradients_stay() -> None:
    target = np.full((64, 64, 3), 90, np.uint8)
    grain = np.random.default_rng(0).integers(-8, 9, (64, 64, 1))
    face = np.clip(150 + grain, 0, 255).astype(np.uint8).repeat(3, axis=2)
    result, where = solve_seam(target, face, DIAMOND)
    inside = result[24:40, 24:40, 0].astype(float)
    assert abs(inside.mean() - 90) < 12  # pasted as it is, it would be 150
    assert np.corrcoef(inside.ravel(), grain[24:40, 24:40, 0].ravel())[0, 1] > 0.9
    assert where[DIAMOND > 0].mean() > 0.7  # some of the grain is what was there


def test_the_mask_holds_all_that_changed() -> None:
    target, face = (
        np.full((64, 64, 3), 90, np.uint8),
        np.clip(60 + 3 * COLUMNS, 0, 255).astype(np.uint8)[:, :, None].repeat(3, axis=2),
    )
    result, where = solve_seam(target, face, DIAMOND)
    assert np.array_equal(paste(target, result, where).fake, result)  # nothing is cut off
    assert where[DIAMOND == 0].any() and not where[[0, -1]].any()


def test_hulls_at_the_border_of_a_few_pixels_and_of_nothing_are_survived() -> None:
    target, face = face_picture(0, 48), face_picture(1, 48)
    whole, few, none = (np.zeros((48, 48), np.float32) for _ in range(3))
    whole[:], few[20:25, 20:25] = 1, 1
    assert not solve_seam(target, face, whole)[1][[0, -1]].any()
    assert np.array_equal(paste(target, *solve_seam(target, face, few)).fake[20:25, 20:25], face[20:25, 20:25])
    assert not solve_seam(target, face, none)[1].any()
