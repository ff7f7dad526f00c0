"""One face through a video: frames in, its box and 68 landmarks in each frame out, and their depth where it is known.

A detector looks at the first frame, at every twelfth, after half a second, and wherever the landmarks are in doubt; in
between the landmarks of the last frame say where the face is (as in MediaPipe: Kartynnik et al., Real-time Facial
Surface Geometry, 2019). Landmark backends that cannot follow have the detector look at each frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sfumato.media.faces import Box, Face, FaceDetector, FaceTracker
from sfumato.media.landmarks import LandmarkBackend, depth_of, follower_of

if TYPE_CHECKING:
    from sfumato.media.video import Frame

_LOOK_AGAIN = 12  # frames from one look of the detector to the next, at most
_LOOK_AFTER = 0.5  # seconds: a slow clip has few frames, and a face is elsewhere in each
_FAR = 0.2  # seconds between two frames, from which on a head may have moved by its own size
_PATIENCE = 600  # frames, more than half a second of any camera; the caller says in seconds how long is too long
Landmarks = NDArray[np.float32]


class Sighting(NamedTuple):
    """The face in one frame: box and landmarks (68, 2) in px, and depth (68,) px away from the camera where the backend
    knows it.
    """

    box: Box
    landmarks: Landmarks
    depth: NDArray[np.float32] | None


def follow_face(
    frames: Iterable[Frame], landmarks: LandmarkBackend, seconds: float | None = None
) -> Iterator[tuple[float, Sighting | None]]:
    """Every frame's time up to `seconds`, with the face as it is seen there, or None where it is not.

    The face is the largest of the first frame that shows one; it is kept when others appear.
    """
    detector, tracker, follower = FaceDetector(), FaceTracker(patience=_PATIENCE), follower_of(landmarks)
    followed: int | None = None
    last: tuple[Face, Landmarks] | None = None  # of the frame before, where the face was seen
    looked, looked_at, sighted = 0, 0.0, 0.0  # frames since the detector looked, when that was, when the face was seen
    for frame in frames:
        if seconds is not None and frame.time > seconds:
            return
        points = follower.step(frame.image) if last is not None else None
        looked += 1
        if points is not None and last is not None and looked < _LOOK_AGAIN and frame.time - looked_at < _LOOK_AFTER:
            faces = [_carried(*last, points)]
        else:
            faces, looked, looked_at = detector.detect(frame.image)[:4], 0, frame.time
        seen = tracker.update(frame.index, faces)
        if followed is None and seen:
            followed = max(seen, key=lambda identifier: seen[identifier].size)
        elif followed is not None and followed not in seen and frame.time - sighted > _FAR:
            new = {track: face for track, face in seen.items() if len(tracker.tracks[track].frames) == 1}
            moved = _moved(tracker.tracks[followed].box, new, 1 + 2 * (frame.time - sighted))
            followed = followed if moved is None else moved
        if followed is None or followed not in seen:
            last = None
            yield frame.time, None
            continue
        sighted = frame.time
        box = tracker.tracks[followed].box
        if points is None or not _holds(box, points):
            points = follower.start(frame.image, box)
        last = seen[followed], points  # the box unsmoothed, or each frame would lose some of its movement
        yield frame.time, Sighting(box, points, depth_of(follower))


def _moved(before: Box, seen: dict[int, Face], farthest: float) -> int | None:
    """The track of the face that `before` may have become: of its size, and at most `farthest` of its sides away."""
    best = min(seen, key=lambda track: _apart(before, seen[track].box), default=None)
    if best is None or _apart(before, seen[best].box) > farthest:
        return None
    return best if 0.6 < seen[best].size / max(before[2:]) < 1.7 else None


def _apart(first: Box, second: Box) -> float:
    """The distance of the middles, in sides of the first box."""
    across = second[0] + second[2] / 2 - first[0] - first[2] / 2
    down = second[1] + second[3] / 2 - first[1] - first[3] / 2
    return float(np.hypot(across, down)) / max(first[2:])


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
