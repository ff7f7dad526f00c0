"""The mouth painter: what lies behind the lips, which no warp knows. A picture with landmarks in, the same with teeth,
tongue and dark inside the open lips out.

A small network of the generator's own kind (a `Synthesizer`) reads the square around the mouth, 64 px wide whatever the
picture's size, and paints it; what lies between the middles of both lips is taken over, all of it: a gate of the
painter's own would shut wherever it is unsure, and landmarks see small openings as smaller than they are, so the lips'
edges are painted, too. Where the lips are shut it changes nothing, bit for bit, nor where a source opens them as far:
the sitter's own teeth are better than paint.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from generator.config import ModelConfig
from generator.networks.synthesizer import Synthesizer
from generator.networks.warp import identity_grid

SIDE = 64  # px of the square that is read and painted
CHANNELS = 5  # read: the picture, inside the inner lips, inside the outer lips
_HALF = 0.42  # half the square's side, in distances of the outer eye corners: a wide open mouth fits in
_POINT, _NARROWEST = 1e-3, 0.05  # eyes that are no farther apart are level; and taken to be at least so far apart
_SHUT, _OPEN = 0.01, 0.025  # mean opening of the inner lips, in the same: from nothing painted to all of it
_SHIFT = 4  # bits of a pixel that OpenCV draws to
_OVERDONE = 1.3  # times the change that the painter makes inside the lips; chosen on the drivers of `bench cross`
_AS_FAR, _OTHERWISE = 0.25, 0.6  # by which share an opening differs: a source shows it, and does not
_BLUR = 1.0  # px over which the paint fades on the lips
_ACROSS = [0, 2, 3, 4, 6, 8, 9, 10]  # of the twelve points of the outer lips: those beside the eight of the inner ones
Array = NDArray[np.float32]
ArrayOrTensor = TypeVar("ArrayOrTensor", Array, Tensor)


class MouthPainter(nn.Module):
    """`config.mouth` channels wide. Its weights follow the person as G's do: psi = P e."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inner = replace(
            config, size=SIDE, stem=2, bottleneck=8, width=config.mouth, max_width=4 * config.mouth,
            same_blocks=3, encoder_attention=0, decoder_attention=0, spectral_norm=False,
        )  # fmt: skip
        self.network = Synthesizer(inner, inputs=CHANNELS, outputs=3, skips=True, embedding=config.max_width)
        for parameter in self.network.last.parameters():
            nn.init.zeros_(parameter)

    def project(self, embedding: Tensor) -> Tensor:
        """embedding: (B, N). Returns the painter's coefficients (B, c)."""
        return self.network.project(embedding)

    def forward(self, square: Tensor, lips: Tensor, psi: Tensor) -> Tensor:
        """square: (B, 3, 64, 64) in [-1, 1]; lips: (B, 3, 64, 64), see `lip_masks`. Returns the paint (B, 3, 64, 64) in
        [-1, 1]; the last of `lips` says where it is laid.
        """
        return torch.tanh(self.network(torch.cat([square, 2 * lips[:, :2] - 1], dim=1), psi))


def mouth_square(points: Tensor) -> tuple[Tensor, Tensor]:
    """points: (B, 68, 2) in [-1, 1]. Returns the square's centre and half of its upper side as a vector, (B, 2) each:
    it is level with the eyes, and as large as they are apart.
    """
    across = points[:, 45] - points[:, 36]
    length = across.norm(dim=1, keepdim=True)
    level = torch.where(length > _POINT, across / length.clamp_min(_POINT), across.new_tensor([1.0, 0.0]))
    return points[:, 60:68].mean(1), level * _HALF * length.clamp_min(_NARROWEST)


def square_axes(points: NDArray[np.floating]) -> tuple[Array, Array]:
    """`mouth_square` for one face (68, 2), without torch: the square's centre (2,), and from there to the middles of
    its right and its lower side (2, 2).
    """
    face = np.asarray(points, np.float32)
    across = face[45] - face[36]
    length = max(float(np.sqrt(across @ across)), 1e-12)
    level = across / np.float32(length) if length > _POINT else np.array([1, 0], np.float32)
    half = level * np.float32(_HALF * max(length, _NARROWEST))
    return face[60:68].mean(0), np.array([half, [-half[1], half[0]]], np.float32)


def square_grid(points: Tensor) -> Tensor:
    """points: (B, 68, 2) in [-1, 1]. Returns (B, 64, 64, 2): where in the picture each pixel of the square lies."""
    centre, half = mouth_square(points)
    down = torch.stack([-half[:, 1], half[:, 0]], dim=1)
    place = identity_grid(SIDE, points)  # (1, s, s, 2)
    return centre[:, None, None] + place[..., :1] * half[:, None, None] + place[..., 1:] * down[:, None, None]


