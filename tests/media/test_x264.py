"""The same frames are the same bytes, at a width at which they were not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.attacks.reencoding import encode
from detector.data.degradations import h264
from sfumato.media.x264 import x264_options

TIMES = 30  # with AVX-512, where x264 reads what nobody wrote, some of them are others; without, nothing can be seen
NOISE = np.random.default_rng(0).integers(0, 255, (224, 224, 3)).astype(np.uint8)
PICTURE = np.asarray(cv2.GaussianBlur(NOISE, (0, 0), 4), np.uint8)
FRAMES = [np.roll(PICTURE, i * i // 9, axis=1) for i in range(25)]


def bytes_of(path: Path, frames: list[NDArray[np.uint8]]) -> bytes:
    encode(path, ((frame, i / 25) for i, frame in enumerate(frames)), 20, 25.0)
    return path.read_bytes()


def test_a_video_is_encoded_alike_every_time(tmp_path: Path) -> None:
    assert len({bytes_of(tmp_path / f"{i}.mp4", FRAMES) for i in range(TIMES)}) == 1


def test_frames_come_back_alike_every_time() -> None:
    assert len({b"".join(frame.tobytes() for frame in h264(FRAMES, 20)) for _ in range(TIMES)}) == 1


@pytest.mark.parametrize("avx512", [True, False])
def test_only_a_processor_with_the_faulty_instructions_is_held_back(
    monkeypatch: pytest.MonkeyPatch, avx512: bool
) -> None:
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda feature: avx512 and feature == 13)
    assert x264_options(crf="18") == {"crf": "18"} | ({"x264-params": "asm=avx2"} if avx512 else {})
    own = x264_options(**{"x264-params": "keyint=9"})["x264-params"]
    assert own == ("keyint=9:asm=avx2" if avx512 else "keyint=9")
