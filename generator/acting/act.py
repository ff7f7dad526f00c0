"""A motion that nobody made. In: a temperament, a seed, a length. Out: a `Motion` of the canonical face that talks,
laughs, turns, blinks and looks about, and whose end leads to its start.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.acting.bearing import Bearing, bear, compose_turns
from generator.acting.curves import Draw, Track, bump, ease, since, wander
from generator.acting.eyes import compose_blinks, compose_looks, gaze, lids
from generator.acting.face import Expression, pose_face
from generator.acting.laughter import compose_laughter, laugh
from generator.acting.speech import Phrase, compose_speech, speak
from generator.acting.temperament import Temperament
from generator.motion.track import Motion
from sfumato.errors import UsageError

RATE = 25.0  # frames a second
SHORTEST, LONGEST = 3.0, 120.0  # seconds
_GRID = 2.0**16  # steps of a number that is kept: .002 px at 256, so what a processor rounds otherwise is not seen


def act(temperament: Temperament, seed: int | None = None, seconds: float | None = None) -> Motion:
    """A motion of `seconds` at 25 frames a second; seed, seconds: the temperament's own unless given. The same for the
    same arguments. Raises UsageError for a length outside 3 to 120 seconds.
    """
    seed, seconds = temperament.seed if seed is None else seed, seconds or temperament.seconds
    if not SHORTEST <= seconds <= LONGEST:
        raise UsageError(f"{seconds:g} s is no length for a motion", f"Choose {SHORTEST:g} to {LONGEST:g} seconds.")
    count = round(seconds * RATE)
    times, length = np.arange(count) / RATE, count / RATE
    draw = Draw(f"{temperament.name} {seed}")
    phrases = compose_speech(temperament, draw, length)
    bursts = compose_laughter(temperament, draw, length)
    turns = compose_turns(temperament, draw, length, phrases)
    looks = compose_looks(temperament, draw, length, [(turn.at, turn.yaw, turn.pitch) for turn in turns[:-1]])
    moments = [*(phrase.end for phrase in phrases), *(turn.at for turn in turns), *(b.start + b.length for b in bursts)]
    blinks = compose_blinks(temperament, draw, length, moments, 1 / RATE)

    mouth, laughing = speak(phrases, temperament, times, length), laugh(bursts, times, length)
    head = bear(turns, phrases, temperament, draw, times, length)
    smile = _smile(temperament, draw, times, length, laughing.mirth)
    head = Bearing(
        head.yaw, head.pitch - laughing.back + 0.8 * laughing.bounce, head.roll, head.rise + 0.010 * laughing.bounce
    )
    looking = gaze(looks, head.yaw, head.pitch, times, length)
    mirth = np.maximum(laughing.mirth, 0.45 * smile.mean(axis=1))
    expression = Expression(
        mouth.opening + laughing.opening,
        mouth.jaw + laughing.opening,
        mouth.spread,
        mouth.rounding,
        mouth.pressing,
        smile,
        _brows(phrases, temperament, draw, times, length, laughing.mirth),
        lids(blinks, looking, mirth, times, length),
    )
    points = _kept(pose_face(expression, head))
    depth = points[..., 2]
    both = _kept(np.repeat(looking[:, None], 2, axis=1) - looking[:1, None])
    return Motion(
        points[..., :2], times, 0, "mesh", temperament.name,
        depth=_kept(depth - depth.mean(axis=1, keepdims=True)), gaze=both,
    )  # fmt: skip


def _smile(temperament: Temperament, draw: Draw, times: Track, length: float, mirth: Track) -> NDArray[np.float64]:
    """(F, 2): it comes after the start and goes before the end, one half a little before the other."""
    level = temperament.smile * (0.85 + 0.15 * wander(times, length, draw, 1, 4))
    halves = []
    for late in (0.0, draw.between(0.03, 0.09)):
        there = ease((times - 0.15 - late) / 0.9) * (1 - ease((times - length + 1.0 + late) / 0.9))
        halves.append(np.maximum(level * there, 1.15 * mirth))
    return np.stack(halves, axis=-1)


def _brows(
    phrases: list[Phrase], temperament: Temperament, draw: Draw, times: Track, length: float, mirth: Track
) -> NDArray[np.float64]:
    """(F, 2): raised on some of what is stressed and as one begins to speak, a little lower in laughter."""
    raised = -0.12 * mirth
    for phrase in phrases:
        for index, syllable in enumerate(phrase.syllables):
            if syllable.stress > 0.6 and draw.happens(0.6 if index == 0 else 0.3):
                height = temperament.brows * draw.between(0.5, 1.0)
                raised = np.maximum(
                    raised, height * bump(since(times, syllable.start - 0.08, length), 0.18, 0.12, 0.35)
                )
    return np.stack([raised, raised * 0.88], axis=-1)


def _kept(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(np.rint(values * _GRID) / _GRID, np.float32)
