"""What makes a pair hard, by design: light, several faces, a head that is turned.

In: the finished frames of a fake and its twin. Out: both again, treated by the very same draws, so that what is hard
about one is hard about the other and never tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.data.fakes.forgery import Image, Points
from sfumato.app.fakes.makers import Take

TURNED = 0.35  # `turn` of the canonical face at 20 degrees: from there on a head counts as turned
_GAMMA = 2.2


def turn(points: Points) -> float:
    """points: (68, 2). How far the tip of the nose stands off the middle between the eyes' outer corners, along the
    line through them, in halves of their distance: 0 from the front, 0.35 at 20 degrees, 0.56 at 30, either way.
    """
    left, right = points[36].astype(np.float64), points[45].astype(np.float64)
    across = right - left
    return float(abs((points[30] - (left + right) / 2) @ across) / max(float(across @ across) / 2, 1e-9))


def relit(take: Take, rng: np.random.Generator) -> Take:
    """In dim, coloured light from one side, through a sensor that is noisy for want of light."""
    height, width = take.fake[0].shape[:2]
    exposure, slope, angle = rng.uniform(0.12, 0.5), rng.uniform(0.4, 0.9), rng.uniform(0, 2 * np.pi)
    warm = rng.uniform(-0.25, 0.25)
    colour = np.array([1 + warm, 1.0, 1 - warm], np.float32)
    noise = rng.uniform(1.5, 6.0)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)  # (H, W) each
    side = (columns * np.cos(angle) + rows * np.sin(angle)) / np.sqrt(2)
    light = (exposure * (1 + slope * side))[..., None] * colour  # (H, W, 3)
    gain = np.asarray(np.power(light, 1 / _GAMMA), np.float32)
    real, fake = list[Image](), list[Image]()
    for shown, forged in zip(take.real, take.fake, strict=True):
        grain = rng.normal(0, noise, shown.shape).astype(np.float32)
        real.append(_exposed(shown, gain, grain))
        fake.append(_exposed(forged, gain, grain))
    return replace(take, real=real, fake=fake)


def in_company(take: Take, others: Sequence[Sequence[Image]], place: int) -> Take:
    """Side by side with `others`, frames (size, size, 3) of real people each, as in a call; they are real in both
    files. place: of the pair's person among them, from the left. As long as the shortest.
    """
    count = min(len(take.fake), *(len(frames) for frames in others))

    def joined(frames: Sequence[Image]) -> list[Image]:
        row = [*others[:place], frames, *others[place:]]
        return [np.ascontiguousarray(np.hstack([each[index] for each in row])) for index in range(count)]

    return replace(take, real=joined(take.real), fake=joined(take.fake))


def _exposed(image: Image, gain: NDArray[np.float32], grain: NDArray[np.float32]) -> Image:
    return np.asarray(np.clip(np.rint(image * gain + grain), 0, 255), np.uint8)
