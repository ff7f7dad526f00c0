"""The warp: identity for equal landmarks, known moves, finite for anything."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from generator.motion.retarget import canonical_face
from generator.networks.warp import (
    STIFFNESS,
    control_points,
    flow_share,
    identity_grid,
    nearest,
    normalise,
    sample,
    stiffness,
    warp_grid,
)

FACE = torch.from_numpy(canonical_face())


def grid_at(grid: Tensor, place: Tensor) -> Tensor:
    """The grid's value at `place` (N, 2) in [-1, 1]: (N, 2)."""
    return sample(grid.permute(0, 3, 1, 2), place[None, None])[0, :, 0].T


def opened(by: float) -> Tensor:
    """FACE, (1, 68, 2), with closed lips, and the lower one then `by` lower."""
    face = FACE.clone()
    face[[67, 66, 65]] = face[[61, 62, 63]] + torch.tensor([0.0, 0.002])
    face[55:60, 1] += by
    face[65:68, 1] += by
    return face[None]


@pytest.mark.parametrize("size", [16, 32, 100, 128])
def test_equal_landmarks_give_the_identity(size: int) -> None:
    grid = warp_grid(FACE[None], FACE[None], size)
    assert grid.shape == (1, size, size, 2)
    assert torch.allclose(grid, identity_grid(size, FACE), atol=1e-5)


def test_the_identity_gives_the_picture_back() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 32, 32)
    assert torch.allclose(sample(picture, identity_grid(32, picture)), picture, atol=1e-5)


def test_a_moved_face_is_fetched_from_where_it_was() -> None:
    shift = torch.tensor([0.05, -0.03])
    grid = warp_grid(FACE[None], (FACE + shift)[None], 128)
    nose = (FACE + shift)[30:31]
    assert torch.allclose(grid_at(grid, nose), FACE[30:31], atol=0.005)


def test_an_opened_mouth_is_fetched_from_the_closed_one() -> None:
    target = FACE.clone()
    target[55:60, 1] += 0.08
    target[65:68, 1] += 0.08
    grid = warp_grid(FACE[None], target[None], 128)
    assert torch.allclose(grid_at(grid, target[57:58]), FACE[57:58], atol=0.03)
    assert torch.allclose(grid_at(grid, target[27:28]), FACE[27:28], atol=0.01)  # the nose's root stays


@given(st.floats(0.08, 0.2))
def test_lips_part_as_far_as_they_are_asked_to(by: float) -> None:
    closed, parted = opened(0.0), opened(by)
    grid = warp_grid(closed, parted, 256)
    upper, lower = ([61, 62, 63], [67, 66, 65])
    found = grid_at(grid, parted[0, upper + lower])
    gap = (parted[0, lower] - parted[0, upper] - found[3:] + found[:3])[
        :, 1
    ]  # how far what lay together is drawn apart
    assert (gap >= 0.95 * by).all()


@pytest.mark.parametrize("parted", [0.0, 0.005, 0.01, 0.03, 0.06])
def test_nothing_folds_where_parted_lips_close(parted: float) -> None:
    grid = warp_grid(opened(0.12), opened(parted), 256)[0]
    left, top = ((FACE[48:68].amin(0) + 1) * 128).int().tolist()
    right, bottom = ((FACE[48:68].amax(0) + 1) * 128).int().tolist()
    pixel = 2 / 256
    assert (grid[top - 8 : bottom + 24, left:right, 1].diff(dim=0) > -0.02 * pixel).all()
    assert (grid[top - 8 : bottom + 24, left:right, 0].diff(dim=1) > 0).all()


def test_only_lips_that_close_are_as_stiff_as_the_rest() -> None:
    closed, parted = opened(-0.002), opened(0.1)
    assert torch.allclose(stiffness(parted, closed, 89), torch.full((1, 89), STIFFNESS))
    opening = stiffness(closed, parted, 89)
    assert (opening[:, 48:68] < STIFFNESS / 50).all()
    assert (opening[:, [*range(48), *range(68, 89)]] == STIFFNESS).all()


@pytest.mark.parametrize("size", [32, 256])
def test_flows_stay_but_about_lips_that_part(size: int) -> None:
    closed, parted = opened(0.0), opened(0.1)
    assert (flow_share(parted, parted, size) == 1).all()
    share = flow_share(closed, parted, size)
    assert share.shape == (1, 1, size, size) and share.min() >= 0 and share.max() <= 1
    at_lips, at_eyes = (grid_at(share.permute(0, 2, 3, 1), parted[0, part]) for part in ([57, 62, 66], [36, 41, 45]))
    assert (at_lips < 0.05).all() and (at_eyes == 1).all()
    assert 0.4 < flow_share(closed, opened(0.016 * float((FACE[27] - FACE[8]).norm())), 256).min() < 0.6


def test_the_pictures_border_stays() -> None:
    grid = warp_grid(FACE[None], (FACE + torch.tensor([0.1, 0.0]))[None], 128)
    edge = torch.tensor([[-0.99, -0.99], [0.99, 0.99], [0.0, -0.99], [0.99, 0.0]])
    assert torch.allclose(grid_at(grid, edge), edge, atol=0.02)


