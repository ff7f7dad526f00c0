"""Which part of a picture is a person."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.person.segmentation import person_share
from tests.generator_fixtures import astronaut, portrait


@pytest.mark.parametrize("size", [64, 512])
def test_a_share_of_every_pixel_at_every_size(size: int) -> None:
    share = person_share(np.asarray(cv2.resize(astronaut(), (size, size)), np.uint8))
    assert share.shape == (size, size) and share.dtype == np.float32
    assert 0 <= share.min() < 0.05 and 0.95 < share.max() <= 1


def test_a_painted_person_counts() -> None:
    painting = portrait()
    square = np.ascontiguousarray(painting[: painting.shape[1]])
    middle, side = square.shape[1] // 2, square.shape[1]
    share = person_share(square)
    assert share[side // 3, middle] > 0.9  # the face
    assert share[: side // 12, : side // 12].max() < 0.1  # the sky


def test_where_nobody_is_there_is_no_person() -> None:
    slope = np.repeat(np.linspace(0, 255, 128).astype(np.uint8)[:, None, None], 128, 1).repeat(3, 2)
    assert person_share(slope).mean() < 0.1
