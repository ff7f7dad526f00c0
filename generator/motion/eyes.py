"""What a driver's eyes do. In: the frames of a video and the landmarks found in them. Out: how far each eye is open, as
a share of its usual opening, written into the lids of a track; and where the irises are.

Landmarks of a whole face hardly notice a closed eye, and know no iris; the iris model, which looks at one eye, does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator.motion.smoothing import steady
from sfumato.media.landmarks.iris import CORNERS, EyeReader

if TYPE_CHECKING:
    from sfumato.media.video import Frame

LIDS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))  # upper and lower lid points of each eye, among the 68
_SKULL = [*range(27, 36), 36, 39, 42, 45, 0, 16]
_CLOSED = 0.28  # of the usual opening: closed eyes are read as up to that much open, in some clips ...
_FAST_BLINK = (
    0.45  # ... and where a blink falls between two frames, as up to that much; the lowest of the track is shut
)
_BLINK = 0.018  # seconds of smoothing that a blink survives, as it does lips
_CALM = 0.06  # seconds of smoothing while an eye rests
_HALF = 0.4  # share of the usual opening under which an iris is hidden too far to be seen
Array = NDArray[np.float32]


class EyeWatch:
    """Reads eyes beside whoever follows the face: hand on `frames()`, and call `read` for each face found in them."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames, self._reader = frames, EyeReader()
        self._picture: NDArray[np.uint8] | None = None
        self._seen: list[list[list[float]]] = []

    def frames(self) -> Iterator[Frame]:
        """The same frames, one by one."""
        for frame in self._frames:
            self._picture = frame.image
            yield frame

    def read(self, landmarks: NDArray[Any]) -> None:
        """Reads the eyes of the face at `landmarks`, (68, 2) px, of the frame that was handed on last."""
        if self._picture is None:
            raise ValueError("no frame was handed on yet")
        eyes = self._reader.read(self._picture, landmarks)
        scale = float(face_size(np.asarray(landmarks)))
        self._seen.append([[eye.opening * eye.width / scale, *eye.gaze] for eye in eyes])

    def readings(self) -> Readings:
        """All that was read."""
        values = np.asarray(self._seen, np.float32).reshape(-1, 2, 3)
        return Readings(values[..., 0], values[..., 1:])


@dataclass(frozen=True)
class Readings:
    """opening: (F, 2), how far each eye is open, in sizes of the face (`face_size`); gaze: (F, 2, 2), as `Motion` has
    it, which means nothing while the eye is closed.
    """

    opening: Array
    gaze: Array

    def from_the_start(self, before: int) -> Readings:
        """With the first frame repeated for `before` frames before it."""
        opening, gaze = (np.concatenate([np.repeat(x[:1], before, axis=0), x]) for x in (self.opening, self.gaze))
        return Readings(opening, gaze)

    def shares(self, times: NDArray[np.float64]) -> Array:
        """(F, 2): how far each eye is open, 0 closed and 1 as usual. Smoothed while it rests; a blink is kept."""
        usual = np.array([np.median(eye[eye > 0.6 * np.percentile(eye, 90)]) for eye in self.opening.T])
        raw = self.opening / np.maximum(usual, 1e-6)
        lowest = raw.min(axis=0)
        closed = np.where((lowest > _CLOSED) & (lowest < _FAST_BLINK), lowest, _CLOSED)
        shares = np.maximum((raw - closed) / (1 - closed), 0).astype(np.float32)
        least = shares.min(axis=1, keepdims=True)  # both eyes blink, unless one is clearly open: that is a wink
        shares = least + (shares - least) * np.clip((shares - 0.2) / 0.4, 0, 1)
        return shares if len(shares) < 3 else steady(shares[..., None], times, _CALM, _BLINK, 0.1)[..., 0]

    def gaze_when_open(self, shares: Array, times: NDArray[np.float64], amount: float = 1.0) -> Array:
        """(F, 2, 2): both eyes move by what they move in the mean, which halves what is read wrong; through a blink
        they go on as before. `amount` of smoothing: see `smooth_track`.
        """
        seen = shares > _HALF
        if not seen.any():
            return np.zeros_like(self.gaze)
        usual = np.stack([np.median(self.gaze[seen[:, e] if seen[:, e].any() else ..., e], axis=0) for e in (0, 1)])
        change = np.where(seen[..., None], self.gaze - usual, 0).sum(axis=1) / np.maximum(seen.sum(1), 1)[:, None]
        known = seen.any(axis=1)
        both = np.stack([np.interp(times, times[known], change[known, axis]) for axis in (0, 1)], axis=-1)
        track = both.astype(np.float32)[:, None]  # (F, 1, 2)
        if len(track) > 2 and amount > 0:
            track = steady(track, times, amount * _CALM, amount * _BLINK, 0.03)
        return (usual[None] + track).astype(np.float32)


def with_lids(track: Array, shares: Array) -> Array:
    """track: (F, 68, 2); shares: (F, 2). The track with each eye as far open as its share of the usual says, around the
    middle of its lids.
    """
    result = track.copy()
    size = face_size(track)
    for eye, lids in enumerate(LIDS):
        down = _across(track, eye)
        for upper, lower in lids:
            apart = np.linalg.norm(track[:, lower] - track[:, upper], axis=1)
            half = (np.median(apart / size) * size * shares[:, eye] / 2)[:, None] * down
            middle = (track[:, upper] + track[:, lower]) / 2
            result[:, upper], result[:, lower] = middle - half, middle + half
    return result


def _across(track: Array, eye: int) -> Array:
    """(F, 2): the direction from lid to lid."""
    left, right = CORNERS[eye]
    along = track[:, right] - track[:, left]
    across = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    return np.asarray(across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9))


def face_size(landmarks: NDArray[Any]) -> NDArray[Any]:
    """How large the skull is, by the spread of its landmarks: (..., 68, 2) to (...). Lids and lips do not change it."""
    skull = landmarks[..., _SKULL, :]
    spread = ((skull - skull.mean(axis=-2, keepdims=True)) ** 2).sum(axis=-1).mean(axis=-1)
    return np.asarray(np.maximum(np.sqrt(spread), 1e-9))
