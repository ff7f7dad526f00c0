"""Lids and irises of a finished frame. In: a frame, the landmarks it was meant to show and the sitter's gaze. Out: the
frame with the eyes as far closed as the landmarks have them, and the irises where the gaze has them.

A warp squeezes an eye that closes, iris and all, and knows no gaze. So the warp is asked for eyes that are nearly open,
and here a lid slides over the eyeball: its edge moves as it is, the skin behind it stretches, and what is left of the
eyeball stays in its place. The iris moves within the lids as a disc, and the white beside it is stretched or pressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from generator.motion.eyes import LIDS, face_size
from generator.motion.track import Landmarks
from generator.networks.warp import nearest
from sfumato.media.landmarks.iris import CORNERS, Eye, EyeReader, in_axes

_WIDENS = 0.2  # a warp and its network open an eye by a fifth of what they are asked for, and close none: measured
_BROWS = (slice(17, 22), slice(22, 27))
_SHUT = 0.12  # share of the eye's opening that lies below the line on which the lids meet: the lower one rises that far
_RIM = 0.03  # eye widths of the eyeball's edge that move with an open lid, its shadow; of a shut one nothing is left
_EDGE = 0.08  # eye widths below a lower lid that are not shown once it is shut: as far as it is read too high
_LASHES = 0.05  # eye widths behind a lid's edge that move as they are
_ABOVE, _BELOW = 0.42, 0.3  # eye widths behind an edge that stretch, where there is that much room
_LIT, _FADE = 0.6, 0.08  # share of the light that a lid gains as it unfolds; eye widths over which that fades
_REACH = 0.75  # eye widths from the middle to the sides of what may change
_FARTHEST = 0.3  # eye widths: beyond it no iris goes
_OPEN = 0.93  # share of the portrait's own opening from which on lids stay: a turned head's landmarks are no more exact
_LEAST = 0.004  # eye widths, a tenth of a pixel at 256: irises that move less stay
Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Curve = tuple[float, float, float]  # of u: (1 - 4 u^2) (a + b u + c u^2)


@dataclass(frozen=True)
class _Sitter:
    """One eye of one portrait, in the axes of its corners among the landmarks. `upper`, `lower`: the lids; top: the
    highest place of the upper one; iris: (2,); radius: in eye widths; apart: the lids of the landmarks, and width: of
    the eye, in sizes of the face; room: from the upper lid to the brow, in eye widths.
    """

    upper: Curve
    lower: Curve
    top: float
    iris: Array
    radius: float
    apart: float
    width: float
    room: float


class Eyes:
    """The eyes of one person. Nothing changes after it is made: several threads may paint at once."""

    def __init__(self, portraits: Sequence[Image], landmarks: Sequence[Landmarks]) -> None:
        """portraits: (R, R, 3) RGB each; landmarks: (68, 2) in [-1, 1] each. An eye that is closed, hidden or not read
        well is left as the warp has it.
        """
        reader = EyeReader()
        self._sitters = [_read(reader, *portrait) for portrait in zip(portraits, landmarks, strict=True)]
        self._landmarks = torch.from_numpy(np.stack(landmarks).astype(np.float32))
        self._first = np.asarray(landmarks[0], np.float64)
        self._own = _lids_apart(self._first)

    def for_warp(self, landmarks: Landmarks) -> Landmarks:
        """The landmarks with eyes at least as far open as in the first portrait."""
        changed = None
        for eye, share in enumerate(self._shares(landmarks)):
            if self._sitters[0][eye] is not None and share < 1:
                changed = np.array(landmarks, np.float32) if changed is None else changed
                _open_as(self._first, changed, eye)
        return landmarks if changed is None else changed

    def _shares(self, landmarks: Landmarks) -> NDArray[np.float64]:
        """(2,): how far each eye is open, 1 as in the first portrait and more, or a little less."""
        return np.minimum(_lids_apart(landmarks) / np.maximum(_OPEN * self._own, 1e-6), 1.0)

    def paint(self, frame: Image, landmarks: Landmarks, gaze: NDArray[Any] | None = None) -> Image:
        """frame: (S, S, 3), made of `for_warp(landmarks)`; landmarks: (68, 2) in [-1, 1]; gaze: (2, 2), how far each
        iris moves from where the first portrait has it, in eye widths, or None: not at all. Returns the frame, or a
        changed copy.
        """
        pixels = ((np.asarray(landmarks, np.float64) + 1) * len(frame) - 1) / 2
        nearby, result = self._nearest(landmarks), frame
        apart = np.maximum(_lids_apart(landmarks), self._own)  # in the frame
        for eye, share in enumerate(self._shares(landmarks).tolist()):
            first, sitter = self._sitters[0][eye], self._sitters[nearby][eye]
            if first is None or sitter is None:
                continue
            shift = np.zeros(2) if gaze is None else first.iris - sitter.iris + np.asarray(gaze[eye], np.float64)
            if share >= 1 and np.abs(shift).max() < _LEAST:
                continue
            result = frame.copy() if result is frame else result
            left, right = pixels[list(CORNERS[eye])]
            height = sitter.width / max(float(np.hypot(*(right - left)) / face_size(pixels)), 1e-6)
            height *= 1 + _WIDENS * float(np.clip(apart[eye] / max(sitter.apart, 1e-6) - 1, -0.5, 0.5))
            _paint(frame, result, _Place(left, right, float(height)), sitter, share, shift)
        return result

    def _nearest(self, landmarks: Landmarks) -> int:
        """The portrait that a frame is made of, above all."""
        if len(self._sitters) == 1:
            return 0
        target = torch.from_numpy(np.asarray(landmarks, np.float32))
        return int(nearest(self._landmarks[None], target[None], 1)[0, 0])


def _open_as(portrait: NDArray[np.float64], landmarks: Landmarks, eye: int) -> None:
    """Parts the lids of an eye of `landmarks`, in place, as `portrait` has them, around their own middles."""
    left, right = CORNERS[eye]
    here, there = (points[right].astype(np.float64) - points[left] for points in (landmarks, portrait))
    turn = complex(*here) / (complex(*there) or 1.0)
    turn *= float(face_size(landmarks) / face_size(portrait)) / max(abs(turn), 1e-9)
    for upper, lower in LIDS[eye]:
        middle, half = (
            (landmarks[upper] + landmarks[lower]) / 2,
            turn * complex(*(portrait[lower] - portrait[upper])) / 2,
        )
        apart = np.array([half.real, half.imag], np.float32)
        landmarks[upper], landmarks[lower] = middle - apart, middle + apart


def _lids_apart(landmarks: NDArray[Any]) -> NDArray[np.float64]:
    """(2,): how far the lids of each eye of (68, 2) landmarks are apart, in sizes of the face."""
    points = np.asarray(landmarks, np.float64)
    upper, lower = (points[[[pair[side] for pair in eye] for eye in LIDS]] for side in (0, 1))  # (2, 2, 2) each
    apart: NDArray[np.float64] = np.linalg.norm(upper - lower, axis=-1).mean(axis=1) / face_size(points)
    return apart


def _read(reader: EyeReader, image: Image, landmarks: NDArray[Any]) -> tuple[_Sitter | None, _Sitter | None]:
    pixels = ((np.asarray(landmarks, np.float64) + 1) * len(image) - 1) / 2
    left, right = (_sitter(eye, pixels, which) for which, eye in enumerate(reader.read(image, pixels)))
    return left, right


def _sitter(eye: Eye, pixels: NDArray[np.float64], which: int) -> _Sitter | None:
    """None where the reading makes no eye: lids that nearly touch, or corners that are not where the landmarks are."""
    left, right = pixels[list(CORNERS[which])]
    upper, lower = in_axes(eye.upper, left, right), in_axes(eye.lower, left, right)
    iris = in_axes(eye.iris[None], left, right)[0]
    width = float(np.hypot(*(right - left)))
    radius = eye.radius / max(width, 1e-6)
    corners = np.linalg.norm(upper[[0, -1]] - ((-0.5, 0), (0.5, 0)), axis=1).max()
    if eye.opening < 0.1 or corners > 0.3 or not 0.08 < radius < 0.35 or abs(iris[0]) > 0.4:
        return None
    upper_curve, lower_curve = _curve(upper), _curve(lower)
    brow = in_axes(pixels[_BROWS[which]], left, right)
    top = float(_heights(upper_curve, np.linspace(-0.3, 0.3, 13, dtype=np.float32)).min())
    room = top - float(brow[:, 1].max())
    size = float(face_size(pixels))
    return _Sitter(upper_curve, lower_curve, top, iris, radius, float(_lids_apart(pixels)[which]), width / size, room)


def _curve(lid: Array) -> Curve:
    """The curve through nine points of a lid, (9, 2), that is 0 at both corners."""
    x = np.clip(lid[1:-1, 0].astype(np.float64), -0.48, 0.48)
    base = (1 - 4 * x**2)[:, None] * np.stack([np.ones(7), x, x**2], axis=-1)
    a, b, c = np.linalg.lstsq(base, lid[1:-1, 1].astype(np.float64), rcond=None)[0]
    return float(a), float(b), float(c)


def _heights(curve: Curve, u: Array, height: float = 1.0) -> Array:
    """How low a lid lies at places along the eye; `height` times as low as its curve."""
    a, b, c = (np.float32(height * factor) for factor in curve)
    return np.asarray(np.maximum(1 - 4 * u * u, 0) * (a + u * (b + c * u)))


@dataclass(frozen=True)
class _Place:
    """Where an eye lies in a frame: its corners in px, and how many times as high it is as in its portrait."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    height: float

    @property
    def width(self) -> float:
        """In px."""
        return float(np.hypot(*(self.right - self.left)))


