"""Identity: SFace as shipped, its alignment, and gradients through it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sfumato.media.faces import FaceDetector
from sfumato.media.identity import (
    DIMENSIONS,
    SIDE,
    SFace,
    align,
    alignment,
    alignment_grid,
    embed_image,
    five_points,
    sface,
    similarity,
)
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import astronaut, portrait

TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
Seen = tuple[NDArray[np.uint8], NDArray[np.float32]]


def look(image: NDArray[np.uint8]) -> Seen:
    return image, load_backend("mesh").detect(image, FaceDetector().detect(image)[0].box)


@pytest.fixture(scope="module")
def woman() -> Seen:
    return look(astronaut())


@pytest.fixture(scope="module")
def mona() -> Seen:
    return look(portrait())


def test_an_embedding_is_a_unit_vector(woman: Seen) -> None:
    identity = embed_image(*woman)
    assert identity.shape == (DIMENSIONS,) and identity.dtype == np.float32
    assert np.linalg.norm(identity) == pytest.approx(1, abs=1e-5)


def test_a_picture_with_itself_has_cosine_1(woman: Seen) -> None:
    assert float(embed_image(*woman) @ embed_image(*woman)) == pytest.approx(1, abs=1e-5)


def test_another_light_is_the_same_person_and_another_face_is_not(woman: Seen, mona: Seen) -> None:
    image, points = woman
    darker = (image * 0.6 + 10).astype(np.uint8)
    mirrored, mirrored_points = look(np.ascontiguousarray(image[:, ::-1]))
    assert float(embed_image(darker, points) @ embed_image(image, points)) > 0.8
    assert float(embed_image(mirrored, mirrored_points) @ embed_image(image, points)) > 0.6
    assert float(embed_image(*mona) @ embed_image(image, points)) < 0.35


def test_size_does_not_matter(woman: Seen) -> None:
    image, points = woman
    large = np.asarray(cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert float(embed_image(large, points * 3 + 1) @ embed_image(image, points)) > 0.95


def test_it_is_the_network_of_the_file(woman: Seen) -> None:
    """Against OpenCV's own run of an unquantised twin there is nothing to compare with; the known facts of the layout
    are held.
    """
    network = sface()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(9.9e6, rel=0.1)
    assert sface() is network
    assert not [p for p in network.parameters() if p.requires_grad] and not network.training


def test_who_asks_first_changes_nothing() -> None:
    """Neither what is drawn at random afterwards nor whether gradients flow."""
    sface.cache_clear()
    before = torch.get_rng_state()
    with torch.inference_mode():
        network = sface()
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(parameter.is_inference() for parameter in network.parameters())


def test_gradients_flow_to_the_picture() -> None:
    torch.manual_seed(0)
    faces = (torch.rand(1, 3, SIDE, SIDE) * 2 - 1).requires_grad_(True)
    SFace()(faces)[0, :8].sum().backward()
    assert faces.grad is not None and faces.grad.isfinite().all() and faces.grad.abs().sum() > 0


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    torch.manual_seed(0)
    faces = torch.rand(2, 3, SIDE, SIDE) * 2 - 1
    assert torch.allclose(sface()(faces)[:1], sface()(faces[:1]), atol=1e-5)


def test_alignment_puts_the_five_points_on_the_template(woman: Seen) -> None:
    _, points = woman
    matrix = alignment(points)
    placed = five_points(points) @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(placed - TEMPLATE).max() < 8  # a similarity cannot place five points exactly


def test_the_aligned_face_is_a_picture_of_the_face(woman: Seen) -> None:
    aligned = align(*woman)
    assert aligned.shape == (SIDE, SIDE, 3) and aligned.dtype == np.uint8
    assert len(FaceDetector().detect(aligned)) == 1


def test_the_grid_samples_what_align_cuts(woman: Seen) -> None:
    image, points = woman
    grid = alignment_grid(torch.from_numpy(points)[None], *image.shape[:2])
    tensor = torch.from_numpy(image).permute(2, 0, 1).float()[None]
    sampled = torch.nn.functional.grid_sample(tensor, grid, align_corners=False)[0].permute(1, 2, 0).numpy()
    matrix = alignment(points)
    known = cv2.warpAffine(image, matrix, (SIDE, SIDE)).astype(float)
    assert np.abs(sampled - known).mean() < 1.5


@given(st.floats(-3, 3), st.floats(0.2, 5), st.floats(-50, 50), st.floats(-50, 50))
def test_similarity_finds_the_turn_scale_and_shift(angle: float, scale: float, x: float, y: float) -> None:
    points = np.random.default_rng(0).normal(size=(9, 2)) * 10
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = similarity(points, points @ linear.T + (x, y))
    assert np.allclose(matrix, np.hstack([linear, [[x], [y]]]), atol=1e-6)


def test_similarity_never_mirrors() -> None:
    points = np.random.default_rng(0).normal(size=(9, 2))
    matrix = similarity(points, points * (-1, 1))
    assert np.linalg.det(matrix[:, :2]) > 0


def test_similarity_there_and_back_is_the_identity(woman: Seen) -> None:
    matrix = alignment(woman[1])
    inverse = cv2.invertAffineTransform(matrix)
    back = (TEMPLATE @ inverse[:, :2].T + inverse[:, 2]) @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(back, TEMPLATE, atol=1e-6)


def test_points_in_one_place_give_a_finite_matrix() -> None:
    assert np.isfinite(similarity(np.zeros((5, 2)), TEMPLATE)).all()
    assert np.isfinite(similarity(TEMPLATE, np.zeros((5, 2)))).all()
