"""Portraits in depth: read with the picture, or from a square that was kept; never of a face that is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from generator.person.portrait import Portrait, read_portrait, with_depth
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import LandmarkBackend, load_backend
from tests.generator_fixtures import close_up


@pytest.fixture(scope="module")
def mesh() -> LandmarkBackend:
    return load_backend("mesh")


@pytest.fixture(scope="module")
def sitter(mesh: LandmarkBackend) -> Portrait:
    return read_portrait(close_up(), FaceDetector(), mesh, 128)


class Flat:
    """The mesh, without its depth."""

    name = "mesh"

    def __init__(self, backend: LandmarkBackend) -> None:
        self.detect = backend.detect


def test_a_portrait_has_the_depth_of_its_landmarks_in_their_units(sitter: Portrait) -> None:
    assert sitter.depth is not None and sitter.depth.shape == (68,) and sitter.depth.dtype == np.float32
    across = float(np.linalg.norm(sitter.landmarks[45] - sitter.landmarks[36]))
    nose = float(sitter.depth[[36, 45]].mean() - sitter.depth[30])
    assert 0.3 < nose / across < 0.7  # .49 on the canonical face


def test_a_backend_without_depth_gives_none(mesh: LandmarkBackend) -> None:
    assert read_portrait(close_up(), FaceDetector(), Flat(mesh), 128).depth is None


def test_depth_is_read_again_from_the_square(sitter: Portrait, mesh: LandmarkBackend) -> None:
    again = with_depth(replace(sitter, depth=None), mesh)
    assert again.depth is not None and sitter.depth is not None
    assert np.abs(again.depth - sitter.depth).mean() < 0.06 * np.ptp(sitter.depth)
    assert np.array_equal(again.landmarks, sitter.landmarks)


def test_no_depth_is_read_of_a_face_elsewhere_or_by_a_backend_without(sitter: Portrait, mesh: LandmarkBackend) -> None:
    flat = replace(sitter, depth=None)
    assert with_depth(flat, Flat(mesh)) is flat
    moved = replace(flat, landmarks=sitter.landmarks * np.float32(0.5))
    assert with_depth(moved, mesh) is moved