def _paint(frame: Image, result: Image, place: _Place, sitter: _Sitter, share: float, shift: NDArray[Any]) -> None:
    """Paints one eye of `frame` into `result`. Beside its corners, and far from its lids, places stay what they are."""
    box = _box(place, len(frame))
    if box is None:
        return
    (left, top, right, bottom), (u, v) = box, _axes(place, box)
    upper, lower = (_heights(lid, u, place.height) for lid in (sitter.upper, sitter.lower))
    pixels, shown = np.float32(place.width), frame[top:bottom, left:right]
    painted = shown.astype(np.float32)
    if np.abs(shift).max() >= _LEAST:
        moved = _sample(frame, place, *_moved_iris(u, v, upper, lower, place.height, sitter, shift))
        painted = _mix(painted, moved, np.minimum(v - upper, lower - v) * (0.5 * pixels))  # the lids stay
    if share < 1:
        meeting = lower - np.float32(_SHUT) * (lower - upper)
        over, under = meeting + share * (upper - meeting), meeting + share * (lower - meeting)
        rim = np.minimum(np.float32(_RIM), 0.3 * (lower - upper))
        room = float(np.clip(sitter.room, 0.12 / place.height, _ABOVE)) * place.height
        room = max(min(room, _REACH - 0.02 + place.height * sitter.top), 2 * _LASHES)
        above, below = over + rim * share - v, v - under
        lid = _sample(frame, place, u, upper + rim * share - _stretched(above, over - upper, room))
        edge = np.maximum(0.7 * rim, np.minimum(np.float32((1 - share) * _EDGE), 0.8 * (lower - upper)))
        cheek = _sample(frame, place, u, lower + _stretched(np.maximum(below, edge), lower - under, _BELOW))
        painted = _mix(painted, cheek, below * pixels + 0.5)
        painted = _mix(painted, _unfolded(lid, shown, u, v, upper, over, lower), above * pixels + 0.5)
    result[top:bottom, left:right] = np.rint(painted.clip(0, 255))  # a lid may be lit beyond white


