"""The numbers of the 68 points: left and right exchanged."""

from __future__ import annotations

import numpy as np

from generator.motion.retarget import canonical_face
from sfumato.media.landmarks.drawing import PARTS
from sfumato.media.landmarks.points import MIRROR


def test_the_mirror_is_an_involution() -> None:
    assert (MIRROR[MIRROR] == np.arange(68)).all()


def test_the_mirror_keeps_the_parts_of_the_face() -> None:
    twin = {(17, 21): (22, 26), (36, 41): (42, 47)}
    twin |= {b: a for a, b in twin.items()}
    for first, last, _, _ in PARTS:
        a, b = twin.get((first, last), (first, last))
        assert set(MIRROR[first : last + 1]) == set(range(a, b + 1))


def test_the_mirror_swaps_left_and_right_of_a_symmetric_face() -> None:
    face = canonical_face()
    mirrored = face[MIRROR] * (-1, 1)
    centre = (mirrored - face)[:, 0].mean()
    assert np.abs(mirrored - (centre, 0) - face).max() < 0.02
