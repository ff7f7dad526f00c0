"""Person and background told apart: together they are the picture, and behind the person goes on what lies around."""

from __future__ import annotations

import numpy as np
import pytest

from generator.person.background import Background, continue_into, find_background, find_person
from generator.person.portrait import Portrait, read_portrait
from sfumato.media.faces import FaceDetector
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import portrait


@pytest.fixture(scope="module")
def sitter() -> Portrait:
    return read_portrait(portrait(), FaceDetector(), load_backend("mesh"), 128)


@pytest.fixture(scope="module")
def background(sitter: Portrait) -> Background:
    found = find_background(sitter.large, sitter.landmarks)
    assert found is not None
    return found


def test_the_face_is_person_and_the_corner_is_not(sitter: Portrait, background: Background) -> None:
    x, y = ((sitter.landmarks + 1) * 64).astype(int).T
    assert background.share[y, x].min() == 255
    assert background.share[:8, :8].max() == 0


def test_both_layers_at_rest_are_the_picture(sitter: Portrait, background: Background) -> None:
    person = background.person(sitter.large)
    whole = person[..., :3] + (1 - person[..., 3:]) * background.at(128)
    assert np.abs((whole + 1) * 127.5 - sitter.large).max() < 0.01


def test_where_there_is_no_person_the_backdrop_is_the_picture(sitter: Portrait, background: Background) -> None:
    outside = background.share == 0
    assert outside.mean() > 0.1
    assert np.array_equal(background.backdrop[outside], sitter.large[outside])


def test_nothing_of_the_person_is_left_in_the_backdrop(background: Background) -> None:
    assert FaceDetector().detect(background.backdrop) == []


def test_the_backdrop_has_the_size_asked_for(background: Background) -> None:
    assert background.at(64).shape == (64, 64, 3) and background.at(200).shape == (200, 200, 3)


def test_a_picture_without_a_person_has_no_background(sitter: Portrait) -> None:
    noise = np.random.default_rng(0).integers(0, 256, sitter.large.shape, np.uint8)
    assert find_background(noise, sitter.landmarks) is None


def test_a_picture_of_nothing_but_the_face_has_no_background(sitter: Portrait) -> None:
    (left, top), (right, bottom) = ((sitter.landmarks[17:] + 1) * 64).min(0), ((sitter.landmarks[17:] + 1) * 64).max(0)
    close = sitter.large[int(top) : int(bottom), int(left) : int(right)]
    side = min(close.shape[:2])
    points = ((sitter.landmarks + 1) * 64 - np.array([left, top])) * 2 / side - 1
    assert find_background(np.ascontiguousarray(close[:side, :side]), points.astype(np.float32)) is None


def test_landmarks_beside_the_person_are_no_persons(sitter: Portrait) -> None:
    assert find_person(sitter.large, 0.1 * sitter.landmarks - np.float32([0.85, 0.85])) is None


def test_one_colour_goes_on_as_itself() -> None:
    picture = np.full((64, 64, 3), (10, 120, 230), np.uint8)
    known = np.ones((64, 64), bool)
    known[16:60, 20:44] = False
    hidden = np.where(known[..., None], picture, 255).astype(np.uint8)
    assert np.abs(continue_into(hidden, known).astype(int) - picture).max() <= 1


def test_texture_goes_on_behind_the_edge() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(80, 176, (128, 128, 3), np.uint8)
    known = np.ones((128, 128), bool)
    known[40:90, 40:90] = False
    filled = continue_into(picture, known)
    assert np.array_equal(filled[known], picture[known])
    assert filled[60:70, 40:44].std() > 0.5 * picture.std() > filled[62:68, 62:68].std()


def test_nothing_is_filled_from_nothing() -> None:
    picture = np.full((16, 16, 3), 7, np.uint8)
    assert np.array_equal(continue_into(picture, np.zeros((16, 16), bool)), picture)
