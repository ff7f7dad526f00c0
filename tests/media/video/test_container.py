"""What is opened as a video: no still picture, though FFmpeg reads some as videos of one frame."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sfumato.errors import MediaError
from sfumato.media.video import VideoReader
from tests.picture_fixtures import write_heic


@pytest.mark.parametrize("format", ["AVIF", "HEIC", "GIF", "PNG"])
def test_a_still_picture_is_told_as_one(tmp_path: Path, format: str) -> None:
    if format == "HEIC":
        write_heic(tmp_path / "a.mp4")
    else:
        Image.new("RGB", (64, 48)).save(tmp_path / "a.mp4", format)
    with pytest.raises(MediaError, match=f"is a picture \\({format}\\), not a video"):
        VideoReader(tmp_path / "a.mp4")


@pytest.mark.parametrize("format", ["AVIF", "GIF", "PNG"])
def test_a_moving_one_is_a_video(tmp_path: Path, format: str) -> None:
    first, *others = (Image.new("RGB", (64, 48), (80 * place, 0, 0)) for place in range(3))
    first.save(tmp_path / "a", format, save_all=True, append_images=others, duration=100)
    with VideoReader(tmp_path / "a") as video:
        assert len(list(video)) == 3
