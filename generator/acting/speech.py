"""Talk without words. In: a temperament and chance. Out: phrases of syllables, and what the mouth does for them.

A syllable is a consonant and a vowel, three to six a second. Lips meet for p, b and m while the jaw is still open;
width and rounding belong to the vowels, begin before them and outlast them (coarticulation: Ohman 1966); stressed
syllables are longer and wider open, and the last of a phrase is drawn out. Between phrases there is breath.
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.acting.curves import Draw, Track, blended, through
from generator.acting.temperament import Temperament

# how far the lips part, in heights of the face (between the eyes to the chin); spread, 1 in "see"; rounded, 1 in "you"
_VOWELS = {
    "a": (0.150, 0.35, 0.0),
    "ae": (0.132, 0.70, 0.0),
    "e": (0.100, 0.60, 0.0),
    "i": (0.056, 1.00, 0.0),
    "o": (0.095, 0.0, 0.65),
    "u": (0.048, 0.0, 1.00),
    "schwa": (0.070, 0.25, 0.0),
}
# how far they part; how much of a pressing it is, 1 for both lips; rounded
_CONSONANTS = {
    "m": (0.0, 1.0, 0.0),
    "b": (0.0, 1.0, 0.0),
    "f": (0.012, 0.5, 0.0),
    "t": (0.030, 0.0, 0.0),
    "s": (0.024, 0.0, 0.0),
    "l": (0.048, 0.0, 0.0),
    "k": (0.050, 0.0, 0.0),
    "sh": (0.032, 0.0, 0.5),
    "w": (0.016, 0.0, 1.0),
}
_OFTEN_VOWELS = ("a", "a", "ae", "e", "e", "i", "i", "o", "o", "u", "schwa", "schwa")
_OFTEN_CONSONANTS = ("m", "b", "b", "f", "t", "t", "s", "l", "k", "k", "sh", "w")
_QUICKEST = 2.1  # heights of the face a second at which lips part, at most: short vowels stay narrow (Lindblom 1963)
_STEEPEST = 1.875  # how much faster than in the mean an eased way is in its middle
_PARTED = 0.010  # lips of somebody who is about to go on


@dataclass(frozen=True)
class Syllable:
    """start, length: seconds; stress: 0 none, 1 full."""

    start: float
    length: float
    consonant: str
    vowel: str
    stress: float

    @property
    def middle(self) -> float:
        """When the vowel is at its fullest."""
        return self.start + 0.55 * self.length


@dataclass(frozen=True)
class Phrase:
    """What is said in one breath; never empty."""

    syllables: tuple[Syllable, ...]

    @property
    def start(self) -> float:
        """When its first syllable begins, in seconds."""
        return self.syllables[0].start

    @property
    def end(self) -> float:
        """When its last syllable ends, in seconds."""
        return self.syllables[-1].start + self.syllables[-1].length


@dataclass(frozen=True)
class Mouth:
    """Tracks (F,). opening, jaw: heights of the face; spread, rounding, pressing: 0 to 1."""

    opening: Track
    jaw: Track
    spread: Track
    rounding: Track
    pressing: Track


def compose_speech(temperament: Temperament, draw: Draw, length: float) -> list[Phrase]:
    """Phrases with pauses between, all within the loop; none for who does not talk."""
    if temperament.talk <= 0:
        return []
    pause, spoken = 0.45, temperament.talk * length
    count = max(1, round(spoken / 1.7))
    spare = length - spoken - pause * (count - 1)
    at, phrases = max(0.3, 0.45 * spare), list[Phrase]()
    for _ in range(count):
        until = min(at + spoken / count * draw.between(0.85, 1.15), length - 0.35)
        syllables = list[Syllable]()
        while at < until - 0.12:
            syllables.append(_syllable(draw, at, first=not syllables, last=at + 0.3 > until))
            at += syllables[-1].length
        if syllables:
            phrases.append(Phrase(tuple(syllables)))
        at += pause * draw.between(0.8, 1.3)
    return phrases


def _syllable(draw: Draw, start: float, first: bool, last: bool) -> Syllable:
    stress = draw.between(0.7, 1.0) if first or draw.happens(0.42) else draw.between(0.0, 0.3)
    length = draw.between(0.18, 0.24) + 0.100 * stress + (0.09 if last else 0.0)
    vowel = draw.one_of(_OFTEN_VOWELS[:-2]) if stress > 0.5 else draw.one_of(_OFTEN_VOWELS)
    return Syllable(start, length, draw.one_of(_OFTEN_CONSONANTS), vowel, stress)


def speak(phrases: list[Phrase], temperament: Temperament, times: Track, length: float) -> Mouth:
    """What the mouth does for `phrases`."""
    keys, jaw = list[tuple[float, float]](), list[tuple[float, float, float]]()
    spread, rounding, pressing = (list[tuple[float, float, float]]() for _ in range(3))
    for phrase in phrases:
        keys += [(phrase.start - 0.30, 0.0), (phrase.start - 0.12, _PARTED), (phrase.end + 0.16, 0.0)]
        for syllable in phrase.syllables:
            apart, spreads, rounds = _VOWELS[syllable.vowel]
            apart *= temperament.voice * (0.62 + 0.42 * syllable.stress)
            narrow, pressed, pursed = _CONSONANTS[syllable.consonant]
            held = 0.024 if pressed else 0.008  # seconds to each side of its middle for which a consonant holds
            at, narrow = syllable.start + held, min(narrow, 0.7 * apart)
            apart = min(apart, narrow + _QUICKEST * (syllable.middle - at - held) / _STEEPEST)
            keys += [(time, narrow) for time in (at - held, at + held)]
            keys += [(syllable.middle, apart), (syllable.middle + 0.06 * syllable.length, 0.97 * apart)]
            jaw += [(syllable.middle, apart, 1.0), (at, 0.5 * min(narrow + 0.02, apart), 0.5)]
            spread += [(syllable.middle, spreads, 1.0)]
            rounding += [(syllable.middle, rounds, 1.0), (at, pursed, 1.0 if pursed else 0.2)]
            pressing += [(at, pressed, 1.0), (syllable.middle, 0.0, 1.0)]
    return Mouth(
        through(times, length, keys),
        blended(times, length, jaw, 0.060),
        blended(times, length, spread, 0.075),
        blended(times, length, rounding, 0.070),
        blended(times, length, pressing, 0.035),
    )
