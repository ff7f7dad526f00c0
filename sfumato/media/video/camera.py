"""A camera of this machine, frame by frame: its index in, upright RGB frames with the times at which they came out.

Nothing is recorded: a frame is handed on and forgotten. Times are this machine's clock, from the first frame on; a
camera that delivers slower than it claims is followed at the rate it has.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

import cv2
import numpy as np

from sfumato.errors import MediaError
from sfumato.media.video.reader import Frame

_LONGEST = 3600.0  # seconds; whoever forgot the camera gets an hour


class Camera:
    """`with Camera(0, seconds=5) as camera: for frame in camera: ...`. Ends after `seconds`, or when `stop()` says
    so.
    """

    def __init__(
        self, index: int, *, seconds: float | None = None, max_side: int = 960, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Raises MediaError when there is no such camera, or it may not be used."""
        self.index, self._stop, self._max_side = index, stop, max_side
        self._seconds = min(seconds or _LONGEST, _LONGEST)
        with _silent_opencv():
            self._capture: Any = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            self._capture.release()
            raise MediaError(
                f"There is no camera {index} that can be opened",
                "Check that it is plugged in, allowed, and not in use.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Yields frames, HWC uint8 RGB, downsized to `max_side`. Raises MediaError when the camera gives none at
        all.
        """
        start = last = 0.0
        index = 0
        while not self._stop():
            good, image = self._capture.read()
            if not good:
                break
            now = time.monotonic()
            start = start if index else now
            if now - start > self._seconds:
                return
            moment = now - start
            if index and moment <= last:
                continue  # two frames in one tick of the clock
            scale = self._max_side / max(image.shape[:2])
            if scale < 1:
                image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            yield Frame(np.ascontiguousarray(image[:, :, ::-1]), moment, index)
            last = moment
            index += 1
        if not index:
            raise MediaError(
                f"Camera {self.index} gave no picture", "Check that it is not covered, switched off, or in use."
            )


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """OpenCV asks one driver after the other, and writes on stderr what each has to say of a camera that is not
    there.
    """
    logging: Any = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)


@contextmanager
def stopped_by_interrupt() -> Iterator[Callable[[], bool]]:
    """Yields `stop()`, which is true once somebody has pressed Ctrl-C; pressed again it interrupts as usual."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
