"""Landmark retargeting: one face's motion on another face's geometry.

Landmarks of another person leak that person's face shape (the paper's known limit). So only what changes against the
driver's neutral frame is taken over: head motion, in space where both faces' depth is known and else in the picture's
plane; the rest as displacements in the head's own frame, scaled part by part to the source's proportions, lips to the
face's height; eyes by how far they are open. At the neutral frame the result is the source's own landmarks.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.motion.eyes import LIDS
from generator.motion.head import FlatHead, Matrix, Mode, SolidHead
from generator.motion.track import Landmarks, Motion, Pose

_LIMIT = 0.5  # of the face's width: no displacement beyond it is anatomy
_PARTS = (list(range(17)), list(range(17, 27)), list(range(27, 36)), list(range(36, 48)), list(range(48, 68)))
_CHIN, _ROOT = 8, 27  # of the nose: between them is the face's height
_MOUTH, _LIPS = _PARTS[4], ((61, 67), (62, 66), (63, 65))  # all of it; upper and lower inner lip
# the lower lip, and how much of a shift it gets
_LOWER = ([55, 56, 57, 58, 59, 65, 66, 67], [0.6, 1, 1, 1, 0.6, 1, 1, 1])
# The mesh takes lips that part for closed at first, and sees wide open ones better: what it leaves out, from which
# opening until which that grows, and over which it becomes half of that; of the face's height. Chosen on the drivers
# of `bench cross` (docs/animation.md)
_MISSED, _SHUT, _APART, _WIDE, _WIDEST = 0.03, 0.005, 0.04, 0.08, 0.16
_ASKED, _MANY, _LESS = 200, 0.1, 2.0  # frames asked about turns, the share worth a remark, and degrees worth counting


class Retargeter:
    """Moves `source` (68, 2) as `motion` moves its canonical face.

    `relative`: the source keeps its own pose and place, and moves from there. `absolute`: it takes the driver's.
    `strength` scales the expression: 0 leaves only head motion, 1 is the driver's own. `depth`: (68,) of the source;
    with it, and a motion that has depth too, the head turns in space. Turns that a single picture cannot show are held
    back (`held_back`), and lips part by what the mesh leaves out, too, unless `held` is off: then it is a motion to
    keep, not a picture's.
    """

    def __init__(
        self,
        source: Landmarks,
        motion: Motion,
        mode: Mode = "relative",
        strength: float = 1.0,
        depth: NDArray[np.float32] | None = None,
        held: bool = True,
    ) -> None:
        self.motion, self.strength, self._parts = motion, strength, held and motion.backend == "mesh"
        neutral = motion.pose(motion.neutral)
        self._head: FlatHead | SolidHead
        if depth is None or neutral.depth is None:
            self._head = FlatHead(source.astype(np.float64), neutral.landmarks.astype(np.float64), mode)
        else:
            solid = (_solid(source, depth), _solid(neutral.landmarks, neutral.depth))
            self._head = SolidHead(*solid, _solid(canonical_face(), canonical_depth()), mode, held)
        self.source, self.neutral = self._head.source, self._head.neutral  # both in the same frame
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
        # lips part as wide for the face, whether full or thin, and whether they were parted at rest
        high, other_high = (float(np.linalg.norm(face[_CHIN] - face[_ROOT])) for face in (self.source, self.neutral))
        self._scale[_MOUTH, 1] = np.clip(high / max(other_high, 1e-6), 0.6, 1.6)

    def frame(self, index: int) -> Landmarks:
        """The source's landmarks (68, 2) at frame `index` of the motion."""
        return self.apply(self.motion.pose(index))

    def apply(self, pose: Pose) -> Landmarks:
        """The source's landmarks (68, 2) for a pose of the driver, both in [-1, 1]."""
        return np.ascontiguousarray(self.moved(pose)[:, :2])

    def moved(self, pose: Pose) -> NDArray[np.float32]:
        """The source's landmarks for a pose of the driver: (68, 3) where the head turns in space, else (68, 2)."""
        if isinstance(self._head, FlatHead):
            calm, motion = self._head.calm(pose)
            return self._head.moved(self._shape(calm), motion).astype(np.float32)
        calm, head = self._head.calm(pose)
        return self._head.moved(self._shape(calm), head).astype(np.float32)

    def gaze(self, pose: Pose) -> NDArray[np.float32] | None:
        """How far each of the source's irises moves from its own place, (2, 2) in eye widths: as far as the driver's
        from where it is in the neutral frame. None where the motion does not tell.
        """
        neutral = self.motion.pose(self.motion.neutral).gaze
        if pose.gaze is None or neutral is None:
            return None
        return np.asarray(self.strength * (pose.gaze - neutral), np.float32)

    def remarks(self) -> tuple[str, ...]:
        """What somebody should be told: that the driver turns farther than this source can follow."""
        if isinstance(self._head, FlatHead):
            return ()
        asked = np.unique(np.linspace(0, len(self.motion) - 1, _ASKED).round().astype(int))
        less = [self._head.excess(self._head.calm(self.motion.pose(int(index)))[1]) > _LESS for index in asked]
        share = float(np.mean(less))
        if share < _MANY:
            return ()
        return (
            f"In {share:.0%} of the motion {self.motion.name} the head turns farther than this portrait can show; "
            "there it turns less.",
        )

    def _shape(self, calm: Matrix) -> Matrix:
        """The source's face with the expression of the driver's face `calm`, (68, 2), without head motion."""
        change = (calm - self.neutral) @ self._upright * self._scale @ self._upright.T * self.strength
        length = np.linalg.norm(change, axis=1, keepdims=True)
        shape: Matrix = self.source + change * np.minimum(1.0, self._reach / np.maximum(length, 1e-9))
        self._lids(shape, calm)
        self._lips(shape)
        if self._parts:
            self._part(shape)
        return shape

    def _part(self, shape: Matrix) -> None:
        """Lowers the lower lip by what the mesh leaves out of an opening that the source does not have."""
        by = max(_missed(shape) - _missed(self.source), 0.0)
        points, shares = _LOWER
        shape[points] += by * np.linalg.norm(shape[_CHIN] - shape[_ROOT]) * np.outer(shares, self._upright[:, 1])

    def _lips(self, shape: Matrix) -> None:
        """Lets lips meet where the driver's come closer than in its neutral frame, and the source's would cross."""
        down = self._upright[:, 1]
        for upper, lower in _LIPS:
            least = min(0.0, float((self.source[lower] - self.source[upper]) @ down))  # as the source's own are
            over = least - float((shape[lower] - shape[upper]) @ down)
            if over > 0:
                shape[upper] -= over / 2 * down
                shape[lower] += over / 2 * down

    def _lids(self, shape: Matrix, driver: Matrix) -> None:
        """Sets the eyes' opening as a share of the source's own: a closed eye is closed, whatever its size."""
        for eye in LIDS:
            open_now = sum(np.linalg.norm(driver[u] - driver[w]) for u, w in eye)
            open_neutral = sum(np.linalg.norm(self.neutral[u] - self.neutral[w]) for u, w in eye)
            share = 1 + self.strength * (float(np.clip(open_now / max(open_neutral, 1e-6), 0.0, 1.35)) - 1)
            for upper, lower in eye:
                middle = (shape[upper] + shape[lower]) / 2
                half = (self.source[upper] - self.source[lower]) / 2 * max(share, 0.0)
                shape[upper], shape[lower] = middle + half, middle - half


