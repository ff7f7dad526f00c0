"""Landmark retargeting: one face's motion on another face's geometry.

Landmarks of another person leak that person's face shape (the paper's known limit). So only what changes against the
driver's neutral frame is taken over: head motion as a similarity, the rest as displacements, scaled part by part to the
source's proportions; eyes by how far they are open. At the neutral frame the result is the source's own landmarks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generator.motion.track import Landmarks, Motion, Pose
from sfumato.media.identity import similarity

RIGID = [*range(27, 36), 36, 39, 42, 45, 0, 16]  # nose, eye corners, ears: they move with the skull
_LIMIT = 0.5  # of the face's width: no displacement beyond it is anatomy
_PARTS = (list(range(17)), list(range(17, 27)), list(range(27, 36)), list(range(36, 48)), list(range(48, 68)))
_LIDS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))  # upper and lower lid points of each eye
Matrix = NDArray[np.float64]


class Retargeter:
    """Moves `source` (68, 2) as `motion` moves its canonical face.

    `relative`: the source keeps its own pose and place, and moves from there. `absolute`: it takes the driver's.
    `strength` scales the expression: 0 leaves only head motion, 1 is the driver's own.
    """

    def __init__(
        self,
        source: Landmarks,
        motion: Motion,
        mode: Literal["relative", "absolute"] = "relative",
        strength: float = 1.0,
    ) -> None:
        self.motion, self.mode, self.strength = motion, mode, strength
        self.neutral = motion.landmarks[motion.neutral].astype(np.float64)
        self._to_driver = similarity(source[RIGID], self.neutral[RIGID])
        self._back = _inverse(self._to_driver)
        self.source = _apply(self._to_driver, source)  # the source's geometry in the driver's place
        across = self.neutral[45] - self.neutral[36]
        angle = np.arctan2(across[1], across[0])
        self._upright = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )  # `points @ this` levels the eyes
        self._reach = _LIMIT * float(np.linalg.norm(self.neutral[16] - self.neutral[0]))
        self._scale = np.ones((68, 2))
        for part in _PARTS:
            own, other = (np.ptp(face[part] @ self._upright, axis=0) for face in (self.source, self.neutral))
            self._scale[part] = np.clip(own / np.maximum(other, 1e-6), 0.6, 1.6)

    def frame(self, index: int) -> Landmarks:
        """The source's landmarks (68, 2) at frame `index` of the motion."""
        return self.apply(self.motion.pose(index))

    def apply(self, pose: Pose) -> Landmarks:
        """The source's landmarks (68, 2) for a pose of the driver, both in [-1, 1]."""
        driver = pose.landmarks
        head = similarity(self.neutral[RIGID], driver[RIGID])
        calm = _apply(_inverse(head), driver)  # the driver's face without its head motion
        change = (calm - self.neutral) @ self._upright * self._scale @ self._upright.T * self.strength
        length = np.linalg.norm(change, axis=1, keepdims=True)
        shape = self.source + change * np.minimum(1.0, self._reach / np.maximum(length, 1e-9))
        self._lids(shape, calm)
        moved = _apply(head, shape)
        return (moved if self.mode == "absolute" else _apply(self._back, moved)).astype(np.float32)

    def _lids(self, shape: Matrix, driver: Matrix) -> None:
        """Sets the eyes' opening as a share of the source's own: a closed eye is closed, whatever its size."""
        for eye in _LIDS:
            open_now = sum(np.linalg.norm(driver[u] - driver[w]) for u, w in eye)
            open_neutral = sum(np.linalg.norm(self.neutral[u] - self.neutral[w]) for u, w in eye)
            share = 1 + self.strength * (float(np.clip(open_now / max(open_neutral, 1e-6), 0.0, 1.35)) - 1)
            for upper, lower in eye:
                middle = (shape[upper] + shape[lower]) / 2
                half = (self.source[upper] - self.source[lower]) / 2 * max(share, 0.0)
                shape[upper], shape[lower] = middle + half, middle - half


def without_likeness(motion: Motion, canonical: Landmarks) -> Motion:
    """The same motion on the canonical face: what a `.motion` file holds."""
    retargeter = Retargeter(canonical, motion, mode="absolute")
    track = np.stack([retargeter.frame(index) for index in range(len(motion))])
    return replace(motion, landmarks=track, depth=None)


def canonical_face() -> Landmarks:
    """(68, 2) in [-1, 1] of the crop: the mean of many faces at rest, mirrored and averaged so that it is nobody's."""
    import json
    from importlib.resources import files

    return np.asarray(
        json.loads((files("generator.motion") / "canonical_face.json").read_text(encoding="utf-8"))["landmarks"],
        np.float32,
    )


def _apply(matrix: Matrix, points: NDArray[np.floating]) -> Matrix:
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def _inverse(matrix: Matrix) -> Matrix:
    linear = np.linalg.pinv(matrix[:, :2])  # a face in one point has no inverse, and must not end the run
    return np.hstack([linear, (-linear @ matrix[:, 2])[:, None]])
