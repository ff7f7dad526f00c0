"""Keyframes alone: how many there are, and that those which are asked for come out as they are in the whole video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sfumato.errors import MediaError
from sfumato.media.video import VideoReader
from sfumato.media.video.survey import count_keyframes
from tests.media_fixtures import make_video

EVERY_FOURTH = {"g": "4", "sc_threshold": "0"}


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_a_keyframe_is_the_frame_of_its_time(tmp_path: Path, name: str, codec: str) -> None:
    path = make_video(tmp_path / name, frames=18, rate=25, codec=codec, options=EVERY_FOURTH)
    assert count_keyframes(path) == 5
    with VideoReader(path) as video:
        every = list(video)
    with VideoReader(path, keyframes=lambda number: number % 2 == 0) as video:
        found = list(video)
        again = [frame.time for frame in video]
    assert [frame.time for frame in found] == pytest.approx([0.0, 0.32, 0.64], abs=0.0015)
    assert [frame.index for frame in found] == [0, 1, 2]
    assert all(np.array_equal(frame.image, every[place].image) for frame, place in zip(found, (0, 8, 16), strict=True))
    assert again == [frame.time for frame in found]


def test_nothing_else_is_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", frames=18, options=EVERY_FOURTH)
    asked: list[int] = []
    with VideoReader(path, keyframes=lambda number: asked.append(number) is None and number < 2) as video:
        assert len(list(video)) == 2
        assert video.decoded_frames == 2
        assert not video.truncated
    assert asked == [0, 1, 2, 3, 4]


def test_what_is_no_video_has_no_keyframes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(MediaError):
        count_keyframes(tmp_path / "a.mp4")
