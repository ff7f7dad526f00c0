"""Squares around open mouths: which are taken, and what is left of them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch

from generator.data.dataset import Clip, PersonFootage
from generator.data.mouths import gather_mouths, without_inside
from generator.motion.retarget import canonical_face
from generator.networks.mouth import inner_opening
from tests.generator_fixtures import clip_of, drawn_face, talking

SIZE = 64


def speaking(person: int, frames: int, widest: float = 0.2) -> Clip:
    """A clip whose mouth opens from shut to `widest`, white inside the lips."""
    shut = canonical_face().copy()
    shut[[67, 66, 65], 1] = shut[[61, 62, 63], 1]
    landmarks, jpegs = [], []
    for by in np.linspace(widest if frames == 1 else 0.0, widest, frames):
        points = (((talking(shut, by) + 1) * SIZE - 1) / 2).astype(np.float32)
        image = drawn_face(person, points, SIZE)
        cv2.fillPoly(image, [np.round(points[60:68]).astype(np.int32)], (255, 255, 255))
        landmarks.append(points)
        jpegs.append(cv2.imencode(".png", image[:, :, ::-1])[1].tobytes())
    base = clip_of(person, frames, SIZE)
    return replace(base, jpegs=tuple(jpegs), landmarks=np.stack(landmarks))


def of(*clips: Clip) -> tuple[PersonFootage, ...]:
    return tuple(PersonFootage(clip.digest[:16], (clip,)) for clip in clips)


def test_open_frames_are_taken_as_often_as_asked() -> None:
    clip = speaking(0, 8)
    wide = int((inner_opening(clip.landmarks) > 0.03).sum())
    assert 0 < wide < 8
    mouths = gather_mouths(of(clip), SIZE, copies=2)
    assert mouths is not None and len(mouths) == 2 * wide
    assert len(mouths.faces) == 1 and mouths.faces.shape == (1, 3, SIZE, SIZE)


def test_a_photograph_of_an_open_mouth_teaches_too() -> None:
    mouths = gather_mouths(of(speaking(0, 1)), SIZE, copies=4)
    assert mouths is not None and len(mouths) == 4


def test_nobody_with_an_open_mouth_is_said_so() -> None:
    assert gather_mouths(of(speaking(0, 5, 0.0)), SIZE) is None


def test_the_same_seed_gathers_the_same() -> None:
    first, second = (gather_mouths(of(speaking(0, 6), speaking(1, 1)), SIZE, seed=3) for _ in range(2))
    assert first is not None and second is not None
    assert torch.equal(first.left, second.left) and torch.equal(first.person, second.person)


def test_what_is_left_differs_inside_the_lips() -> None:
    mouths = gather_mouths(of(speaking(0, 12)), SIZE, copies=3)
    assert mouths is not None
    away = (mouths.left.float() - mouths.wanted.float()).abs().mean(-1)  # (n, s, s)
    inside = mouths.lips[:, 0].float() / 255
    within = (away * inside).sum() / inside.sum()
    outside = (away * (1 - inside)).sum() / (1 - inside).sum()
    assert float(within) > 2 * float(outside)


def test_a_hole_is_closed_from_its_edge() -> None:
    square = np.full((64, 64, 3), (200, 90, 80), np.uint8)
    square[24:40, 16:48] = 255
    inside = np.zeros((64, 64), np.float32)
    inside[24:40, 16:48] = 1
    closed = without_inside(square, inside)
    assert np.abs(closed.astype(int) - (200, 90, 80)).max() < 10
