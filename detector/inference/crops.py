"""The one crop the detector looks at: the shared square around a face, tightened until no generated frame's border
shows.

In: a face box (x, y, width, height) in pixels of an HWC uint8 RGB image. Out: squares of that image.
A generator's file often shows nothing but its own 60 % crop; at that width the mirrored pixels outside the frame would
be in every such fake and in hardly any real picture, and the net would learn them. At 75 % they are out of sight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sfumato.media.faces import CROP_VERSION, Box, Crop, crop_around

TIGHTEN = 0.8  # of the shared square's side: the face then fills 75 %
DETECTOR_CROP = f"{CROP_VERSION}/tight{round(TIGHTEN * 100)}"

Image = NDArray[np.uint8]


def wide_crop(box: Box, image: Image) -> Crop:
    """The shared square around `box`, pushed towards the inside of the image: what training caches and jitters in."""
    return crop_around(box, (image.shape[1], image.shape[0]))


def judged_crop(box: Box, image: Image) -> Crop:
    """The square that is scored: the centre of `wide_crop`, `TIGHTEN` times its side."""
    return tighten(wide_crop(box, image))


def tighten(crop: Crop, scale: float = TIGHTEN, shift: tuple[float, float] = (0.0, 0.0)) -> Crop:
    """The middle of `crop`: `scale` times its side, moved by `shift` (shares of the given side)."""
    inset = (1 - scale) / 2
    return Crop(
        crop.left + (inset + shift[0]) * crop.side, crop.top + (inset + shift[1]) * crop.side, crop.side * scale
    )
