"""Laughter. In: a temperament and chance. Out: bursts, and what face and head do in them.

A laugh is a breath let out in pieces, four to five a second, each weaker than the one before (Bachorowski & Owren
2001); the head goes back as it begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.acting.curves import Draw, Track, bump, ease, since
from generator.acting.temperament import Temperament

_OPEN = 0.155  # heights of the face that the mouth opens
_QUICK = 0.30  # seconds until it is there


@dataclass(frozen=True)
class Burst:
    """start, length: seconds; strength: 0 to 1; rate: pieces a second."""

    start: float
    length: float
    strength: float
    rate: float


@dataclass(frozen=True)
class Laugh:
    """Tracks (F,). opening: heights of the face; mirth: 0 to 1, what eyes and cheeks do; back: degrees; bounce: -1
    to 1, what shoulders do.
    """

    opening: Track
    mirth: Track
    back: Track
    bounce: Track


def compose_laughter(temperament: Temperament, draw: Draw, length: float) -> list[Burst]:
    """Bursts within the loop; none for who does not laugh."""
    count = round(temperament.laughs * length / 60)
    bursts, at = list[Burst](), 0.9
    for index in range(count):
        room = (length - 1.2 - at) / (count - index)
        takes = min(draw.between(0.62, 0.8) * room, 2.2)
        bursts.append(Burst(at, takes, draw.between(0.85, 1.0) if index == 0 else draw.between(0.55, 0.8), 4.6))
        at += room
    return bursts


def laugh(bursts: list[Burst], times: Track, length: float) -> Laugh:
    """What face and head do in `bursts`."""
    opening, mirth, back, bounce = (np.zeros(len(times)) for _ in range(4))
    for burst in bursts:
        after = since(times, burst.start, length)
        whole = bump(after, _QUICK, burst.length - _QUICK, 0.55)
        fading = 1 - 0.45 * ease((after - _QUICK) / burst.length)
        piece = np.cos(2 * np.pi * burst.rate * (after - _QUICK)) * whole * fading
        opening += _OPEN * burst.strength * (0.74 * whole * fading + 0.26 * piece)
        mirth = np.maximum(mirth, burst.strength * bump(after + 0.1, 0.4, burst.length - 0.2, 0.9))
        back += 7.0 * burst.strength * bump(after + 0.05, 0.5, burst.length - 0.6, 0.9)
        bounce += burst.strength * piece
    return Laugh(np.maximum(opening, 0), mirth, back, bounce)
