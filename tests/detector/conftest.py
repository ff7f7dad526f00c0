"""Twelve drawn people a split, in the crop cache already: no face detection, no files."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.data.cache import CropCache, StoredCrop
from sfumato.media.clips import ClipRow
from tests.detector_fixtures import TINY, checkered, clip_row, face_picture, landmarks


@pytest.fixture
def toy(tmp_path: Path) -> tuple[list[ClipRow], CropCache]:
    """Twelve people a split, each with a real clip and a checkered twin; crops lie in the cache already."""
    cache = CropCache(tmp_path / "clips.jsonl", tmp_path / "crops", TINY.samples)
    rows = []
    for number, split in enumerate(("train", "validation", "calibration", "test")):
        for i in range(12):
            seed = 100 * number + i
            real = clip_row(f"real-{seed}.mp4", split=split, identity=f"person {seed}")
            fake = clip_row(f"fake-{seed}.mp4", "fake", split, pair_of=real.path, identity=f"person {seed}")
            pictures = [face_picture(1000 * seed + k) for k in range(2)]
            for row, images in ((real, pictures), (fake, [checkered(p) for p in pictures])):
                cache._write(
                    cache.folder / f"{cache._key(row)}.npz",
                    [StoredCrop(p, landmarks(96), float(k)) for k, p in enumerate(images)],
                )
            rows += [real, fake]
    return rows, cache
