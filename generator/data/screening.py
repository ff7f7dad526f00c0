"""What footage is worth keeping: shots of a video, and the measures by which a frame of a face is kept or dropped.

Pure functions of pictures, boxes and landmarks; the thresholds are in `PrepareConfig`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato.media.faces import Box, Crop

_FACE_SIDE = 128  # px at which sharpness is measured: what a face shows there, whatever its size was
_NOSE_DEPTH = (
    0.6  # how far the nose stands out from between the ears, in half face widths (mean of the mesh on frontal faces)
)
_THUMB = (32, 18)  # px; a cut changes the whole picture
_CUT_COLOUR, _CUT_PLACE = 0.35, 0.08  # shares of the picture that must change in colour, and by place, at a cut


def sharpness(image: NDArray[np.uint8], landmarks: NDArray[Any]) -> float:
    """How sharp the face is: variance of the Laplacian, 128 px across the face, relative to the contrast, in
    thousandths.

    image: (H, W, 3) uint8 RGB; landmarks: (68, 2) px in it. A face of few pixels scores low, as one out of focus does.
    """
    corner = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(landmarks.min(0)), 0, corner - 2).astype(int)
    high = np.clip(np.ceil(landmarks.max(0)), low + 2, corner).astype(int)
    face = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY).astype(
        np.float32
    )  # rounding looks like detail
    scaled = cv2.resize(
        face,
        (_FACE_SIDE, _FACE_SIDE),
        interpolation=cv2.INTER_AREA if max(face.shape) > _FACE_SIDE else cv2.INTER_CUBIC,
    )
    contrast = float(scaled.var())
    return 1000.0 * float(cv2.Laplacian(scaled, cv2.CV_32F).var()) / (contrast + 1.0)


def turn(landmarks: NDArray[Any]) -> float:
    """How far the head is turned to a side, in degrees from 0 to 90: estimated from where the nose lies between the
    ears.

    landmarks: (68, 2) px. Turned by a, the nose moves by depth * sin(a) and the half width shrinks to cos(a).
    """
    points = np.asarray(landmarks, np.float64)
    across = points[16] - points[0]
    width = float(np.linalg.norm(across))
    if width < 1e-6:
        return 90.0
    beside = float((points[30] - (points[0] + points[16]) / 2) @ across) / width
    return float(np.degrees(np.arctan(abs(beside) / (width / 2) / _NOSE_DEPTH)))


def overlap(crop: Crop, box: Box) -> float:
    """The share of the crop's square that `box` covers, in [0, 1]."""
    x, y, width, height = box
    across = min(x + width, crop.left + crop.side) - max(x, crop.left)
    down = min(y + height, crop.top + crop.side) - max(y, crop.top)
    return max(0.0, across) * max(0.0, down) / crop.side**2


def odd_ones(identities: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """identities: (N, 128) unit vectors of one shot. True (N,) for frames that show somebody else than the shot mostly
    does.

    The frame that is most like the others stands for the person: a mean would lie between two people.
    """
    cosines = identities @ identities.T  # (N, N)
    person = int(np.median(cosines, axis=1).argmax())
    return np.asarray(cosines[person] < threshold)


def find_shots(frames: Iterable[NDArray[np.uint8]]) -> list[range]:
    """The frame indices of each shot. frames: small pictures (H, W, 3) uint8 RGB in order, streamed.

    A cut changes the colours of the picture and what lies where; a quick movement changes only the second, a flash of
    light only the first. A dissolve is not seen: there the identities of the frames tell two people apart.
    """
    cuts, count = [0], 0
    before: tuple[NDArray[Any], NDArray[Any]] | None = None
    for frame in frames:
        thumb = np.asarray(cv2.resize(frame, _THUMB, interpolation=cv2.INTER_AREA), np.float32) / 255  # (18, 32, 3)
        bins = (thumb.reshape(-1, 3) * 3.999).astype(int) @ np.array([16, 4, 1])
        colours = np.bincount(bins, minlength=64).astype(np.float32) / len(bins)
        if before is not None:
            moved = float(np.abs(thumb - before[0]).mean())
            recoloured = float(np.abs(colours - before[1]).sum() / 2)
            if recoloured > _CUT_COLOUR and moved > _CUT_PLACE:
                cuts.append(count)
        before = (thumb, colours)
        count += 1
    return [range(start, end) for start, end in zip(cuts, [*cuts[1:], count], strict=True) if end > start]
