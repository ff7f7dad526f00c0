"""Sizes of frames: one range, one sentence."""

from __future__ import annotations

import pytest

from sfumato.errors import UsageError
from sfumato.media.frame_size import LARGEST, LARGEST_WHOLE, SMALLEST, require_frame_size


@pytest.mark.parametrize("size", [SMALLEST, 256, LARGEST])
def test_a_size_in_range_is_taken(size: int) -> None:
    require_frame_size(size)


@pytest.mark.parametrize("size", [0, SMALLEST - 2, 255, LARGEST + 2])
def test_another_is_refused_with_the_range(size: int) -> None:
    with pytest.raises(UsageError, match=f"even --size from {SMALLEST} to {LARGEST}"):
        require_frame_size(size)


def test_a_whole_picture_may_be_larger() -> None:
    require_frame_size(LARGEST_WHOLE, LARGEST_WHOLE)
    with pytest.raises(UsageError, match=str(LARGEST_WHOLE)):
        require_frame_size(LARGEST_WHOLE + 2, LARGEST_WHOLE)
