"""The warp's spline for one person and many targets: `generator.networks.warp.warp_grid` in NumPy, with what stays the
same computed once.

In: the landmarks of T sources, once; a target's. Out: for the nearest sources, by how much each place of a coarse grid
moves. The target's landmarks and the border are nodes of every source's spline, so the expensive part, the basis on the
grid, is shared between sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.networks.warp import (
    AROUND,
    BORDER,
    COARSE,
    EARS,
    EXACT,
    FADE,
    INNER,
    LIPS,
    OPENING,
    PARTING,
    SHARES,
    SKULL,
    STIFFNESS,
    control_points,
    nearest,
)

Array = NDArray[np.float32]


class Spline:
    """`sources`: (T, 68, 2) in [-1, 1]."""

    def __init__(self, sources: Landmarks) -> None:
        points = torch.from_numpy(np.asarray(sources, np.float32))
        self._points, self._sources = points, points.numpy()
        self._crowns = control_points(points, points)[0][
            :, 68:
        ].numpy()  # (T, 5, 2): with equal landmarks they stay where they are
        self._border = BORDER.numpy().astype(np.float64)
        self._line = ((np.arange(COARSE, dtype=np.float32) * 2 + 1) / COARSE - 1).astype(np.float32)
        y, x = np.meshgrid(self._line, self._line, indexing="ij")
        self._plane = np.stack([np.ones_like(x), x, y]).reshape(3, -1)  # (3, c c)
        self._edge = self._basis(self._border)  # (16, c c), which stays the same
        self._values = [  # (68 + 16 + 5, 2) each: where the nodes lie in the source
            np.concatenate([own, self._border, crown])
            for own, crown in zip(self._sources.astype(np.float64), self._crowns.astype(np.float64), strict=True)
        ]
        self._apart = [_lips_apart(own) for own in self._sources]

    def nearest(self, target: Landmarks, count: int) -> list[int]:
        """`count` indices of sources, the nearest pose first; with fewer sources the last repeats."""
        if len(self._sources) == 1:
            return [0] * count
        order: list[int] = nearest(self._points[None], torch.from_numpy(np.asarray(target, np.float32))[None], count)[
            0
        ].tolist()
        return order

    def moves(self, chosen: Sequence[int], target: Landmarks) -> list[Array]:
        """target: (68, 2) in [-1, 1]. Returns for D sources (c, c, 2) each: how far from each place its origin in the
        source lies, x and y.
        """
        points, parts = np.asarray(target, np.float64), list[Array]()
        common = self._basis(points)  # (68, c c), of every source
        edge, apart = len(points) + len(self._border), _lips_apart(np.asarray(target, np.float32))
        for source in chosen:
            values = self._values[source]
            moved = _move_rigidly(values[edge:], values[: len(points)], points)
            nodes = np.concatenate([points, self._border, moved])
            solved = _solve(nodes, values - nodes, _stiffness(self._apart[source], apart, len(nodes)))
            weights = solved.astype(np.float32).T  # (2, P + 3)
            field = weights[:, : len(points)] @ common
            field += weights[:, len(points) : edge] @ self._edge
            field += weights[:, edge:-3] @ self._basis(moved)
            field += weights[:, -3:] @ self._plane
            parts.append(np.ascontiguousarray(field.T).reshape(COARSE, COARSE, 2))
        return parts

    def flow_shares(self, chosen: Sequence[int], target: Landmarks, size: int) -> list[Array | None]:
        """For D sources (size, size, 1) each: how much of the network's flows is applied, see `flow_share`; None: all
        of them, everywhere.
        """
        points = np.asarray(target, np.float32)
        amounts = [min(abs(_lips_apart(points) - self._apart[source]) / OPENING, 1.0) for source in chosen]
        if not any(amounts):
            return [None] * len(amounts)
        side = min(size, SHARES)
        near = _near_lips(points, side)
        if side != size:
            near = np.asarray(cv2.resize(near, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
        return [(1 - np.float32(amount) * near)[..., None] if amount else None for amount in amounts]

    def _basis(self, nodes: NDArray[np.float64]) -> Array:
        """The kernel between every node and every place of the grid: (P, c c)."""
        x, y = ((self._line - nodes[:, axis, None].astype(np.float32)) ** 2 for axis in (0, 1))  # (P, c) each
        return _kernel((y[:, :, None] + x[:, None]).reshape(len(nodes), -1))


def _solve(nodes: NDArray[np.float64], values: NDArray[np.float64], soft: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the thin-plate spline through `values` (P, 2) at `nodes` (P, 2), of stiffness `soft` (P,), and of its
    plane: (P + 3, 2).
    """
    count = len(nodes)
    system = np.zeros((count + 3, count + 3))
    distance = nodes[:, None] - nodes
    system[:count, :count] = _kernel(distance[..., 0] ** 2 + distance[..., 1] ** 2)
    system[np.arange(count), np.arange(count)] += soft
    system[:count, count], system[:count, count + 1 :] = 1, nodes
    system[count, :count], system[count + 1 :, :count] = 1, nodes.T
    weights: NDArray[np.float64] = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    return weights


