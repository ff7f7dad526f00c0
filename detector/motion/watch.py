"""Follows one face through consecutive frames of a video, as it is read for other reasons.

In: the faces of the frames that are sampled, and of the frames between them those that `wants` asks for. Out: one
face's landmarks and their times, for `detector.motion.features`. Nothing is searched for here, so a video without a
face costs nothing; a look at a frame costs a hundredth of a second, so the watch ends after FRAMES of one face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.motion.features import GAP, RATE, motion_features
from sfumato.media.faces import Face
from sfumato.media.landmarks import Follower, LandmarkBackend, follower_of
from sfumato.media.video import Frame

FRAMES = 64  # of one face: at 100 nothing was found that is not found at 64
MOST = 3 * FRAMES  # looked at in all: where every shot is shorter than FRAMES, the longest of a few has to do
_SMALLEST = 40.0  # px, the longer side of a face's box: landmarks of smaller ones jitter
_WIDEST = 8  # frames from one look to the next, at most


@dataclass(frozen=True)
class Track:
    """points: (T, 68, 2) px of the frame; times: (T,) seconds, rising by GAP at most; person: whose face it is, as
    `MotionWatch.found` was told.
    """

    points: NDArray[np.float32]
    times: NDArray[np.float64]
    person: int


@dataclass
class _Run:
    """A face without a gap: its points and times so far. index: of its first frame."""

    person: int
    index: int
    points: list[NDArray[np.float32]]
    times: list[float]

    def add(self, points: NDArray[np.float32], time: float) -> None:
        self.points.append(points)
        self.times.append(time)

    def stride(self, index: int) -> int:
        """How many frames of the video there are to one of RATE, or nearly, the run having come to this one: at twice
        the rate FRAMES would be over in half the time.
        """
        between = (self.times[-1] - self.times[0]) / max(1, index - self.index)
        return max(1, min(_WIDEST, int(1 / (RATE * between) + 0.1))) if between > 0 else 1


class MotionWatch:
    """Shown frames in the order of time. It keeps to the face that it was given until that is lost, then waits for the
    next; what was seen longest without a gap counts. It holds the points of two runs, of FRAMES each at most.
    """

    def __init__(self, landmarks: LandmarkBackend) -> None:
        self._landmarks = landmarks
        self._follower: Follower | None = None
        self._left, self._next = MOST, 0
        self._run: _Run | None = None
        self._longest: _Run | None = None

    def wants(self, position: int) -> bool:
        """Whether the frame at this position of the video should be shown."""
        return self._follower is not None and position >= self._next and not self.done

    @property
    def done(self) -> bool:
        """Whether nothing more needs to be shown."""
        return not self._left or (self._longest is not None and len(self._longest.times) >= FRAMES)

    def found(self, frame: Frame, face: Face, person: int = 0) -> None:
        """The largest face of a frame that was searched: it is followed from here, unless one is already."""
        if self._follower is not None or self.done or face.size < _SMALLEST:
            return
        self._follower = follower_of(self._landmarks)
        self._seen(self._follower.start(frame.image, face.box), frame, person)

    def show(self, frame: Frame) -> None:
        """One more frame, as `wants` said."""
        if self._follower is None or self._run is None:
            return
        points = self._follower.step(frame.image)
        if points is None:
            self._follower = self._run = None
            self._left -= 1
        else:
            self._seen(points, frame, self._run.person)

    def _seen(self, points: NDArray[np.float32], frame: Frame, person: int) -> None:
        self._left -= 1
        if self._run is None or frame.time - self._run.times[-1] > GAP:
            self._run = _Run(person, frame.index, [], [])
        self._run.add(points, frame.time)
        self._next = frame.index + self._run.stride(frame.index)
        if self._longest is None or len(self._run.times) > len(self._longest.times):
            self._longest = self._run

    def track(self) -> Track | None:
        """What was seen, once all is shown; None without a face."""
        run = self._longest
        return None if run is None else Track(np.stack(run.points), np.array(run.times, np.float64), run.person)

    def features(self) -> NDArray[np.float64] | None:
        """How it moved, (len(FEATURES),); None where too little was seen."""
        track = self.track()
        return None if track is None else motion_features(track.points, track.times)
