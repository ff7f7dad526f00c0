"""One face through a video: frames in, its box and 68 landmarks in each frame out.

A detector looks at the first frame, at every twelfth, and wherever the landmarks are in doubt; in between the landmarks
of the last frame say where the face is (as in MediaPipe: Kartynnik et al., Real-time Facial Surface Geometry, 2019).
Landmark backends that cannot follow have the detector look at each frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sfumato.media.faces import Box, Face, FaceDetector, FaceTracker
from sfumato.media.landmarks import LandmarkBackend, follower_of

if TYPE_CHECKING:
    from sfumato.media.video import Frame

_LOOK_AGAIN = 12  # frames from one look of the detector to the next, at most
Landmarks = NDArray[np.float32]


def follow_face(
    frames: Iterable[Frame], landmarks: LandmarkBackend, seconds: float | None = None
) -> Iterator[tuple[float, tuple[Box, Landmarks] | None]]:
    """Every frame's time up to `seconds`, with the box (px) and landmarks (68, 2) px of the face, or None where it is
    not seen.

    The face is the largest of the first frame that shows one; it is kept when others appear.
    """
    detector, tracker, follower = FaceDetector(), FaceTracker(), follower_of(landmarks)
    followed: int | None = None
    last: tuple[Face, Landmarks] | None = None  # of the frame before, where the face was seen
    looked = 0  # frames since the detector looked
    for frame in frames:
        if seconds is not None and frame.time > seconds:
            return
        points = follower.step(frame.image) if last is not None else None
        looked += 1
        if points is not None and last is not None and looked < _LOOK_AGAIN:
            faces = [_carried(*last, points)]
        else:
            faces, looked = detector.detect(frame.image)[:4], 0
        seen = tracker.update(frame.index, faces)
        if followed is None and seen:
            followed = max(seen, key=lambda identifier: seen[identifier].size)
        if followed is None or followed not in seen:
            last = None
            yield frame.time, None
            continue
        box = tracker.tracks[followed].box
        if points is None or not _holds(box, points):
            points = follower.start(frame.image, box)
        last = seen[followed], points  # the box unsmoothed, or each frame would lose some of its movement
        yield frame.time, (box, points)


def _carried(face: Face, before: Landmarks, after: Landmarks) -> Face:
    """The face, moved and scaled as its landmarks were."""
    centre, extent = _place(before)
    now, grown = _place(after)
    scale = grown / extent
    left, top = now + scale * (np.array(face.box[:2]) - centre)
    points = now + scale * (face.points - centre)
    box = (float(left), float(top), face.box[2] * scale, face.box[3] * scale)
    return Face(box, face.score, points.astype(np.float32))


def _place(points: Landmarks) -> tuple[NDArray[Any], float]:
    """Middle (x, y) and spread, in px."""
    middle = points.mean(0)
    return middle, max(float(np.sqrt(((points - middle) ** 2).sum(1).mean())), 1e-3)


def _holds(box: Box, points: Landmarks) -> bool:
    """Whether the middle of the landmarks lies within the box: they are those of the face that the detector found."""
    x, y = points.mean(0)
    return bool(box[0] < x < box[0] + box[2] and box[1] < y < box[1] + box[3])