@given(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12), st.floats(0.85, 1.15), st.floats(-0.25, 0.25))
def test_similar_faces_are_found_again(x: float, y: float, scale: float, turn: float) -> None:
    cosine, sine = float(torch.cos(torch.tensor(turn))), float(torch.sin(torch.tensor(turn)))
    target = scale * FACE @ torch.tensor([[cosine, sine], [-sine, cosine]]) + torch.tensor([x, y])
    grid = warp_grid(FACE[None], target[None], 64)
    inside = (target.abs() < 0.9).all(1)
    assert (grid_at(grid, target[inside]) - FACE[inside]).norm(dim=1).mean() < 0.02


@given(st.integers(0, 10_000))
def test_the_grid_is_finite_for_any_landmarks(seed: int) -> None:
    torch.manual_seed(seed)
    points = torch.rand(2, 68, 2) * 4 - 2
    points[0, ::2] = points[0, 0]  # half of them coincide
    grid = warp_grid(points, points.flip(0), 32)
    assert grid.isfinite().all()
    assert grid.abs().max() <= 3 + 1e-5


@pytest.mark.parametrize("value", [0.0, 1.0, -5.0])
def test_all_landmarks_in_one_point_give_a_finite_grid(value: float) -> None:
    point = torch.full((1, 68, 2), value)
    for source, target in ((point, FACE[None]), (FACE[None], point), (point, point)):
        assert warp_grid(source, target, 32).isfinite().all()


def test_rows_of_a_batch_do_not_touch_each_other() -> None:
    moved = FACE + 0.05
    both = warp_grid(torch.stack([FACE, FACE]), torch.stack([moved, FACE]), 32)
    assert torch.allclose(both[:1], warp_grid(FACE[None], moved[None], 32), atol=1e-5)


def test_the_crown_mirrors_the_jaw_of_the_source() -> None:
    points, _ = control_points(FACE[None], FACE[None])
    assert points.shape == (1, 73, 2)
    chin, top = FACE[8], points[0, 70]
    ears = (FACE[0] + FACE[16]) / 2
    assert torch.allclose((chin + top) / 2, ears, atol=0.05)


def test_the_crown_moves_with_the_head_and_not_with_the_mouth() -> None:
    talking, moved = FACE.clone(), FACE + 0.1
    talking[4:13, 1] += 0.1
    source, target = control_points(FACE[None].expand(2, -1, -1), torch.stack([talking, moved]))
    assert torch.allclose(target[0, 68:], source[0, 68:], atol=1e-4)
    assert torch.allclose(target[1, 68:], source[1, 68:] + 0.1, atol=1e-4)


def test_hair_stays_with_the_ears_when_a_head_turns() -> None:
    flat = FACE[None].clone()
    flat[:, 17:] += torch.tensor([0.08, 0.0])  # what lies before the ears moves, as if the head turned
    source, target = control_points(FACE[None], flat)
    assert torch.allclose(target[:, 68:], source[:, 68:], atol=0.02)


def test_nearest_prefers_the_closest_pose() -> None:
    sources = torch.stack([FACE + 0.3, FACE + 0.1, FACE + 0.2])[None]
    assert nearest(sources, FACE[None], 2).tolist() == [[1, 2]]


def test_nearest_counts_the_mouth_double() -> None:
    jaw, mouth = FACE.clone(), FACE.clone()
    jaw[:20] += 0.1  # 20 points, once
    mouth[48:68] += 0.09  # 20 points, twice
    assert nearest(torch.stack([mouth, jaw])[None], FACE[None], 1).tolist() == [[1]]


def test_nearest_repeats_the_last_of_few() -> None:
    assert nearest(FACE[None, None], FACE[None], 3).tolist() == [[0, 0, 0]]


def test_normalise_puts_pixel_centres_where_grid_sample_has_them() -> None:
    corners = torch.tensor([[0.0, 0.0], [31.0, 31.0]])
    expected = identity_grid(32, corners)[0, [0, 31], [0, 31]]
    assert torch.allclose(normalise(corners, 32), expected)


def test_a_source_with_the_wanted_expression_is_nearer_than_one_with_the_wanted_place() -> None:
    target = torch.from_numpy(canonical_face())[None]
    open_mouth, moved = target.clone(), target + 0.06
    open_mouth[:, 55:60, 1] += 0.12  # lower lip
    open_mouth[:, 65:68, 1] += 0.12
    sources = torch.stack([open_mouth, moved], dim=1)  # (1, 2, 68, 2)
    assert nearest(sources, target, 2).tolist() == [[1, 0]]


def test_of_equal_expressions_the_nearer_place_is_chosen() -> None:
    target = torch.from_numpy(canonical_face())[None]
    assert nearest(torch.stack([target + 0.2, target + 0.05], dim=1), target, 1).tolist() == [[1]]
