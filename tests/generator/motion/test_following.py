"""Following one face: where the detector is spared, the face is the same one, in the same place; where it is gone, that
is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from generator.motion import following as module
from generator.motion.following import Sighting, follow_face
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.landmarks import LandmarkBackend, load_backend
from sfumato.media.video import Frame
from tests.generator_fixtures import astronaut, moving

Image = NDArray[np.uint8]
Seen = list[Sighting | None]
NOBODY = np.full((256, 256, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def mesh() -> LandmarkBackend:
    return load_backend("mesh")


class Counted(FaceDetector):
    """The detector, and how often it looked."""

    looks = 0

    def detect(self, image: Image) -> list[Face]:
        Counted.looks += 1
        return super().detect(image)


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "FaceDetector", Counted)
    monkeypatch.setattr(Counted, "looks", 0)
    yield


def person(side: int = 256) -> Image:
    return np.asarray(cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def follow(images: Sequence[Image], backend: LandmarkBackend, rate: float = 25) -> Seen:
    return [seen for _, seen in follow_face([Frame(image, i / rate, i) for i, image in enumerate(images)], backend)]


class Anew:
    """The mesh, without its way of following."""

    name = "mesh"

    def __init__(self, backend: LandmarkBackend) -> None:
        self.detect = backend.detect


def test_the_detector_looks_at_every_twelfth_frame_and_the_landmarks_are_the_same(mesh: LandmarkBackend) -> None:
    images = moving(person(), 25, 50)
    quick = follow(images, mesh)
    assert Counted.looks == 3
    slow = follow(images, Anew(mesh))
    assert Counted.looks == 3 + 25  # a backend that cannot follow is shown each frame
    eyes = np.linalg.norm(slow[0][1][36] - slow[0][1][45]) if slow[0] else 0
    for (box, points, _), (known_box, known, _) in ((a, b) for a, b in zip(quick, slow, strict=True) if a and b):
        assert np.linalg.norm(points - known, axis=1).mean() < 0.04 * eyes
        assert np.abs(np.subtract(box, known_box)).max() < 0.12 * known_box[2]  # moved along between two looks
    assert None not in quick and None not in slow
    assert all(s is not None and s.depth is not None and s.depth.shape == (68,) for s in quick)
    assert all(s is not None and s.depth is None for s in slow)  # nor does it tell of depth


def test_a_face_that_leaves_is_noticed_at_once_and_found_again(mesh: LandmarkBackend) -> None:
    seen = follow([person()] * 3 + [NOBODY] * 3 + [person()] * 3, mesh)
    assert [s is not None for s in seen] == [True] * 3 + [False] * 3 + [True] * 3
    assert Counted.looks == 1 + 3 + 1  # looked for while it is away


def test_a_cut_to_a_face_elsewhere_ends_the_track(mesh: LandmarkBackend) -> None:
    left, right = np.full((256, 512, 3), 90, np.uint8), np.full((256, 512, 3), 90, np.uint8)
    left[:, :256], right[:, 256:] = person(), person()
    seen = follow([left] * 4 + [right] * 4, mesh)
    assert [s is not None for s in seen] == [True] * 4 + [False] * 4


def test_a_cut_to_another_size_of_the_same_face_is_followed_through_the_detector(mesh: LandmarkBackend) -> None:
    near = np.asarray(cv2.resize(person()[:160, 30:190], (256, 256)), np.uint8)
    seen = follow([person()] * 3 + [near] * 3, mesh)
    assert Counted.looks > 1
    shown = [s for s in seen[3:] if s is not None]
    for _, points, _ in shown:  # followed or ended, but never points of the face before
        assert np.ptp(points[:, 0]) > 1.3 * np.ptp(seen[0][1][:, 0]) if seen[0] else False


def test_the_first_face_is_kept_when_a_larger_one_appears(mesh: LandmarkBackend) -> None:
    alone = np.full((400, 640, 3), 90, np.uint8)
    alone[:200, :200] = person(200)
    both = alone.copy()
    both[:, 240:] = person(400)
    seen = follow([alone] * 4 + [both] * 24, mesh)
    assert Counted.looks == 3
    assert all(s is not None and s[1][:, 0].max() < 240 for s in seen)


def test_the_larger_of_two_is_followed(mesh: LandmarkBackend) -> None:
    both = np.full((400, 640, 3), 90, np.uint8)
    both[:200, :200], both[:, 240:] = person(200), person(400)
    assert all(s is not None and s[1][:, 0].min() > 240 for s in follow([both] * 3, mesh))


def test_frames_after_the_seconds_are_not_looked_at(mesh: LandmarkBackend) -> None:
    frames = [Frame(person(), i / 10, i) for i in range(6)]
    assert len(list(follow_face(frames, mesh, 0.25))) == 3
