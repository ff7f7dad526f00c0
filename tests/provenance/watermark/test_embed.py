"""Marking costs little: in quality, on faces, in time; and takes any picture."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from provenance.watermark.embed import SpreadMarker
from tests.watermark_fixtures import PAYLOAD, encode, reader_of, scene


def test_quality_stays_above_its_floors(plain: list[np.ndarray], marked: list[np.ndarray]) -> None:
    from benchmarks.watermark.survival import quality

    errors = [quality(a, b) for a, b in zip(plain, marked, strict=True)]
    assert 10 * math.log10(255**2 / np.mean([error for error, _ in errors])) >= 40
    assert min(index for _, index in errors) >= 0.98


def test_faces_are_kept_cleaner(plain: list[np.ndarray]) -> None:
    image = plain[0]
    changed = SpreadMarker(PAYLOAD).mark(image, [(96.0, 48.0, 64.0, 80.0)]).astype(float) - image
    inside, outside = changed[64:112, 112:144], changed[:, :64]
    assert inside.std() < 0.5 * outside.std()


def test_black_and_plain_pictures_can_be_marked() -> None:
    for level in (0, 255, 128):
        image = np.full((96, 128, 3), level, np.uint8)
        marked = SpreadMarker(PAYLOAD).mark(image, [])
        assert marked.shape == image.shape
        assert np.abs(marked.astype(int) - level).max() < 20


def test_sizes_may_be_odd_large_or_tiny() -> None:
    for size in ((48, 64), (101, 333), (720, 406)):
        reader = reader_of([SpreadMarker(PAYLOAD).mark(image, []) for image in scene(1, 2, size)])
        assert len(reader.read().payload) == 8


def test_a_change_of_size_within_a_video_is_refused(plain: list[np.ndarray]) -> None:
    marker = SpreadMarker(PAYLOAD)
    marker.mark(plain[0], [])
    with pytest.raises(ValueError, match="one size"):
        marker.mark(plain[0][:100], [])


def test_a_new_scene_is_marked_anew(plain: list[np.ndarray]) -> None:
    marker = SpreadMarker(PAYLOAD)
    marker.mark(np.full_like(plain[0], 20), [])
    after = marker.mark(plain[0], [])
    np.testing.assert_array_equal(after, SpreadMarker(PAYLOAD).mark(plain[0], []))


def test_marking_costs_less_than_encoding_a_frame(plain: list[np.ndarray], tmp_path: Path) -> None:
    marker = SpreadMarker(PAYLOAD)
    marker.mark(plain[0], [])
    started = time.process_time()
    for image in plain * 3:
        marker.mark(image, [])
    marking = time.process_time() - started
    started = time.process_time()
    encode(plain * 3, tmp_path / "cost.mp4", 18)
    assert marking < time.process_time() - started
