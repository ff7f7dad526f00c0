"""Hard cases: what is done to the twin is done to the fake, to the last grain."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from sfumato.app.fakes.makers import Take
from sfumato.app.sets.making.hard_cases import TURNED, in_company, relit, turn
from tests.detector_fixtures import face_picture, landmarks


def take(frames: int = 3, size: int = 64) -> Take:
    real = [np.full((size, size, 3), 100 + index, np.uint8) for index in range(frames)]
    fake = [image.copy() for image in real]
    for image in fake:
        image[20:40, 20:40] = 180
    return Take(real, fake, "toy", "blend")


def test_light_and_noise_are_the_same_in_both() -> None:
    before = take()
    after = relit(before, np.random.default_rng(3))
    for index in range(3):
        same = (before.real[index] == before.fake[index]).all(axis=2)
        assert np.array_equal(after.real[index][same], after.fake[index][same])
        assert (after.real[index][~same] != after.fake[index][~same]).any()
    assert np.mean(after.real) < 0.8 * np.mean(before.real)  # dim
    assert not np.array_equal(after.real[0][0] - after.real[0][0, 0], np.zeros_like(after.real[0][0]))  # grain
    columns = np.mean([frame.mean(axis=(0, 2)) for frame in after.real], axis=0)
    rows = np.mean([frame.mean(axis=(1, 2)) for frame in after.real], axis=0)
    assert max(np.ptp(columns), np.ptp(rows)) > 5  # from one side


def test_light_follows_from_the_seed() -> None:
    one, again, other = (relit(take(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.fake, again.fake)
    assert not np.array_equal(one.fake, other.fake)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_company_is_real_in_both_files_and_as_long_as_the_shortest(place: int) -> None:
    others = [[np.full((64, 64, 3), value, np.uint8)] * count for value, count in ((7, 3), (9, 2))]
    joined = in_company(take(), others, place)
    assert len(joined.real) == len(joined.fake) == 2
    assert joined.fake[0].shape == (64, 192, 3)
    differs = [index for index in range(3) if (joined.fake[0] != joined.real[0])[:, 64 * index : 64 * index + 64].any()]
    assert differs == [place]


def test_a_head_from_the_front_is_not_turned_and_one_from_the_side_is() -> None:
    points = landmarks(100)
    assert turn(points) < 0.05
    moved = points.copy()
    moved[30, 0] += 0.25 * np.linalg.norm(points[45] - points[36])
    assert TURNED < turn(moved) == pytest.approx(0.5, abs=0.05)
    mirrored = moved * [-1, 1]
    mirrored[[36, 45]] = mirrored[[45, 36]]
    assert turn(mirrored) == pytest.approx(turn(moved), abs=1e-4)
    assert turn(points * 0) == 0  # a face without extent


@pytest.mark.parametrize(("degrees", "expected"), [(0, 0.0), (20, TURNED), (-20, TURNED), (30, 0.56)])
def test_the_canonical_face_is_turned_from_twenty_degrees_on(degrees: float, expected: float) -> None:
    path = files("generator.motion") / "canonical_face.json"
    face = json.loads(path.read_text(encoding="utf-8"))
    points, depth, angle = np.array(face["landmarks"]), np.array(face["depth"]), np.radians(degrees)
    points[:, 0] = points[:, 0] * np.cos(angle) + depth * np.sin(angle)
    assert turn(points.astype(np.float32)) == pytest.approx(expected, abs=0.01)


def test_pictures_stay_pictures() -> None:
    picture = face_picture(0, 64)
    bright = relit(Take([picture], [picture], "toy", "blend"), np.random.default_rng(0))
    assert bright.real[0].dtype == np.uint8
    assert bright.real[0].shape == picture.shape
