"""Partial composites: a part of a generated face pasted into the real picture that it was generated from.

In: the real picture, the generated one of the same pose and size, the real one's landmarks, a random generator. Out: a
`Forgery` with evidence of both kinds, the seam of a blend and the texture of a synthesis.
"""

from __future__ import annotations

import numpy as np

from detector.data.fakes.forgery import Forgery, Image, Points, paste
from detector.data.fakes.self_blend import bend, face_mask, face_width, soften


def composite(real: Image, generated: Image, points: Points, rng: np.random.Generator) -> Forgery:
    """real, generated: HWC uint8 RGB of one size; points: (68, 2) px. The whole face, the inner face, or eyes or mouth
    are pasted.
    """
    mask = bend(face_mask(real.shape[:2], points, rng), rng)
    return paste(real, generated, soften(mask, face_width(points), rng))
