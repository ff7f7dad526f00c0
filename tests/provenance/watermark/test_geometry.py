"""A crop is put back where it was."""

from __future__ import annotations

import numpy as np
import pytest

from provenance.watermark import Geometry
from provenance.watermark.geometry import transform


def test_transform_puts_a_crop_where_it_was() -> None:
    picture = np.random.default_rng(0).normal(0, 1, (256, 256)).astype(np.float32)
    same, seen = transform(picture, Geometry())
    np.testing.assert_array_equal(same, picture)
    assert seen.all()
    _, part = transform(picture, Geometry(False, 0.1, 0.0, 0.9, 1.0))
    assert part.mean() == pytest.approx(0.9, abs=0.01)
    mirrored, _ = transform(picture, Geometry(True))
    np.testing.assert_array_equal(mirrored, picture[:, ::-1])
