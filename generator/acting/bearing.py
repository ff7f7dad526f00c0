"""The head: turns, nods, breath. In: a temperament, what is said, chance. Out: how the head is turned over time.

Turns go the way of least jerk, and larger ones take longer. Speakers nod on what they stress, and turn as a phrase
begins (Hadar et al. 1983).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.acting.curves import Draw, Track, bump, since, steps, wander
from generator.acting.speech import Phrase
from generator.acting.temperament import Temperament

_BREATH = 3.6  # seconds, about
_NOD_RISE, _NOD_FALL = 0.12, 0.26  # seconds


@dataclass(frozen=True)
class Turn:
    """At `at` seconds the head begins to turn to `yaw`, `pitch`, `roll`: degrees right, down, clockwise."""

    at: float
    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True)
class Bearing:
    """Tracks (F,). yaw, pitch, roll: degrees; rise: how much higher the head is, in heights of the face."""

    yaw: Track
    pitch: Track
    roll: Track
    rise: Track


def compose_turns(temperament: Temperament, draw: Draw, length: float, phrases: list[Phrase]) -> list[Turn]:
    """Turns to one side and the other, where a phrase begins if one does; the last brings the head back."""
    turns, at, side = list[Turn](), draw.between(0.35, 0.6), draw.one_of((-1, 1))
    while at < length - 1.5:
        begins = min((phrase.start for phrase in phrases), key=lambda start: abs(start - at), default=at)
        at = begins if 0 <= begins - at < 0.35 else at
        yaw = side * temperament.turn * draw.between(0.55, 1.0)
        pitch = temperament.turn * draw.between(-0.25, 0.22)
        turns.append(Turn(at, yaw, pitch, -0.22 * yaw + draw.between(-1.5, 1.5)))
        side = -side if draw.happens(0.8) else side
        at += draw.between(*temperament.hold)
    return [*turns, Turn(min(at, length - 1.0), 0.0, 0.0, 0.0)]


def bear(
    turns: list[Turn], phrases: list[Phrase], temperament: Temperament, draw: Draw, times: Track, length: float
) -> Bearing:
    """How the head is turned."""
    yaw, pitch, roll = (steps(times, length, _moves(turns, axis)) for axis in ("yaw", "pitch", "roll"))
    for phrase in phrases:
        for syllable in phrase.syllables:
            nod = bump(since(times, syllable.middle - _NOD_RISE, length), _NOD_RISE, 0.02, _NOD_FALL)
            pitch = pitch + temperament.nod * max(syllable.stress - 0.4, 0.0) / 0.6 * draw.between(0.5, 1.1) * nod
            yaw = yaw + temperament.nod * draw.between(-0.5, 0.5) * syllable.stress * nod
    breath = np.sin(2 * np.pi * max(1, round(length / _BREATH)) * times / length)
    yaw = yaw + 0.55 * temperament.sway * wander(times, length, draw)
    pitch = pitch + 0.40 * temperament.sway * wander(times, length, draw) - 0.35 * breath
    roll = roll + 0.40 * temperament.sway * wander(times, length, draw)
    return Bearing(yaw, pitch, roll, 0.006 * breath)


def _moves(turns: list[Turn], axis: str) -> list[tuple[float, float, float]]:
    moves, before = list[tuple[float, float, float]](), turns[-1]
    for turn in turns:
        takes = 0.40 + 0.024 * abs(turn.yaw - before.yaw)
        moves.append((turn.at, takes, getattr(turn, axis)))
        before = turn
    return moves
