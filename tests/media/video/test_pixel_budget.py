"""How much a video may unpack to: by its size, and by what its pixels take."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.errors import MediaError
from sfumato.limits import PIXELS_A_BYTE, PIXELS_ANYWAY
from sfumato.media.video.pixel_budget import PixelBudget


@pytest.mark.parametrize(("bits", "times"), [(12, 12), (8, 12), (0, 12), (24, 24), (32, 32)])
def test_pixels_count_by_the_bits_that_they_have(tmp_path: Path, bits: int, times: int) -> None:
    (tmp_path / "a.gif").write_bytes(bytes(60))
    most = (PIXELS_ANYWAY.most + 60 * PIXELS_A_BYTE.most) * 12 // times
    budget = PixelBudget(tmp_path / "a.gif")
    budget.spend(most - 100, bits)
    budget.spend(100, bits)
    with pytest.raises(MediaError, match="unpacks to more than 400 megapixels and 50000 pixels"):
        budget.spend(3, bits)
