"""A head and its motion: how the head of a landmark track moves, and how another one is moved alike.

In: a source's and a driver's landmarks, and their depth where both have it. Out: the driver's face without its head
motion, and the source's face with it. Without depth the motion is a similarity in the picture (`FlatHead`); with it a
rotation in space, scaled orthographic (`SolidHead`): what turns away narrows, and the nose moves before the cheeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generator.motion.track import Pose
from sfumato.media.identity import similarity

RIGID = [*range(27, 36), 36, 39, 42, 45, 0, 16]  # nose, eye corners, ears: they move with the skull
# of a head in space: the same, and the ends of the brows, which say most of its turns and move when they are raised
_SKULL = [*RIGID, 1, 15, 17, 26]
_WEIGHTS = np.array([1.0] * len(RIGID) + [0.5, 0.5, 0.3, 0.3])
_SHARES = _WEIGHTS / _WEIGHTS.sum()
# degrees: up to the first a head turns as the driver's does, and it never reaches the second
_OUT_OF_OWN_POSE = 27.0, 40.0
_OUT_OF_THE_FRONT = 32.0, 42.0  # where the nose covers the far cheek; a portrait that is turned as far has its own
_ROUND = 1.2  # how deep a head is before its ears, in its half widths: what its outline is made of when it turns
_OUTLINE = np.array(
    [1, 1, 1, 1, 1, 0.8, 0.5, 0.25, 0, 0.25, 0.5, 0.8, 1, 1, 1, 1, 1]
)  # how far the jaw is that outline
_UPPER, _LOWER = [37, 38, 43, 44], [41, 40, 47, 46]  # lids
_STEEPEST = 0.5  # cosine of the turn beyond which what is seen of a face says little of its expression
Matrix = NDArray[np.float64]
Mode = Literal["relative", "absolute"]


@dataclass(frozen=True)
class HeadPose:
    """Where a head is: points (N, 3) of its own frame lie at `scale * points @ rotation.T + place`. rotation: (3, 3);
    x is right, y down, z away from the camera.
    """

    rotation: Matrix
    scale: float
    place: Matrix  # (3,)

    def out(self, points: Matrix) -> Matrix:
        """(N, 3) of the head's frame in the picture."""
        moved: Matrix = self.scale * points @ self.rotation.T + self.place
        return moved

    def into(self, points: Matrix) -> Matrix:
        """The inverse of `out`."""
        back: Matrix = (points - self.place) @ self.rotation / self.scale
        return back


def fit_head(shape: Matrix, points: Matrix) -> HeadPose:
    """The pose in which the skull of `shape` (68, 3) fits that of `points` (68, 3) best (Kabsch 1976); scale and place
    are fitted in the picture alone, where points are known best.
    """
    a, b = shape[_SKULL], points[_SKULL]
    middle, goal = _SHARES @ a, _SHARES @ b
    a, b = a - middle, b - goal
    left, _, right = np.linalg.svd((b * _SHARES[:, None]).T @ a)
    turned_over = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * turned_over) @ right
    seen = a @ rotation[:2].T
    size = float(_SHARES @ (seen**2).sum(1))
    scale = max(float(_SHARES @ (seen * b[:, :2]).sum(1)) / max(size, 1e-9), 1e-2)  # a face in one point ends nothing
    return HeadPose(rotation, scale, goal - scale * rotation @ middle)


def roll_of(rotation: Matrix) -> Matrix:
    """How much `rotation` (3, 3) turns within the picture's plane: what is left of it when the head's line of sight is
    led back by the shortest way.
    """
    swing = _turn(_swing_axis(rotation), float(np.radians(turned_away(rotation))))
    roll: Matrix = swing.T @ rotation
    return roll


def turned_away(rotation: Matrix) -> float:
    """Degrees by which `rotation` (3, 3) takes a face out of the picture's plane."""
    return float(np.degrees(np.arccos(np.clip(rotation[2, 2], -1.0, 1.0))))