def without_likeness(motion: Motion, canonical: Landmarks, depth: NDArray[np.float32] | None = None) -> Motion:
    """The same motion on the canonical face, (68, 2) and its depth (68,): what a `.motion` file holds. Without `depth`
    the file has none.
    """
    retargeter = Retargeter(canonical, motion, mode="absolute", depth=depth, held=False)
    track = np.stack([retargeter.moved(motion.pose(index)) for index in range(len(motion))])
    gaze = None if motion.gaze is None else motion.gaze - motion.gaze[motion.neutral]
    if track.shape[2] == 2:
        return replace(motion, landmarks=track, depth=None, gaze=gaze)
    deep = track[..., 2]
    return replace(motion, landmarks=track[..., :2], depth=deep - deep.mean(axis=1, keepdims=True), gaze=gaze)


def canonical_face() -> Landmarks:
    """(68, 2) in [-1, 1] of the crop: the mean of many faces at rest, mirrored and averaged so that it is nobody's."""
    return np.asarray(_canonical()["landmarks"], np.float32)


def canonical_depth() -> NDArray[np.float32]:
    """(68,): how deep the points of `canonical_face` lie, away from the camera, 0 in the mean; averaged as they are."""
    return np.asarray(_canonical()["depth"], np.float32)


@cache
def _canonical() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (files("generator.motion") / "canonical_face.json").read_text(encoding="utf-8")
    )
    return content


def _missed(face: Matrix) -> float:
    """How much wider the lips are apart than the mesh sees them, of the face's height."""
    apart = np.mean([np.linalg.norm(face[upper] - face[lower]) for upper, lower in _LIPS])
    opening = float(apart / max(float(np.linalg.norm(face[_CHIN] - face[_ROOT])), 1e-6))
    return _MISSED * _step(opening, _SHUT, _APART) * (1 - 0.5 * _step(opening, _WIDE, _WIDEST))


def _step(value: float, low: float, high: float) -> float:
    """0 below `low`, 1 above `high`, and between them without a corner."""
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _solid(landmarks: Landmarks, depth: NDArray[np.float32]) -> Matrix:
    return np.column_stack([landmarks, depth]).astype(np.float64)