def _unfolded(lid: Array, shown: Image, u: Array, v: Array, upper: Array, over: Array, lower: Array) -> Array:
    """The skin of a lid that has come down, out of the shade of the fold it comes from: as light as what lies below the
    eye, nearly; its lashes and corners stay.
    """
    middle = np.abs(u) < 0.35
    covered, below = middle & (v > upper) & (v < over - _LASHES), middle & (v > lower + 0.06) & (v < lower + 0.2)
    if covered.sum() < 4 or below.sum() < 4:
        return lid
    lift = _LIT * np.maximum(shown[below].mean(axis=0) - lid[covered].mean(axis=0), 0)
    depth = np.minimum(v - upper, over - _LASHES - v) / np.float32(_FADE)
    light = np.clip(depth, 0, 1).astype(np.float32)
    return np.asarray(lid + cv2.merge([light * np.float32(gain) for gain in lift]))


def _stretched(distance: Array, travel: Array, room: float) -> Array:
    """How far behind a lid's edge the skin comes from that is to lie `distance` behind it, when the edge has moved by
    `travel`: as it is near the edge, then stretched, and in place from `room` behind the edge's old place on.
    """
    whole, own = room + np.abs(travel) - _LASHES, np.float32(room - _LASHES)  # what is to be filled, and with what
    along = np.clip((distance - _LASHES) / whole, 0, 1)
    slope = np.minimum(whole / own, 2.9)  # the curve rises all the way up to a slope of 3 at its ends
    curve = along * (slope + along * ((3 - 3 * slope) + along * (2 * slope - 2)))
    stretched = _LASHES + own * curve
    beyond = distance - np.abs(travel)
    return np.where(distance < _LASHES, distance, np.where(along >= 1, beyond, stretched)).astype(np.float32)


