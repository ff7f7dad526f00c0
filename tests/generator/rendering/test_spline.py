"""The renderer's spline is the one that training uses."""

from __future__ import annotations

import numpy as np
import torch

from generator.networks.warp import COARSE, flow_share, identity_grid, nearest, warp_grid
from generator.rendering.spline import Spline
from tests.generator_fixtures import pose

FACES = np.stack([(2 * pose(i, 32) + 1) / 32 - 1 for i in range(6)]).astype(np.float32)


def test_moves_are_those_of_warp_grid() -> None:
    shut = FACES[5].copy()
    shut[[67, 66, 65]] = shut[[61, 62, 63]]  # inner lips that meet are held otherwise than parted ones
    for face in (FACES[5], shut):
        moves = Spline(FACES[:4]).moves([2, 0], face)
        target = torch.from_numpy(face)[None].expand(2, -1, -1)
        grids = warp_grid(torch.from_numpy(FACES[[2, 0]]), target, COARSE) - identity_grid(COARSE, target)
        assert np.abs(np.stack(moves) - grids.numpy()).max() < 1e-5


def test_equal_landmarks_move_nothing() -> None:
    assert np.abs(Spline(FACES[:1]).moves([0], FACES[0])[0]).max() < 1e-5


def test_landmarks_in_one_point_move_finitely() -> None:
    assert np.isfinite(Spline(np.zeros((1, 68, 2), np.float32)).moves([0], np.zeros((68, 2), np.float32))[0]).all()


def test_the_nearest_are_those_of_warp() -> None:
    for target in FACES:
        for count in (1, 3, 5):
            expected = nearest(torch.from_numpy(FACES[None, :4]), torch.from_numpy(target)[None], count)[0].tolist()
            assert Spline(FACES[:4]).nearest(target, count) == expected


def test_flows_are_applied_as_flow_share_has_it() -> None:
    spline, sources = Spline(FACES[:2]), torch.from_numpy(FACES[:2])
    opened, aside, point = FACES[0].copy(), FACES[0].copy(), np.zeros((68, 2), np.float32)
    opened[55:60, 1] += 0.2
    opened[65:68, 1] += 0.2
    aside[:, 0] += 0.8
    aside[65:68, 1] += 0.05
    for target in (opened, aside, point, *FACES[2:4]):
        for size in (96, 256, 300):
            wanted = flow_share(sources, torch.from_numpy(target)[None].expand(2, -1, -1), size)[:, 0].numpy()
            for share, plain in zip(spline.flow_shares([0, 1], target, size), wanted, strict=True):
                assert np.abs((1 if share is None else share[..., 0]) - plain).max() < 1e-4


def test_where_lips_are_parted_as_in_the_source_all_of_the_flows_are_applied() -> None:
    assert Spline(FACES[:1]).flow_shares([0], FACES[0], 256) == [None]
