"""Follows one face through consecutive frames of a video, as it is read for other reasons.

In: frames, one after the other, those that `wants` asks for. Out: its landmarks and their times, for
`detector.motion.features`. A look at a frame costs a hundredth of a second, so the watch ends after FRAMES.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.motion.features import motion_features
from sfumato.media.faces import Box, FaceDetector
from sfumato.media.landmarks import Follower, LandmarkBackend, follower_of
from sfumato.media.video import Frame

FRAMES = 64  # of one face: at 100 nothing was found that is not found at 64
_SMALLEST = 40.0  # px, the longer side of a face's box: landmarks of smaller ones jitter
_PAUSE = 8  # frames without a face until the next search
_SEARCHES = 40  # in all: a video without a face costs no more than one with


@dataclass(frozen=True)
class Track:
    """points: (T, 68, 2) px of the frame; times: (T,) seconds, one frame after the other."""

    points: NDArray[np.float32]
    times: NDArray[np.float64]

    def holds(self, time: float, box: Box) -> bool | None:
        """Whether it is the face in `box` at `time`; None where it was not seen then."""
        at = np.flatnonzero(np.abs(self.times - time) < 1e-6)
        if not len(at):
            return None
        x, y = self.points[at[0]].mean(0)
        return bool(box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3])


class MotionWatch:
    """Shown frames in the order of time. It keeps to the largest face; a face that is lost is searched anew, and what
    was seen longest without a gap counts.
    """

    def __init__(self, faces: FaceDetector, landmarks: LandmarkBackend) -> None:
        self._faces, self._landmarks = faces, landmarks
        self._follower: Follower | None = None
        self._searches, self._next = _SEARCHES, 0
        self._now: list[tuple[NDArray[np.float32], float]] = []
        self._longest: list[tuple[NDArray[np.float32], float]] = []

    def wants(self, position: int) -> bool:
        """Whether the frame at this position of the video should be shown."""
        if self.done:
            return False
        return self._follower is not None or position >= self._next

    @property
    def done(self) -> bool:
        """Whether nothing more needs to be shown."""
        return len(self._longest) >= FRAMES or (self._follower is None and not self._searches)

    def show(self, frame: Frame) -> None:
        """One more frame, as `wants` said."""
        points = self._follower.step(frame.image) if self._follower is not None else None
        if points is None:
            points = self._found(frame)
            self._now = []
        if points is None:
            return
        self._now.append((points, frame.time))
        if len(self._now) > len(self._longest):
            self._longest = self._now

    def _found(self, frame: Frame) -> NDArray[np.float32] | None:
        self._follower, self._next = None, frame.index + _PAUSE
        if not self._searches:
            return None
        self._searches -= 1
        faces = [face for face in self._faces.detect(frame.image) if face.size >= _SMALLEST]
        if not faces:
            return None
        self._follower = follower_of(self._landmarks)
        return self._follower.start(frame.image, faces[0].box)

    def track(self) -> Track | None:
        """What was seen, once all is shown; None without a face."""
        if not self._longest:
            return None
        points, times = zip(*self._longest, strict=True)
        return Track(np.stack(points), np.array(times, np.float64))

    def features(self) -> NDArray[np.float64] | None:
        """How it moved, (len(FEATURES),); None where too little was seen."""
        track = self.track()
        return None if track is None else motion_features(track.points, track.times)