def in_square(places: Tensor, points: Tensor) -> Tensor:
    """The reverse: places (B, h, w, 2) of the picture as places of the square, in [-1, 1] where they lie within."""
    centre, half = mouth_square(points)
    down = torch.stack([-half[:, 1], half[:, 0]], dim=1)
    offset = places - centre[:, None, None]
    axes = torch.stack([half, down], dim=2) / (half * half).sum(1)[:, None, None]  # (B, 2, 2)
    return torch.einsum("bhwc,bca->bhwa", offset, axes)


def lip_masks(points: NDArray[np.floating]) -> Array:
    """points: (68, 2) in [-1, 1] of the picture. Returns (3, 64, 64) in [0, 1] on the square: inside the inner lips,
    inside the outer lips, and how much is painted: all between the lips' middles. The last is 0 in a closed mouth.
    """
    centre, axes = square_axes(points)
    local = (np.asarray(points, np.float32)[48:68] - centre) @ axes.T / (axes[0] @ axes[0])  # (20, 2)
    pixels = ((local + 1) * SIDE - 1) / 2
    inner, outer = _filled(pixels[12:]), _filled(pixels[:12])
    soft = cv2.GaussianBlur(_filled((pixels[12:] + pixels[_ACROSS]) / 2), (0, 0), _BLUR)
    share = _smooth((float(inner_opening(points)) - _SHUT) / (_OPEN - _SHUT))
    return np.stack([inner, outer, soft * np.float32(share)])


def is_shut(points: NDArray[np.floating]) -> bool:
    """points: (68, 2). Whether nothing is painted, whatever is known: the last of `lip_masks` is 0."""
    return float(inner_opening(points)) <= _SHUT


def overdone(paint: ArrayOrTensor, square: ArrayOrTensor, inside: ArrayOrTensor) -> ArrayOrTensor:
    """paint and square: of one shape, in [-1, 1]; inside: how much of each pixel lies inside the inner lips. Returns
    the paint with more of what it changes there, in [-1, 1]: a painter that is unsure where teeth and dark begin keeps
    to the lips' colour, and an opening looks smaller than it is.
    """
    return (paint + (_OVERDONE - 1) * inside * (paint - square)).clip(-1, 1)


def unknown(points: NDArray[np.floating], sources: NDArray[np.floating]) -> float:
    """How much has to be painted inside the lips of `points` (68, 2), in [0, 1]: nothing where one of `sources`
    (T, 68, 2) opens its lips as far, all where each opens them less, or more.
    """
    off = float(np.abs(inner_opening(sources) / max(float(inner_opening(points)), 1e-6) - 1).min())
    return _smooth((off - _AS_FAR) / (_OTHERWISE - _AS_FAR))


def inner_opening(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(..., 68, 2) to (...): how far the inner lips are apart on the mean, in distances of the outer eye corners."""
    apart = np.linalg.norm(points[..., [61, 62, 63], :] - points[..., [67, 66, 65], :], axis=-1).mean(-1)
    return np.asarray(apart / np.linalg.norm(points[..., 45, :] - points[..., 36, :], axis=-1).clip(1e-6))


def _smooth(share: float) -> float:
    """0 below 0, 1 above 1, and between them without a corner."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _filled(pixels: NDArray[np.floating]) -> Array:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    corners = np.round(np.clip(pixels, -SIDE, 2 * SIDE) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(canvas, [corners], 255, cv2.LINE_AA, _SHIFT)
    return np.asarray(canvas, np.float32) / np.float32(255)


def read_square(picture: Tensor, points: Tensor) -> Tensor:
    """picture: (B, 3, H, W). Returns the square around the mouth (B, 3, 64, 64)."""
    return functional.grid_sample(picture, square_grid(points), padding_mode="border", align_corners=False)


def painted(picture: Tensor, paint: Tensor, share: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Lays paint and share, both on the square, over `picture` (B, 3, H, W). Returns the picture, and the share as it
    lies there (B, 1, H, W).
    """
    places = in_square(identity_grid(picture.shape[-1], picture).expand(len(picture), -1, -1, -1), points)
    layer = functional.grid_sample(torch.cat([paint, share], 1), places, padding_mode="zeros", align_corners=False)
    where = layer[:, 3:]
    return picture + where * (layer[:, :3] - picture), where
