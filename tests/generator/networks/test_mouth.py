"""The painter of open mouths: where it looks, where it may paint, and that shut lips stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from generator.motion.retarget import canonical_face
from generator.networks.mouth import (
    SIDE,
    in_square,
    is_shut,
    lip_masks,
    mouth_square,
    painted,
    read_square,
    square_axes,
    square_grid,
    unknown,
)
from generator.networks.warp import identity_grid
from tests.generator_fixtures import WARP, checkpoint, talking


def points(by: float = 0.1) -> torch.Tensor:
    return torch.from_numpy(talking(canonical_face(), by))[None]


def test_the_square_is_centred_on_the_lips_and_holds_a_wide_open_mouth() -> None:
    place = points(0.25)
    local = in_square(place[:, None, 48:68], place)
    assert float(local.abs().max()) < 1
    centre = in_square(place[:, None, 60:68].mean(2, keepdim=True), place)
    assert float(centre.abs().max()) < 1e-5


@given(turn=st.floats(-0.6, 0.6), scale=st.floats(0.4, 1.5), right=st.floats(-0.4, 0.4))
def test_places_go_into_the_square_and_back(turn: float, scale: float, right: float) -> None:
    cos, sin = np.cos(turn), np.sin(turn)
    moved = points() @ torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float32) * scale
    moved[..., 0] += right
    back = in_square(square_grid(moved), moved)
    assert torch.allclose(back, identity_grid(SIDE, back), atol=1e-4)


def test_lips_of_a_shut_mouth_leave_nothing_to_paint() -> None:
    shut = canonical_face().copy()
    shut[[67, 66, 65], 1] = shut[[61, 62, 63], 1]
    assert not lip_masks(shut)[2].any()


def test_a_mouth_is_shut_where_nothing_is_painted() -> None:
    openings = [talking(canonical_face(), by) for by in np.linspace(-0.02, 0.05, 29)]
    shut = [is_shut(face) for face in openings]
    assert shut == [not lip_masks(face)[2].any() for face in openings]
    assert any(shut) and not all(shut)


@pytest.mark.parametrize("face", [canonical_face(), canonical_face()[::-1] * 0.3, np.zeros((68, 2), np.float32)])
def test_the_square_of_one_face_is_that_of_many(face: np.ndarray) -> None:
    centre, axes = square_axes(face)
    middle, half = (x[0].numpy() for x in mouth_square(torch.from_numpy(face.copy())[None]))
    assert np.abs(centre - middle).max() < 1e-6 and np.abs(axes[0] - half).max() < 1e-6
    assert np.abs(axes[1] - [-half[1], half[0]]).max() < 1e-6


def test_what_may_be_painted_lies_inside_the_outer_lips() -> None:
    inner, outer, share = lip_masks(talking(canonical_face()))
    assert inner.sum() > 50
    assert (share[inner > 0.99] > 0.7).all()
    assert share[outer == 0].max() < 0.1


def test_more_is_open_the_wider_the_lips() -> None:
    areas = [lip_masks(talking(canonical_face(), by))[2].sum() for by in (0.0, 0.02, 0.05, 0.1, 0.2)]
    assert areas == sorted(areas)


@pytest.mark.parametrize("place", [np.zeros((68, 2)), np.full((68, 2), 9.0), canonical_face() * 100])
def test_degenerate_landmarks_give_finite_masks(place: np.ndarray) -> None:
    masks = lip_masks(place)
    assert np.isfinite(masks).all() and 0 <= masks.min() <= masks.max() <= 1


def test_a_square_that_is_laid_back_is_the_picture_it_was_read_from() -> None:
    place, ramp = points(), identity_grid(128, torch.zeros(1)).permute(0, 3, 1, 2)
    picture = torch.cat([ramp, ramp[:, :1] * 0.5], dim=1)  # smooth, so that reading it in between loses nothing
    share = torch.from_numpy(lip_masks(place[0].numpy()))[None, 2:]
    back, where = painted(picture, read_square(picture, place), share, place)
    assert float(where.max()) > 0.9
    assert float((back - picture).abs().max()) < 0.02


def test_what_a_source_shows_is_not_painted() -> None:
    shut, half, wide = (talking(canonical_face(), by) for by in (0.0, 0.1, 0.2))
    assert unknown(half, np.stack([shut, half])) == 0
    assert unknown(half, np.stack([shut, wide])) == 1
    assert unknown(half, shut[None]) == 1
    assert 0 < unknown(half, talking(canonical_face(), 0.06)[None]) < 1


def test_a_generator_paints_open_mouths_alone() -> None:
    networks = checkpoint(WARP, mouth=8)
    generator, psi = networks.generator, networks.generator.project(torch.ones(2, 16))
    shut = canonical_face().copy()
    shut[[67, 66, 65], 1] = shut[[61, 62, 63], 1]
    place = torch.from_numpy(np.stack([shut, talking(canonical_face())]))
    sources = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    grids = identity_grid(32, sources).expand(2, 32, 32, 2)[:, None].expand(-1, 2, -1, -1, -1)
    sketch = torch.zeros(2, 3, 32, 32)
    with torch.no_grad():
        plain = generator.compose(generator.head(sketch, psi, sources, grids), sources, grids)
        made = generator(sketch, psi, sources, grids, place)
    assert torch.equal(made.image[0], plain.image[0])
    changed = (made.image[1] - plain.image[1]).abs().amax(0)
    inside = torch.nn.functional.grid_sample(
        torch.from_numpy(lip_masks(place[1].numpy()))[None, 2:],
        in_square(identity_grid(32, sources), place[1:]),
        align_corners=False,
    )[0, 0]
    assert float(changed.max()) > 0.1
    assert float(changed[inside == 0].max()) == 0
    assert (made.mask >= plain.mask).all()
