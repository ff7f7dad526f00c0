"""How much of an open mouth is paint, of networks whose mask is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.generator.painted import paint_figures, painted_share
from generator.motion.retarget import canonical_face
from generator.networks.families import GATE_GAIN
from generator.networks.landmark_warp import landmark_warp
from generator.person.portrait import Portrait
from generator.rendering.animator import Animator
from sfumato.media.faces import Crop, Face
from tests.generator_fixtures import PLAIN, SIZE, WARP, checkpoint, drawn_face, pose


def open_mouth(height: float = 0.3) -> NDArray[np.float32]:
    """(68, 2) in [-1, 1]: the canonical face with its inner lips apart by so much of its height."""
    points = canonical_face().copy()
    tall = float(np.linalg.norm(points[8] - points[27]))
    points[[67, 66, 65], 1] = points[[61, 62, 63], 1] + height * tall
    return points


def animator(networks, share: float = 0.5) -> Animator:  # type: ignore[no-untyped-def]
    """It knows one drawn face; its mask is `share` everywhere."""
    if networks.config.family == WARP:
        bias = networks.generator.network.last.bias
        bias.data[-(networks.config.stem**2) :] = math.log(share / (1 - share)) / GATE_GAIN
    made, points = Animator(networks, backend="torch"), pose(0)
    picture = drawn_face(0, points)
    face = Face((0.0, 0.0, float(SIZE), float(SIZE)), 1.0, points[[36, 45, 30, 48, 54]])
    local = ((2 * points + 1) / SIZE - 1).astype(np.float32)
    made.set_identity([Portrait(Crop(0.0, 0.0, float(SIZE)), face, picture, local)])
    return made


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_the_share_is_that_of_the_mask(share: float) -> None:
    painter = animator(checkpoint(WARP, awake=False), share)
    assert painted_share(painter, open_mouth()) == pytest.approx(share, abs=1e-3)


def test_a_family_without_a_mask_has_no_share() -> None:
    assert painted_share(animator(checkpoint(PLAIN)), open_mouth()) is None
    assert painted_share(animator(landmark_warp()), open_mouth()) is None


def test_closed_lips_do_not_count() -> None:
    painter = animator(checkpoint(WARP, awake=False), 0.9)
    assert paint_figures(painter, [(open_mouth(0.0), True)]) == {}


def test_teeth_are_a_figure_of_their_own() -> None:
    painter = animator(checkpoint(WARP, awake=False), 0.9)
    assert paint_figures(painter, [(open_mouth(), False)]) == {"paint": pytest.approx(0.9, abs=1e-3)}
    assert set(paint_figures(painter, [(open_mouth(), False), (open_mouth(), True)])) == {"paint", "paint_teeth"}