def _moved_iris(
    u: Array, v: Array, upper: Array, lower: Array, height: float, sitter: _Sitter, shift: NDArray[Any]
) -> tuple[Array, Array]:
    """Where in the frame each place of the eyeball comes from: within the iris' disc from where the disc was, beside
    it from the same share of the way to the corner, and of that from lid to lid.
    """
    x, y = float(sitter.iris[0]), height * float(sitter.iris[1])
    disc = 1.1 * sitter.radius
    limit = max(0.5 - 0.8 * disc, abs(x))
    goal = float(np.clip(x + np.clip(shift[0], -_FARTHEST, _FARTHEST), -limit, limit))
    down = np.float32(np.clip(shift[1], -0.6 * sitter.radius, 0.6 * sitter.radius))
    knots = [-_REACH, goal - disc, goal + disc, _REACH]
    from_u = np.interp(u, knots, [-_REACH, x - disc, x + disc, _REACH]).astype(np.float32)
    from_upper, from_lower = (_heights(lid, from_u, height) for lid in (sitter.upper, sitter.lower))
    apart = from_lower - from_upper
    beside = from_upper + (v - upper) * apart / np.maximum(lower - upper, np.float32(0.02))
    away = cv2.magnitude(u - np.float32(goal), v - down - np.float32(y)) * np.float32(1 / disc)
    within = np.clip(3 - 2 * away, 0, 1)  # 1 in the disc, 0 from half its radius outside
    from_v = beside + within * (v - down - beside)
    rim = np.minimum(np.float32(_RIM), np.float32(0.3) * apart)
    return from_u, np.clip(from_v, from_upper + rim, from_lower - rim)


def _box(place: _Place, size: int) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom in px of what may change; None where nothing of it lies in the frame."""
    middle, reach = (place.left + place.right) / 2, _REACH * place.width
    low, high = np.floor(middle - reach).clip(0, size), np.ceil(middle + reach).clip(0, size)
    if not np.isfinite([*low, *high]).all() or (high - low).min() < 2 or place.width < 4:
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _axes(place: _Place, box: tuple[int, int, int, int]) -> tuple[Array, Array]:
    """(u, v) of each pixel of the box, see `Eye.place`."""
    left, top, right, bottom = box
    x, y = np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32))
    middle, (a, b) = (place.left + place.right) / 2, (place.right - place.left) / place.width**2
    x, y = x - np.float32(middle[0]), y - np.float32(middle[1])
    return np.float32(a) * x + np.float32(b) * y, np.float32(a) * y - np.float32(b) * x


def _sample(frame: Image, place: _Place, u: Array, v: Array) -> Array:
    """The frame at places in the eye's axes, (h, w, 3)."""
    middle, (a, b) = (place.left + place.right) / 2, place.right - place.left
    x, y = np.float32(a) * u - np.float32(b) * v, np.float32(b) * u + np.float32(a) * v
    x, y = x + np.float32(middle[0]), y + np.float32(middle[1])
    return np.asarray(cv2.remap(frame, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _mix(under: Array, over: Array, share: Array) -> Array:
    """`over` where `share` is 1 and more, `under` where it is 0 and less."""
    part = np.clip(share, 0, 1)
    return np.asarray(under + cv2.merge([part, part, part]) * (over - under))
