"""Blinks and looks. In: where the head turns, and chance. Out: how far lids are open, and where the irises are.

A lid falls in 80 ms and rises in 200 (Evinger et al. 1991). Eyes jump and rest; a jump takes 21 ms and 2.2 more a
degree (Bahill et al. 1975). They jump before the head turns and turn back in it as it follows: what is looked at
stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.acting.curves import Draw, Track, bump, since, steps
from generator.acting.temperament import Temperament

_FALL, _SHUT, _RISE = 0.080, 0.030, 0.200
_EYEBALL = 0.40  # its radius, in widths of the open eye: 12 mm of 30
_FARTHEST = 24.0  # degrees that an eye turns in its head, at most
_LID_FOLLOWS = 0.011  # of its opening a degree: who looks down has lower lids


@dataclass(frozen=True)
class Look:
    """From `at` seconds on the eyes rest on a place `right` and `down` of straight ahead of the shoulders, degrees."""

    at: float
    right: float
    down: float


def compose_blinks(
    temperament: Temperament, draw: Draw, length: float, moments: list[float], frame: float
) -> list[float]:
    """When lids begin to fall: where something ends or turns (`moments`), and every so often. `frame`: seconds of a
    frame, on which lids are to be shut, or none would show them so.
    """
    blinks = list[float]()
    for at in sorted({*moments, *np.arange(0.6, length - 0.5, 0.15).tolist()}):
        told = any(abs(at - moment) < 1e-9 for moment in moments)
        gap = min((at - last for last in blinks), default=at + 0.5 * temperament.blink)
        chance = 0.75 * (gap > 0.5 * temperament.blink) if told else gap > temperament.blink * draw.between(0.9, 1.2)
        if gap > 0.9 and draw.happens(float(chance)) and at < length - 0.4:
            blinks.append(round((at + _FALL) / frame) * frame - _FALL)
    return blinks


def compose_looks(
    temperament: Temperament, draw: Draw, length: float, turns: list[tuple[float, float, float]]
) -> list[Look]:
    """Where the eyes go: to whoever is looked at, or where the head will turn, `turns` (when, right, down); and small
    looks between. The first is straight ahead, and so is the last.
    """
    looks = [Look(0.0, 0.0, 0.0)]
    for at, right, down in turns:
        away = 0.0 if draw.happens(0.5) else draw.between(0.9, 1.3)
        aside = draw.between(-0.5, 0.5) * temperament.glance
        looks.append(Look(at - 0.09, away * right + (aside if away else 0.2 * aside), away * down))
    looks.sort(key=lambda look: look.at)
    between = list[Look]()
    for look, following in zip(looks, [*looks[1:], Look(length - 0.3, 0, 0)], strict=True):
        at = look.at + draw.between(0.5, 0.9)
        while at < following.at - 0.4:
            far = draw.happens(0.3)
            right = draw.between(0.6, 1.0) * temperament.glance * draw.one_of((-1, 1)) if far else draw.between(-2, 2)
            down = draw.between(-0.5, 0.4) * temperament.glance if far else draw.between(-1.0, 1.0)
            between.append(Look(at, (0.0 if far else look.right) + right, (0.0 if far else look.down) + down))
            at += draw.between(0.35, 0.6) if far else draw.between(0.6, 1.1)
            between.append(Look(at, look.right, look.down))
            at += draw.between(0.7, 1.3)
    return sorted([*looks, *between, Look(length - 0.25, 0.0, 0.0)], key=lambda look: look.at)


def gaze(looks: list[Look], yaw: Track, pitch: Track, times: Track, length: float) -> NDArray[np.float64]:
    """(F, 2): where the irises lie in a head turned by `yaw` and `pitch` (degrees), in eye widths, right and down."""
    parts = list[Track]()
    for axis, head in (("right", yaw), ("down", pitch)):
        moves, before = list[tuple[float, float, float]](), looks[-1]
        for look in looks:
            way = float(np.hypot(look.right - before.right, look.down - before.down))
            moves.append((look.at, 0.021 + 0.0022 * way, getattr(look, axis)))
            before = look
        turned = np.clip(steps(times, length, moves) - head, -_FARTHEST, _FARTHEST)
        parts.append(_EYEBALL * np.sin(np.radians(turned)))
    return np.stack(parts, axis=-1)


def lids(blinks: list[float], looking: NDArray[np.float64], mirth: Track, times: Track, length: float) -> Track:
    """(F,): how far eyes are open, 1 as usual. looking: `gaze`; mirth: 0 to 1, which narrows them."""
    down = np.degrees(np.arcsin(np.clip(looking[:, 1] / _EYEBALL, -1, 1)))
    opening = (1 - 0.42 * mirth) * (1 - _LID_FOLLOWS * down)
    for blink in blinks:
        opening = opening * (1 - bump(since(times, blink, length), _FALL, _SHUT, _RISE))
    return np.asarray(opening)
