"""Squares around open mouths, to teach the painter with: what the warp leaves of a mouth, and what it was.

Comes in: people of prepared footage. Goes out: arrays of pairs. What a mouth was is any frame or photograph with open
lips. What the warp leaves of it is made in three ways: from another frame of the clip, bent to this one's landmarks;
from a bent copy of the picture; or by taking out what lies between the lips and closing the hole from its edge, as in a
portrait with closed lips. So a photograph of a laugh teaches teeth, though there is no other of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.data.dataset import Clip, PersonFootage
from generator.data.pose_augmentation import random_pose
from generator.networks.mouth import SIDE, inner_opening, lip_masks, read_square, square_grid
from generator.networks.warp import normalise, sample, warp_grid
from sfumato.media.landmarks.drawing import draw_sketch

_LEAST = 0.015  # opening of the inner lips, in distances of the outer eye corners, from which on a mouth is open
_OF_CLIP = 48  # open mouths of a clip that are taken, at most
# how often: another frame of the clip, one with closed lips among those, and a bent copy; else the hole is closed
_FROM_CLIP, _FROM_CLOSED, _FROM_COPY = 0.65, 0.7, 0.15
_EDGE = 3  # px that the hole reaches over the lips' edge when it is closed from there


@dataclass(frozen=True)
class Mouths:
    """n pairs. `left`, `wanted`: (n, 64, 64, 3) uint8, what the warp leaves and what it was; `lips`: (n, 3, 64, 64) in
    0..255, see `lip_masks`; `person`: (n,) rows of `faces` (p, 3, S, S) and `sketches`, which E reads; all on the CPU.
    """

    left: Tensor
    wanted: Tensor
    lips: Tensor
    person: Tensor
    faces: Tensor
    sketches: Tensor

    def __len__(self) -> int:
        return len(self.left)


def gather_mouths(
    people: Sequence[PersonFootage], size: int, seed: int = 0, copies: int = 2,
    advance: Callable[[float], None] = lambda amount: None,
) -> Mouths | None:  # fmt: skip
    """Every open mouth of `people`, `copies` times with what different warps leave of it; None where there is none.
    `size`: px of a frame; `advance` gets 1 for each recording.
    """
    rng = np.random.default_rng(seed)
    shown = [(clip, _open_frames(clip)) for person in people for clip in person.clips]
    speaking = [(clip, frames) for clip, frames in shown if len(frames)]
    advance(len(shown) - len(speaking))
    if not speaking:
        return None
    # Filled in place: kept one by one between the passing pictures, small arrays hold the memory of those.
    count = copies * sum(len(frames) for _, frames in speaking)
    left, wanted = np.empty((2, count, SIDE, SIDE, 3), np.uint8)
    lips = np.empty((count, 3, SIDE, SIDE), np.uint8)
    faces, sketches = np.empty((2, len(speaking), size, size, 3), np.uint8)
    rows: list[int] = []
    for number, (clip, frames) in enumerate(speaking):
        image, points = clip.frame(int(np.argmin(inner_opening(clip.landmarks))), size)
        faces[number], sketches[number] = image, draw_sketch(points, size)
        for index in frames:
            image, points = clip.frame(int(index), size)
            place = normalise(torch.from_numpy(points)[None], size)
            picture = _tensor(image)
            mask = lip_masks(place[0].numpy())
            was, inside = _image(read_square(picture, place)), np.round(255 * mask)
            for _ in range(copies):
                row = len(rows)
                left[row] = _left(clip, int(index), picture, place, mask[0], rng)
                wanted[row], lips[row] = was, inside
                rows.append(number)
        advance(1)
    seen, were, places, calm, drawn = map(torch.from_numpy, (left, wanted, lips, faces, sketches))
    return Mouths(seen, were, places, torch.tensor(rows), calm.permute(0, 3, 1, 2), drawn.permute(0, 3, 1, 2))


def _open_frames(clip: Clip) -> NDArray[np.int64]:
    """Frames with open lips, evenly spread over how far."""
    apart = inner_opening(clip.landmarks)
    order = np.argsort(apart)
    order = order[apart[order] > _LEAST]
    if len(order) > _OF_CLIP:
        order = order[np.linspace(0, len(order) - 1, _OF_CLIP).round().astype(int)]
    return order


def _left(
    clip: Clip, index: int, picture: Tensor, place: Tensor, inside: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """What one of the three ways leaves of the mouth in frame `index`: `picture` (1, 3, S, S), landmarks `place`."""
    way, size = rng.random(), picture.shape[-1]
    if len(clip) > 2 and way < _FROM_CLIP:
        apart = inner_opening(clip.landmarks)
        closed = np.argsort(apart)[: max(2, len(clip) // 3)]
        others = closed if rng.random() < _FROM_CLOSED else np.arange(len(clip))
        image, points = clip.frame(int(rng.choice(others[others != index])), size)
        return _bent(_tensor(image), normalise(torch.from_numpy(points)[None], size), place)
    if way > 1 - _FROM_COPY:
        posed = random_pose(place[0], rng)[None]
        return _bent(sample(picture, warp_grid(place, posed, size)), posed, place)
    return without_inside(_image(read_square(picture, place)), inside)


def without_inside(square: NDArray[np.uint8], inside: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The square with its mouth closed up from the lips' edge."""
    hole = cv2.dilate(
        (inside > 0.2).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _EDGE - 1,) * 2)
    )
    return np.asarray(cv2.inpaint(square, hole, 3, cv2.INPAINT_TELEA), np.uint8)


def _bent(source: Tensor, start: Tensor, end: Tensor) -> NDArray[np.uint8]:
    """The square of `source` when its landmarks go from `start` to `end`, (1, 68, 2) each."""
    size = source.shape[-1]
    moved = warp_grid(start, end, size).permute(0, 3, 1, 2)
    places = torch.nn.functional.grid_sample(moved, square_grid(end), padding_mode="border", align_corners=False)
    return _image(sample(source, places.permute(0, 2, 3, 1)))


def _tensor(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1


def _image(picture: Tensor) -> NDArray[np.uint8]:
    return np.ascontiguousarray(((picture[0] + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy())
