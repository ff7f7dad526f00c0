"""Self-blended faces: a picture pasted into itself, slightly changed, so that only the seam tells (Shiohara and
Yamasaki, 2022).

In: an HWC uint8 RGB picture, its 68 landmarks, a random generator. Out: a real picture, its blended twin, the mask
between them. Written from the paper's description with its parameters. The 68 points end at the brows, so the hull is
drawn up over the forehead, by a drawn amount, as real swaps do. Beyond the paper some are pasted as a Poisson equation,
which hides the step of colour at a seam and leaves the one of sharpness: a detector of seams must not live on colours
alone.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.data.degradations import shift_colours
from detector.data.fakes.forgery import Forgery, Image, paste
from detector.data.fakes.seam import solve_seam

_SOLVED = 0.3  # of the pastes have their seam solved away: enough to teach it, and most stay the paper's
_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # how much of the pasted face shows at the mask's core


def self_blend(image: Image, points: NDArray[np.float32], rng: np.random.Generator) -> Forgery:
    """image: HWC uint8 RGB; points: (68, 2) px in it. Both pictures of the pair keep the image's size."""
    mask = face_mask(image.shape[:2], points, rng)
    source, target = image, image
    if rng.random() < 0.5:
        source = _disturb(source, rng)
    else:
        target = _disturb(target, rng)
    source, mask = _move(source, mask, points, rng)
    if rng.random() < _SOLVED:
        face, where = solve_seam(target, source, (mask > 0.5).astype(np.float32))
        return paste(target, face, where)
    mask = soften(bend(mask, rng), face_width(points), rng) * float(rng.choice(_RATIOS))
    return paste(target, source, mask)


def face_mask(
    shape: tuple[int, int], points: NDArray[np.float32], rng: np.random.Generator, parts: bool = True
) -> NDArray[np.float32]:
    """The face's hull, filled with 1: drawn up over the forehead, or, with `parts`, only part of the face. Returns (H,
    W) float32.
    """
    brows, eyes, jaw = points[17:27], points[36:48], points[:17]
    up = brows.mean(0) - jaw[8]  # from chin to brows: the face's own upward direction
    kind = rng.random() * (1.0 if parts else 0.85)
    if kind < 0.70:
        lifted = brows + up * rng.uniform(0.05, 0.25)
        outline = np.concatenate([jaw, brows, lifted])
    elif kind < 0.85:  # without the jaw line: what an inner-face swap replaces
        outline = np.concatenate([points[17:27] + up * rng.uniform(0.0, 0.1), 0.25 * points[30] + 0.75 * jaw[2:15]])
    else:  # mouth and nose only, or eyes and nose only
        region = (
            points[[*range(29, 36), *range(48, 60)]]
            if rng.random() < 0.5
            else np.concatenate([brows, eyes, points[29:36]])
        )
        centre = region.mean(0)
        outline = centre + (region - centre) * rng.uniform(1.05, 1.3)
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(outline).astype(np.int32)), 255)
    return np.asarray(mask / 255, np.float32)


def _disturb(image: Image, rng: np.random.Generator) -> Image:
    """Colours, then sharpness: what makes the pasted face differ from its surroundings."""
    image = shift_colours(image, rng, strength=1.0)
    if rng.random() < 0.5:
        height, width = image.shape[:2]
        by = int(rng.choice((2, 4))) if min(height, width) >= 128 else 2
        down = int(rng.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA)))
        up = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
        small = cv2.resize(image, (max(1, width // by), max(1, height // by)), interpolation=down)
        return np.asarray(cv2.resize(small, (width, height), interpolation=up), np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.8, 2.0)))
    return np.asarray(cv2.addWeighted(image, 1 + (amount := float(rng.uniform(0.2, 0.8))), soft, -amount, 0), np.uint8)


def _move(
    source: Image, mask: NDArray[np.float32], points: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """Shifts and scales the pasted face and its mask by a few hundredths, around the face's centre."""
    height, width = mask.shape
    centre = points.mean(0)
    turn, scale = float(rng.uniform(-1.5, 1.5)), float(rng.uniform(0.95, 1 / 0.95))
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), turn, scale)
    matrix[:, 2] += rng.uniform(-0.025, 0.025) * width, rng.uniform(-0.015, 0.015) * height
    moved = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8), np.asarray(cv2.warpAffine(mask, matrix, (width, height)), np.float32)


def bend(mask: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A smooth random bend of the outline: the paper's alpha 50, sigma 7 at 256 px, scaled to the picture."""
    height, width = mask.shape
    scale = width / 256
    fields = rng.uniform(-1, 1, (2, height, width)).astype(np.float32)
    bend_x, bend_y = (cv2.GaussianBlur(field, (0, 0), 7 * scale) * 50 * scale for field in fields)
    grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(mask, grid_x + bend_x, grid_y + bend_y, cv2.INTER_LINEAR), np.float32)


def soften(mask: NDArray[np.float32], face_width: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Two blurs of drawn width with the saturated core between them: from a hard seam to a wide fade."""
    unit = max(face_width, 8.0) / 150  # the paper's kernels are for faces of about 150 px
    first = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.8, 4.0)) * unit), np.float32)
    core = np.where(first >= 0.99, first, 0).astype(np.float32)
    if core.max() <= 0:
        core = first
    second = cv2.GaussianBlur(core, (0, 0), float(rng.uniform(0.8, 7.0)) * unit)
    second = np.where(second < 1 / 255, 0, second)
    return np.asarray(np.clip(second / max(float(second.max()), 1e-6), 0, 1), np.float32)


def face_width(points: NDArray[np.float32]) -> float:
    """From ear to ear, px. points: (68, 2)."""
    return float(np.linalg.norm(points[16] - points[0]))
