"""A picture of a person as the generator takes it. In: a picture (HWC uint8 RGB). Out: the square around its face, and
where the landmarks are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generator.motion.track import Landmarks
from generator.person.surroundings import cut_square
from sfumato.errors import NoFaceError
from sfumato.media.face_search import find_faces
from sfumato.media.faces import Crop, Face, FaceDetector, crop_around, face_box
from sfumato.media.landmarks import LandmarkBackend, detect_in_depth

SMALLEST_FACE = 40  # px; below it there is too little to show at 128
_SAME_PLACE = 0.15  # of the distance of the eyes' outer corners: landmarks found anew that lie farther off are others


@dataclass(frozen=True)
class Portrait:
    """A picture of the person: the square around the face at two sizes, and where its landmarks are."""

    crop: Crop
    face: Face
    large: NDArray[np.uint8]  # (R, R, 3)
    landmarks: Landmarks  # (68, 2) in [-1, 1] of the crop
    others: int = 0  # faces in the picture that were not taken
    # (68,) in the units of the landmarks, away from the camera, 0 in the mean; None where it is not known
    depth: NDArray[np.float32] | None = None


def read_portrait(
    image: NDArray[np.uint8], detector: FaceDetector, landmarks: LandmarkBackend, size: int,
    name: str = "the picture", which: int | None = None,
) -> Portrait:  # fmt: skip
    """Finds the face and its landmarks. `which` counts faces from the largest, from 1; without it the largest is taken.

    Raises NoFaceError when there is none, when face `which` does not exist, or when it is under 40 px.
    """
    faces = find_faces(image, detector)
    if not faces:
        raise NoFaceError(
            f"No face was found in {name}", "Use a picture in which one face is seen well, from the front."
        )
    if which is not None and not 1 <= which <= len(faces):
        raise NoFaceError(
            f"{name} has {len(faces)} face(s), not {which}",
            f"Choose --face 1 to {len(faces)}, counted from the largest.",
        )
    face = faces[(which or 1) - 1]
    if face.size < SMALLEST_FACE:
        raise NoFaceError(
            f"The face in {name} is {face.size:.0f} pixels high",
            f"Use a picture in which it has {SMALLEST_FACE} or more.",
        )
    crop = crop_around(face.box, (image.shape[1], image.shape[0]))
    points, deep = detect_in_depth(landmarks, image, face.box)
    depth = None if deep is None else (deep * (2 / crop.side)).astype(np.float32)
    local = ((2 * crop.to_crop(points, size) + 1) / size - 1).astype(np.float32)
    return Portrait(crop, face, cut_square(image, crop, size, local), local, len(faces) - 1, depth)


def with_depth(portrait: Portrait, landmarks: LandmarkBackend) -> Portrait:
    """`portrait` with the depth of its landmarks, read from its square: a person file keeps none. As it is where
    `landmarks` cannot tell, or does not find the face where it was.
    """
    if not hasattr(landmarks, "detect_in_depth"):
        return portrait
    size, known = len(portrait.large), portrait.landmarks
    points, deep = detect_in_depth(landmarks, portrait.large, face_box((known + 1) * (size / 2) - 0.5))
    off = np.linalg.norm((2 * points + 1) / size - 1 - known, axis=1).mean()
    if deep is None or not off < _SAME_PLACE * float(np.linalg.norm(known[45] - known[36])):
        return portrait
    return replace(portrait, depth=(deep * (2 / size)).astype(np.float32))
