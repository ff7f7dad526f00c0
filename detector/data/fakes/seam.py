"""A seam solved away: the pasted face keeps its gradients and takes its edge from the picture (Perez, Gangnet and Blake
2003).

In: two HWC uint8 RGB pictures of one size and a hull. Out: the picture with the face in it, and a mask of what changed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.fakes.forgery import Image


def solve_seam(target: Image, face: Image, hull: NDArray[np.float32]) -> tuple[Image, NDArray[np.float32]]:
    """The face whose gradients are those of `face` and whose edge is the target's, and where it changed, as a mask of 0
    and 1.

    target, face: (H, W, 3) uint8; hull: (H, W) float32, above 0 where the face goes. The solver keeps to a box around
    the hull, so a little changes beside it, too: cut off at the hull, a step would be left that no such paste has. A
    hull under eight pixels wide, of which the solver would leave nothing, is pasted as it is.
    """
    inner = hull.copy()
    inner[[0, 1, -2, -1], :] = inner[:, [0, 1, -2, -1]] = 0  # the solver needs a frame of known pixels
    left, top, width, height = cv2.boundingRect((inner > 0).astype(np.uint8))
    if min(width, height) < 8:
        return face, (inner > 0).astype(np.float32)
    rows, columns = slice(top - 2, top + height + 2), slice(left - 2, left + width + 2)
    window = np.ascontiguousarray(target[rows, columns])
    stencil = (inner[rows, columns] > 0).astype(np.uint8) * 255
    centre = (
        2 + width // 2,
        2 + height // 2,
    )  # where seamlessClone puts the middle of the stencil's box: it stays where it is
    result = target.copy()
    result[rows, columns] = cv2.seamlessClone(
        np.ascontiguousarray(face[rows, columns]), window, stencil, centre, cv2.NORMAL_CLONE
    )
    return result, (result != target).any(axis=2).astype(np.float32)