def _kernel(squared: NDArray[Any]) -> NDArray[Any]:
    """r^2 log r from r^2."""
    half, least = squared.dtype.type(0.5), squared.dtype.type(1e-9)
    logarithm: NDArray[Any] = squared + least
    np.log(logarithm, out=logarithm)
    logarithm *= half
    logarithm *= squared
    return logarithm


def _lips_apart(points: Array) -> float:
    """As `generator.networks.warp.lips_apart`, for one face (68, 2)."""
    upper, lower = (points[list(side)] for side in INNER)
    height = points[27] - points[8]
    apart = upper - lower
    return float(np.sqrt((apart * apart).sum(1)).mean() / max(float(np.sqrt((height * height).sum())), 1e-6))


def _stiffness(before: float, apart: float, count: int) -> NDArray[np.float64]:
    """As `generator.networks.warp.stiffness`, for one face whose lips were `before` apart: (count,)."""
    meeting = math.exp(-((apart / PARTING) ** 2)) * min(max((before - apart) / PARTING, 0.0), 1.0)
    result = np.full(count, STIFFNESS)
    result[LIPS] = EXACT + (STIFFNESS - EXACT) * meeting
    return result


def _near_lips(points: Array, side: int) -> Array:
    """Where `generator.networks.warp.flow_share` takes flows away, (side, side) in [0, 1]: 1 at the lips."""
    result = np.zeros((side, side), np.float32)
    outer = points[48:60]
    along = points[54] - points[48]
    centre, along = outer.mean(0), along / max(float(np.hypot(*along)), 1e-12)
    axes = np.stack([along, [-along[1], along[0]]])
    halves = np.maximum(np.abs((outer - centre) @ axes.T).max(0), 1e-6)
    reach = (AROUND + FADE) * np.sqrt((halves**2) @ (axes**2))  # of the ellipse, in x and y
    if not along.any():  # corners of the mouth in one point: no place is beyond it
        reach = np.full(2, np.inf)
    low, high = (((centre + way * reach + 1) * side - 1) / 2 for way in (-1, 1))
    if np.isnan(low).any() or np.isnan(high).any():
        return result
    (left, top), (right, bottom) = (
        np.ceil(low).clip(0, side).astype(int),
        (np.floor(high) + 1).clip(0, side).astype(int),
    )
    line = (np.arange(side, dtype=np.float32) * 2 + 1) / side - 1
    x, y = line[None, left:right] - centre[0], line[top:bottom, None] - centre[1]
    (a, b), (c, d) = (axes / halves[:, None]).astype(np.float32)
    near = np.hypot(a * x + b * y, c * x + d * y)
    near = np.minimum(np.maximum((AROUND + FADE - near) * np.float32(1 / FADE), 0), 1)
    result[top:bottom, left:right] = near * near * (3 - 2 * near)
    return result


def _move_rigidly(
    points: NDArray[np.float64], source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As `generator.networks.warp.move_rigidly` about the ears, for one face."""
    a, b = source[SKULL], target[SKULL]
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    centre, goal = source[EARS].mean(axis=0), target[EARS].mean(axis=0)
    size = max(float((a * a).sum()), 1e-9)
    cos, sin = float((a * b).sum()) / size, float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / size
    return np.asarray((points - centre) @ np.array([[cos, sin], [-sin, cos]]) + goal)
