"""The detector's crop: inside the shared one, and no mirrored border for a generated frame that is nothing but its own
crop.
"""

import numpy as np
import pytest

from detector.inference.crops import TIGHTEN, judged_crop, tighten, wide_crop
from sfumato.media.faces import Crop


def test_tightened_crop_keeps_its_middle() -> None:
    crop = tighten(Crop(10.0, 20.0, 100.0))
    assert (crop.left, crop.top, crop.side) == pytest.approx((20.0, 30.0, 80.0))


def test_shift_moves_by_shares_of_the_side() -> None:
    assert tighten(Crop(0.0, 0.0, 100.0), 0.8, (0.05, -0.05)).left == pytest.approx(15.0)


def test_frame_that_is_the_generators_crop_shows_no_border() -> None:
    frame = np.zeros((256, 256, 3), np.uint8)
    box = (64.0, 56.4, 128.0, 153.6)  # fills 60 % of the side, where crop_around puts it
    crop = judged_crop(box, frame)
    assert crop.left >= 0
    assert crop.top >= 0
    assert max(crop.left, crop.top) + crop.side <= 256
    assert crop.side == pytest.approx(TIGHTEN * wide_crop(box, frame).side)
