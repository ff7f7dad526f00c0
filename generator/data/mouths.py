"""Squares around open mouths, to teach the painter with: what the warp leaves of a mouth, and what it was.

Comes in: people of prepared footage. Goes out: arrays of pairs. What a mouth was is any frame or photograph with open
lips. What the warp leaves of it is made in four ways: from another frame of the clip, bent to this one's landmarks;
from a bent copy of the picture; or as of a portrait with closed lips, by raising the lower lip and bending the picture
back, or by taking out what lies between the lips and closing the hole from its edge. So a photograph of a laugh teaches teeth, though there is no other of its kind.

Wide open mouths are also taken with the lower lip raised over what it hides then, so that as many are open a little.
Landmarks read off a mouth that is open a little are off by half of that; those of a lip that was moved are not, and
only from such a mouth can be learnt where exactly lips end.
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
# how often: another frame of the clip, one with closed lips among those, a bent copy, the lips closed; else the hole
_FROM_CLIP, _FROM_CLOSED, _FROM_COPY, _FROM_RAISED = 0.65, 0.7, 0.1, 0.3
_CLOSED = 0.05  # of how far lips were apart are they when they have been closed
_RAISED, _WIDE = 0.5, 0.06  # how often the lower lip is raised, where the inner lips are apart by so much
_RAISED_TO = (0.25, 0.9)  # of how far they were apart
_LOWER = {54: 0.0, 55: 0.6, 56: 1.0, 57: 1.0, 58: 1.0, 59: 0.6, 65: 1.0, 66: 1.0, 67: 1.0} | dict.fromkeys(range(6, 11), 0.8)
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
            for _ in range(copies):
                row, seen, at = len(rows), picture, place
                if rng.random() < _RAISED and float(inner_opening(place[0].numpy())) > _WIDE:
                    seen, at = lip_raised(picture, place, float(rng.uniform(*_RAISED_TO)))
                mask = lip_masks(at[0].numpy())
                left[row] = _left(clip, int(index), seen, at, mask[0], rng)
                wanted[row], lips[row] = _image(read_square(seen, at)), np.round(255 * mask)
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
    """What one of the four ways leaves of the mouth in frame `index`: `picture` (1, 3, S, S), landmarks `place`."""
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
    if rng.random() < _FROM_RAISED:
        closed, at = lip_raised(picture, place, _CLOSED)
        return _bent(closed, at, place)
    return without_inside(_image(read_square(picture, place)), inside)


def lip_raised(picture: Tensor, place: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """picture: (1, 3, S, S); place: (1, 68, 2) in [-1, 1]. Both with the inner lips apart by `share` of what they were:
    the lower lip and the chin go up, teeth and what is behind them stay where they are.
    """
    size = picture.shape[-1]
    by = (1 - share) * (place[:, [61, 62, 63]] - place[:, [67, 66, 65]]).mean(1, keepdim=True)
    weight = place.new_zeros(68)
    weight[list(_LOWER)] = torch.tensor(list(_LOWER.values()))
    at = place + weight[:, None] * by
    bent = sample(picture, warp_grid(place, at, size))
    inside = np.zeros((size, size), np.uint8)
    corners = np.round((((at[0, 60:68] + 1) * size - 1) / 2).numpy() * 16).astype(np.int32)
    cv2.fillPoly(inside, [corners], 255, cv2.LINE_AA, 4)
    share_of_inside = torch.from_numpy(inside)[None, None].float() / 255
    return bent + share_of_inside * (picture - bent), at


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
