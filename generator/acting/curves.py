"""How parts of a face move over time. In: times in seconds on a loop of `length`. Out: values at those times.

A loop has no end: what begins before it goes on at its start, so the last frame leads to the first.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Track = NDArray[np.float64]  # (F,), a number a frame


class Draw:
    """Random numbers that stay the same for a seed, whatever the version of Python or NumPy: `random.Random.random` is
    the one generator that promises it.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def between(self, low: float, high: float) -> float:
        """Any number from `low` to `high`, all alike."""
        return low + (high - low) * self._random.random()

    def happens(self, chance: float) -> bool:
        """True in `chance` of all draws."""
        return self._random.random() < chance

    def one_of(self, things: Sequence[Any]) -> Any:
        """One of `things`."""
        return things[min(int(self._random.random() * len(things)), len(things) - 1)]


def ease(share: NDArray[Any] | float) -> Track:
    """The way from 0 to 1 with the least jerk (Flash & Hogan 1985), as heads and hands go; 0 before it and 1 after."""
    s = np.clip(np.asarray(share, np.float64), 0.0, 1.0)
    return np.asarray(s * s * s * (10 - 15 * s + 6 * s * s))


def since(times: Track, start: float, length: float) -> Track:
    """Seconds since `start`, by the shorter way round the loop: from -length / 2 on."""
    return np.asarray((times - start + length / 2) % length - length / 2)


def bump(after: Track, rise: float, hold: float, fall: float) -> Track:
    """From 0 to 1 in `rise` seconds, there for `hold`, and back in `fall`. `after`: seconds since it began."""
    return np.asarray(ease(after / rise) * (1 - ease((after - rise - hold) / fall)))


def through(times: Track, length: float, keys: Sequence[tuple[float, float]]) -> Track:
    """Eased from each of `keys` (time, value) to the next, and from the last to the first of the next round."""
    if not keys:
        return np.zeros(len(times))
    keys = sorted(keys)
    keys = [(keys[-1][0] - length, keys[-1][1]), *keys, (keys[0][0] + length, keys[0][1])]
    at, values = (np.array(part) for part in zip(*keys, strict=True))
    before = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 2)
    share = (times - at[before]) / np.maximum(at[before + 1] - at[before], 1e-6)
    return np.asarray(values[before] + (values[before + 1] - values[before]) * ease(share))


def steps(times: Track, length: float, moves: Sequence[tuple[float, float, float]]) -> Track:
    """Rests, and moves between them: `moves` are (when it begins, seconds it takes, value it comes to), in order."""
    keys = [(at, moves[index - 1][2]) for index, (at, _, _) in enumerate(moves)]
    return through(times, length, [*keys, *((at + takes, value) for at, takes, value in moves)])


def blended(times: Track, length: float, keys: Sequence[tuple[float, float, float]], width: float) -> Track:
    """What slow parts do of what `keys` ask, (time, value, weight): near each other they share a Gaussian of `width`
    seconds, so a part is on its way before its time and late to leave; far from all of them the value is 0.
    """
    above, below = np.zeros(len(times)), np.full(len(times), 0.15)
    for at, value, weight in keys:
        near = weight * np.exp(-0.5 * (since(times, at, length) / width) ** 2)
        above, below = above + near * value, below + near
    return np.asarray(above / below)


def wander(times: Track, length: float, draw: Draw, slowest: int = 1, fastest: int = 7) -> Track:
    """What is never quite still, of about 1: waves that go round the loop whole times, slow ones larger."""
    total = np.zeros(len(times))
    for cycles in range(slowest, fastest):
        total += np.sin(2 * np.pi * (cycles * times / length + draw.between(0, 1))) / cycles
    return total
