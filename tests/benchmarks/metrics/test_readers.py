"""Who reads faces: the mesh where the face was meant to be, the others where the detector sees one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.metrics import readers
from benchmarks.metrics.readers import DlibLandmarks, Readers
from sfumato.errors import MissingPartError, NoFaceError
from sfumato.media.faces import Box, FaceDetector, face_box
from tests.generator_fixtures import close_up

PLAIN = np.full((128, 128, 3), 120, np.uint8)


class Told:
    """A reader that remembers where it was told to look, and lays its points in the box's corner."""

    name = "dlib"

    def __init__(self) -> None:
        self.boxes: list[Box] = []

    def detect(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        self.boxes.append(box)
        return np.full((68, 2), box[:2], np.float32)


class Blind:
    """A reader that sees no face anywhere."""

    name = "mesh"

    def detect(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        raise NoFaceError("No face", "Show one.")


def test_another_reader_looks_where_the_detector_sees_the_face() -> None:
    other, face = Told(), FaceDetector().detect(close_up())[0]
    x, y, width, height = face.box
    reading = Readers(Told(), [other]).read(close_up(), (x + 9, y - 9, width, height))
    assert reading.faces == 1 and other.boxes == [face.box]
    assert reading.shapes["mesh"][0].tolist() == pytest.approx([x + 9, y - 9])


def test_where_no_face_is_seen_another_reader_has_no_points() -> None:
    reading = Readers(Told(), [Told()]).read(PLAIN, (30, 30, 60, 70))
    assert reading.faces == 0 and np.isnan(reading.shapes["dlib"]).all()


def test_a_face_elsewhere_is_not_read() -> None:
    reading = Readers(Told(), [Told()]).read(close_up(), (0, 200, 30, 40))
    assert reading.faces == 1 and np.isnan(reading.shapes["dlib"]).all()


def test_a_reader_that_finds_nothing_gives_no_points() -> None:
    assert np.isnan(Readers(Blind(), []).read(PLAIN, (30, 30, 60, 70)).shapes["mesh"]).all()


def test_without_the_packages_the_mesh_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "find_spec", lambda name: None)
    assert Readers(Told()).names == ("mesh",)
    with pytest.raises(MissingPartError, match=r"readers\]"):
        DlibLandmarks()


def test_dlib_lays_its_points_where_the_mesh_does() -> None:
    pytest.importorskip("dlib", reason="needs dlib (pip install -e '.[readers]')")
    reading = Readers().read(close_up(), FaceDetector().detect(close_up())[0].box)
    mesh, other = reading.shapes["mesh"], reading.shapes["dlib"]
    eyes = float(np.linalg.norm(mesh[36:42].mean(0) - mesh[42:48].mean(0)))
    inner = slice(27, 68)  # the contour of the mesh lies elsewhere
    assert np.linalg.norm(mesh - other, axis=1)[inner].mean() < 0.12 * eyes
    assert np.isfinite(face_box(other)).all()
