"""Colours of video: what a file without a word about its matrix is read with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from sfumato.media.video import VideoReader


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [(1280, 536, "ITU709"), (1280, 720, "ITU709"), (960, 578, "ITU709"), (720, 576, "ITU601"), (640, 360, "ITU601")],
)
def test_a_file_that_names_no_matrix_is_read_by_its_size(tmp_path: Path, width: int, height: int, matrix: str) -> None:
    colour = (200, 40, 60)
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"qp": "4", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), colour, np.uint8), format="rgb24")
        coded = frame.reformat(format="yuv420p", dst_colorspace=Colorspace[matrix], dst_color_range=ColorRange.MPEG)
        coded.colorspace = 2  # unspecified
        container.mux(stream.encode(coded))
        container.mux(stream.encode(None))
    with VideoReader(tmp_path / "a.mp4") as video:
        assert np.abs(next(iter(video)).image.astype(int) - colour).max() <= 3
