"""Classic face swaps: another person's face, warped onto the landmarks of this one, recoloured and blended in.

In: the target's picture and landmarks, the source's, a random generator. Out: a `Forgery`. It is what the first
swapping programs
do: a piecewise affine warp over a triangulation of the landmarks, the target's colours (mean and spread in Lab,
Reinhard et al. 2001, or its histograms), and a seam that is feathered, or solved away as a Poisson equation (seam.py).
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.fakes.forgery import Forgery, Image, Points, paste
from detector.data.fakes.seam import solve_seam
from detector.data.fakes.self_blend import face_mask, face_width, soften

Method = Literal["alpha", "poisson"]
Colour = Literal["none", "lab", "histogram"]
METHODS: tuple[Method, ...] = ("alpha", "poisson")
_COLOURS: tuple[Colour, ...] = ("none", "lab", "lab", "histogram")


def swap_face(
    target: Image, target_points: Points, source: Image, source_points: Points, rng: np.random.Generator,
    method: Method | None = None, colour: Colour | None = None,
) -> Forgery:  # fmt: skip
    """Pictures: HWC uint8 RGB of any sizes; points: (68, 2) px in each. `method` and `colour`: drawn where not given.

    The same generator state on the next frame of a video gives the same mask, colour and blend, fitted to that frame.
    """
    drawn_method, drawn_colour = METHODS[int(rng.integers(2))], _COLOURS[int(rng.integers(len(_COLOURS)))]
    method = method or drawn_method
    if colour is None:  # histograms on top of a Poisson seam leave black and white rims that nobody would publish
        colour = "lab" if method == "poisson" and drawn_colour == "histogram" else drawn_colour
    hull = face_mask(target.shape[:2], target_points, rng, parts=False)
    mask = soften(hull, face_width(target_points), rng)
    if not mask.any():
        return Forgery(target, target, mask)
    face = transfer_colours(warp_face(source, source_points, target_points, target.shape[:2]), target, hull > 0, colour)
    if method == "poisson":
        face, mask = solve_seam(target, face, hull)
    return paste(target, face, mask)


def warp_face(source: Image, source_points: Points, target_points: Points, shape: tuple[int, int]) -> Image:
    """`source` with its landmarks moved onto those of the target; (*shape, 3). A rim around the face is carried
    along.
    """
    return warp_mesh(source, _mesh(source_points), _mesh(target_points), shape)


def warp_mesh(source: Image, there: NDArray[np.float64], here: NDArray[np.float64], shape: tuple[int, int]) -> Image:
    """`source` with its points `there` moved to `here`, both (n, 2) px, affine in each triangle of `here`; (*shape,
    3). What lies beyond all triangles is not to be used.
    """
    from scipy.spatial import Delaunay

    labels = np.full(shape, -1, np.int32)
    triangles = np.asarray(Delaunay(here).simplices)
    sides = here[triangles[:, 1:]] - here[triangles[:, :1]]  # (T, 2, 2)
    triangles = triangles[np.abs(np.linalg.det(sides)) > 1e-6]  # flat ones hold no pixel and have no affine map
    for number, triangle in enumerate(triangles):
        cv2.fillConvexPoly(labels, np.rint(here[triangle]).astype(np.int32), number)
    y, x = np.nonzero(labels >= 0)
    ones = np.ones((len(triangles), 3, 1))
    corners = np.concatenate([here[triangles], ones], axis=2)  # (T, 3, 3)
    affine = np.linalg.solve(corners, there[triangles])  # (T, 3, 2): (x, y, 1) of the target to (x, y) of the source
    maps = affine[labels[y, x]]  # (N, 3, 2)
    across, down = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    across[y, x], down[y, x] = (x * maps[:, 0, i] + y * maps[:, 1, i] + maps[:, 2, i] for i in (0, 1))
    return np.asarray(cv2.remap(source, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def transfer_colours(face: Image, target: Image, where: NDArray[np.bool_], colour: Colour) -> Image:
    """`face` in the colours that `target` has at `where` (HW): untouched, by mean and spread in Lab, or by
    histograms.
    """
    if colour == "none" or not where.any():
        return face
    if colour == "histogram":
        matched = face.copy()
        for channel in range(3):
            seen = np.cumsum(np.bincount(face[:, :, channel][where], minlength=256))
            wanted = np.cumsum(np.bincount(target[:, :, channel][where], minlength=256))
            table = np.searchsorted(wanted, seen - 0.5).clip(0, 255).astype(np.uint8)
            matched[:, :, channel] = table[face[:, :, channel]]
        return matched
    ours, theirs = (cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32) for image in (face, target))
    spread = theirs[where].std(0) / np.maximum(ours[where].std(0), 1.0)
    lab = (ours - ours[where].mean(0)) * spread.clip(0.5, 2.0) + theirs[where].mean(0)
    return np.asarray(cv2.cvtColor(np.clip(np.rint(lab), 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)


def _mesh(points: Points) -> NDArray[np.float64]:
    """(90, 2): the landmarks, the forehead above the brows and a rim 1.4 times as wide, so that no mask reaches beyond
    them.
    """
    points = points.astype(np.float64)
    up = points[17:27].mean(0) - points[8]
    forehead = points[17:27] + 0.3 * up
    outline = np.concatenate([points[:17:2], forehead[[0, 3, 6, 9]]])[:12]
    centre = points.mean(0)
    return np.concatenate([points, forehead[[0, 2, 4, 5, 7, 9]], centre + (outline - centre) * 1.4])
