"""The warp's spline for one person and many targets: `generator.networks.warp.warp_grid` in NumPy, with what stays the
same computed once.

In: the landmarks of T sources, once; a target's. Out: for the nearest sources, by how much each place of a coarse grid
moves. The target's landmarks and the border are nodes of every source's spline, so the expensive part, the basis on the
grid, is shared between sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.networks.warp import BORDER, COARSE, EARS, SKULL, control_points, flow_share, nearest, stiffness

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

    def nearest(self, target: Landmarks, count: int) -> list[int]:
        """`count` indices of sources, the nearest pose first; with fewer sources the last repeats."""
        if len(self._sources) == 1:
            return [0] * count
        order: list[int] = nearest(self._points[None], torch.from_numpy(np.asarray(target, np.float32))[None], count)[
            0
        ].tolist()
        return order

    def moves(self, chosen: Sequence[int], target: Landmarks) -> Array:
        """target: (68, 2) in [-1, 1]. Returns (c, c, 2 D): how far from each place its origin in the source lies, x and
        y of D sources.
        """
        shared = np.concatenate([target.astype(np.float64), self._border])  # nodes of every source
        common = self._basis(shared)  # (c c, 68 + 16)
        wanted = torch.from_numpy(np.asarray(target, np.float32))[None].expand(len(chosen), -1, -1)
        soft = stiffness(self._points[list(chosen)], wanted, len(shared) + len(self._crowns[0])).numpy()
        parts = []
        for number, source in enumerate(chosen):
            own, crown = self._sources[source], self._crowns[source]
            moved = _move_rigidly(crown.astype(np.float64), own.astype(np.float64), target.astype(np.float64))
            nodes = np.concatenate([shared, moved])
            values = np.concatenate([own, self._border, crown]) - nodes
            weights = _solve(nodes, values, soft[number]).astype(np.float32)  # (P + 3, 2)
            count = len(shared)
            affine = weights[-3:]
            field = common @ weights[:count] + self._basis(moved) @ weights[count:-3]
            y, x = np.meshgrid(self._line, self._line, indexing="ij")
            plane = affine[0] + x[..., None] * affine[1] + y[..., None] * affine[2]
            parts.append(field.reshape(COARSE, COARSE, 2) + plane)
        return np.concatenate(parts, axis=2)

    def flow_shares(self, chosen: Sequence[int], target: Landmarks, size: int) -> list[Array]:
        """For D sources (size, size, 1) each: how much of the network's flows is applied, see `flow_share`."""
        points = torch.from_numpy(np.asarray(target, np.float32))[None].expand(len(chosen), -1, -1)
        shares = flow_share(self._points[list(chosen)], points, size)  # (D, 1, H, W)
        return [np.asarray(share[0, :, :, None].numpy(), np.float32) for share in shares]

    def _basis(self, nodes: NDArray[np.float64]) -> Array:
        """The kernel between every place of the grid and every node: (c c, P)."""
        x, y = ((self._line[:, None] - nodes[:, axis].astype(np.float32)) ** 2 for axis in (0, 1))  # (c, P) each
        squared = (y[:, None] + x[None]).reshape(-1, len(nodes))
        return _kernel(squared)


def _solve(nodes: NDArray[np.float64], values: NDArray[np.float64], soft: Array) -> NDArray[np.float64]:
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
    return np.asarray(half * squared * np.log(squared + least))


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
