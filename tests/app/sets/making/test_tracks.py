"""Tracked motions are kept exactly, and what is no whole motion is tracked again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generator.motion.track import Motion
from sfumato.app.sets.making.tracks import kept_track


def motion(depth: bool) -> Motion:
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (5, 68, 2)).astype(np.float32)
    return Motion(
        points, np.arange(5) / 25, 2, "mesh", "x", depth=points[:, :, 0] / 3 if depth else None,
        gaze=points[:, :2] / 3 if depth else None,
    )  # fmt: skip


@pytest.mark.parametrize("depth", [True, False])
def test_a_motion_is_tracked_once_and_kept_to_the_last_bit(tmp_path: Path, depth: bool) -> None:
    calls: list[int] = []

    def track() -> Motion:
        calls.append(1)
        return motion(depth)

    first, again = (kept_track(tmp_path / "tracks", "ab" * 32, "mesh", 3.0, track) for _ in range(2))
    assert calls == [1]
    assert again.neutral == 2
    for name in ("landmarks", "times", "depth", "gaze"):
        one, other = getattr(first, name), getattr(again, name)
        assert (one is None and other is None) or (np.array_equal(one, other) and one.dtype == other.dtype)
    kept_track(tmp_path / "tracks", "ab" * 32, "mesh", 4.0, track)
    assert calls == [1, 1]  # more of the video is another motion


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"nonsense"])
def test_half_a_file_is_tracked_again(tmp_path: Path, content: bytes) -> None:
    kept_track(tmp_path, "cd" * 32, "mesh", 3.0, lambda: motion(True))
    [path] = tmp_path.iterdir()
    path.write_bytes(content)
    assert len(kept_track(tmp_path, "cd" * 32, "mesh", 3.0, lambda: motion(True))) == 5
    assert path.stat().st_size > 100
