"""A camera: frames the right way round, times from the clock, an end by time or by Ctrl-C, and a clear word when there
is none.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import cv2
import numpy as np
import pytest

from sfumato.errors import MediaError
from sfumato.media.video import camera as module
from sfumato.media.video.camera import Camera, stopped_by_interrupt


class FakeCapture:
    """What cv2.VideoCapture is for a camera of `count` red pictures, BGR, and a clock that ticks with each."""

    count, size = 50, (48, 64)
    opened, released = True, False

    def __init__(self, index: int) -> None:
        self.index, self.given = index, 0
        type(self).released = False

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        if self.given == self.count:
            return False, None
        self.given += 1
        return True, np.full((*self.size, 3), (0, 0, 200), np.uint8)

    def release(self) -> None:
        type(self).released = True


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> type[FakeCapture]:
    made = type("Capture", (FakeCapture,), {})
    ticks = iter(range(10_000))
    monkeypatch.setattr(cv2, "VideoCapture", made)
    monkeypatch.setattr(module.time, "monotonic", lambda: 100 + next(ticks) / 25)
    return made


def test_frames_are_rgb_timed_and_counted(capture: type[FakeCapture]) -> None:
    with Camera(3) as camera:
        frames = list(camera)
    assert len(frames) == 50 and capture.released
    assert [round(frame.time * 25) for frame in frames] == [frame.index for frame in frames] == list(range(50))
    assert frames[0].image.shape == (48, 64, 3) and frames[0].image[0, 0].tolist() == [200, 0, 0]


def test_seconds_end_it(capture: type[FakeCapture]) -> None:
    with Camera(0, seconds=0.41) as camera:
        assert len(list(camera)) == 11


def test_stop_ends_it(capture: type[FakeCapture]) -> None:
    seen: list[int] = []
    with Camera(0, stop=lambda: len(seen) == 4) as camera:
        for frame in camera:
            seen.append(frame.index)
    assert len(seen) == 4


def test_large_pictures_are_downsized(capture: type[FakeCapture]) -> None:
    capture.size = (480, 640)
    with Camera(0, max_side=320) as camera:
        assert next(iter(camera)).image.shape == (240, 320, 3)


def test_no_camera_and_a_camera_without_a_picture(capture: type[FakeCapture]) -> None:
    capture.count = 0
    with pytest.raises(MediaError, match="no picture"), Camera(1) as camera:
        list(camera)
    capture.opened = False
    with pytest.raises(MediaError, match="no camera 1"):
        Camera(1)
    assert capture.released


def test_the_first_ctrl_c_is_a_wish_and_the_second_an_order() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stopped_by_interrupt() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_opencv_says_nothing_of_a_camera_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        with pytest.raises(MediaError, match="no camera 987"):
            Camera(987)
        assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_ERROR
    finally:
        cv2.utils.logging.setLogLevel(before)
    assert capfd.readouterr().err == ""