def held_back(rotation: Matrix, free: float, farthest: float) -> Matrix:
    """`rotation` (3, 3), turning a face out of the picture's plane by fewer than `farthest` degrees: as it is up to
    `free`, and smoothly less beyond. What turns within the plane stays.
    """
    angle = turned_away(rotation)
    if angle <= free:
        return rotation
    less = free + (farthest - free) * float(np.tanh((angle - free) / (farthest - free)))
    held: Matrix = _turn(_swing_axis(rotation), float(np.radians(less))) @ roll_of(rotation)
    return held


class FlatHead:
    """Heads in the picture's plane. `source`, `neutral`: (68, 2), both faces in the driver's neutral place."""

    def __init__(self, source: Matrix, neutral: Matrix, mode: Mode) -> None:
        """source, neutral: (68, 2) in [-1, 1]."""
        to_driver = similarity(source[RIGID], neutral[RIGID])
        self._back = None if mode == "absolute" else _inverse(to_driver)
        self.source, self.neutral = _apply(to_driver, source), neutral

    def calm(self, pose: Pose) -> tuple[Matrix, Matrix]:
        """The driver's face without its head motion, (68, 2), and that motion."""
        motion = similarity(self.neutral[RIGID], pose.landmarks[RIGID])
        return _apply(_inverse(motion), pose.landmarks), motion

    def moved(self, shape: Matrix, motion: Matrix) -> Matrix:
        """`shape`, the source's (68, 2) with an expression, moved by `motion`: (68, 2) in [-1, 1]."""
        placed = _apply(motion, shape)
        return placed if self._back is None else _apply(self._back, placed)


