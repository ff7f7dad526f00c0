"""A scene without a mark, and the same with one."""

from __future__ import annotations

import numpy as np
import pytest

from provenance.watermark.embed import SpreadMarker
from tests.watermark_fixtures import PAYLOAD, scene


@pytest.fixture(scope="module")
def plain() -> list[np.ndarray]:
    return list(scene())


@pytest.fixture(scope="module")
def marked(plain: list[np.ndarray]) -> list[np.ndarray]:
    marker = SpreadMarker(PAYLOAD)
    return [marker.mark(image, []) for image in plain]