class SolidHead:
    """Heads in space. `source`, `neutral`: (68, 2), both faces upright, from the front, and of the canonical size.

    Where a head is and how it is turned is measured against the canonical face, whose frame has its origin between the
    ears: a head that is turned less than the driver's then stays where the driver's is.
    """

    def __init__(self, source: Matrix, neutral: Matrix, canonical: Matrix, mode: Mode, held: bool = True) -> None:
        """source, neutral, canonical: (68, 3). `held`: does what turns too far for a picture turn less?"""
        self._held = held
        skull = canonical - canonical[[0, 16]].mean(0)
        own, driver = fit_head(skull, source), fit_head(skull, neutral)
        self._own, self._driver, self._mode = own, driver, mode
        self._source, self._neutral = own.into(source), driver.into(neutral)
        self.source, self.neutral = self._source[:, :2], self._neutral[:, :2]
        self._opening = np.linalg.norm(self.source[_UPPER] - self.source[_LOWER], axis=1).clip(1e-6)
        # a tilted head nods along its own axis: the driver's motion is turned by how much more the source is tilted
        self._tilt = roll_of(own.rotation) @ roll_of(driver.rotation).T

    def calm(self, pose: Pose) -> tuple[Matrix, HeadPose]:
        """The driver's face without its head motion, (68, 2), and how its head is placed.

        What the skull's motion leaves over is a change of the face in the picture; it is read as one in the face's own
        plane, whose depth is not asked for: the third coordinate shakes most.
        """
        if pose.depth is None:
            raise ValueError("a pose without depth of a motion that has some")
        points = np.column_stack([pose.landmarks, pose.depth]).astype(np.float64)
        head = fit_head(self._neutral, points)
        change = points[:, :2] - head.out(self._neutral)[:, :2]
        (a, b), (c, d) = head.rotation[:2, :2] * head.scale
        facing = max(head.rotation[2, 2], _STEEPEST) * head.scale**2  # the determinant
        return self.neutral + change @ np.array([[d, -c], [-b, a]]) / facing, head

    def moved(self, shape: Matrix, head: HeadPose) -> Matrix:
        """`shape`, the source's (68, 2) with an expression, moved as the driver's `head` is: (68, 3) in [-1, 1]."""
        pose, solid = self.pose(head), np.column_stack([shape, self._source[:, 2]])
        closed = 1 - np.linalg.norm(shape[_UPPER] - shape[_LOWER], axis=1) / self._opening
        apart = np.clip(closed, 0, 1) * (solid[_UPPER, 2] - solid[_LOWER, 2]) / 2
        solid[_UPPER, 2] -= apart  # lids that meet do so in depth, too, or a turned eye would stay open
        solid[_LOWER, 2] += apart
        if self._held:
            self._show_outline(solid, pose.rotation)
        return pose.out(solid)

    def pose(self, head: HeadPose) -> HeadPose:
        """The source's pose for the driver's."""
        own, driver = self._own, self._driver
        wanted = self._wanted(head)
        rotation = self._shown(wanted) if self._held else wanted
        if self._mode == "absolute":
            return HeadPose(rotation, head.scale, head.place)
        grown = own.scale / driver.scale
        return HeadPose(rotation, grown * head.scale, own.place + grown * self._tilt @ (head.place - driver.place))

    def excess(self, head: HeadPose) -> float:
        """Degrees by which the source is turned less than the driver's `head` asks."""
        wanted = self._wanted(head)
        cosine = (np.trace(wanted.T @ self._shown(wanted)) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

    def _wanted(self, head: HeadPose) -> Matrix:
        """The source's rotation as the driver's `head` asks for it."""
        if self._mode == "absolute":
            return head.rotation
        wanted: Matrix = self._tilt @ head.rotation @ self._driver.rotation.T @ self._tilt.T @ self._own.rotation
        return wanted

    def _shown(self, wanted: Matrix) -> Matrix:
        """`wanted`, held back where one picture cannot show it: too far from the portrait's pose, or from the front."""
        own = self._own.rotation
        near = held_back(wanted @ own.T, *_OUT_OF_OWN_POSE) @ own
        further = max(0.0, turned_away(own) - _OUT_OF_THE_FRONT[0])
        return held_back(near, *(limit + further for limit in _OUT_OF_THE_FRONT))

    def _show_outline(self, solid: Matrix, rotation: Matrix) -> None:
        """Moves the jaw of `solid` (68, 3) where `rotation` hides it behind the cheek onto the face's outline.

        A warp bends the picture that it has, and cannot hide one point behind another: it would fold there. What the
        source's own pose hides of its jaw was read as it lies, and is no more than that behind its outline.
        """
        side = np.sign(solid[:17, 0])
        now, before = (
            np.arctan(_ROUND * np.maximum(side * turn[2, 0], 0.0) / max(turn[2, 2], _STEEPEST))
            for turn in (rotation, self._own.rotation)
        )  # (17,) how far along the outline, seen from above, which is half an ellipse
        now = np.maximum(now, before)
        across = solid[:17, 0].copy()
        solid[:17, 0] += _OUTLINE * across * (np.cos(now) - np.cos(before))
        solid[:17, 2] -= _OUTLINE * _ROUND * np.abs(across) * (np.sin(now) - np.sin(before))


def _swing_axis(rotation: Matrix) -> Matrix:
    """(3,) in the picture's plane: about it the head's line of sight, which is z, comes to where `rotation` has it."""
    return np.array([-rotation[1, 2], rotation[0, 2], 0.0])


def _turn(axis: Matrix, angle: float) -> Matrix:
    """The rotation (3, 3) by `angle` (radians) about `axis` (3,); none about no axis (Rodrigues)."""
    length = float(np.linalg.norm(axis))
    if length < 1e-12:
        return np.eye(3)
    x, y, z = axis / length
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned: Matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turned


def _apply(matrix: Matrix, points: NDArray[np.floating]) -> Matrix:
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def _inverse(matrix: Matrix) -> Matrix:
    linear = np.linalg.pinv(matrix[:, :2])  # a face in one point has no inverse, and must not end the run
    return np.hstack([linear, (-linear @ matrix[:, 2])[:, None]])
