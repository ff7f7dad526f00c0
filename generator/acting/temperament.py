"""What somebody is like who acts: how much they talk, laugh, turn, blink and look about; and those that ship."""

from __future__ import annotations

from dataclasses import dataclass

from sfumato.errors import UsageError


@dataclass(frozen=True)
class Temperament:
    """Defaults are somebody who listens. seconds, seed: of the motion that ships. Angles are in degrees.

    talk: share of the time that is spoken; voice: how far lips open, 1 as most speakers; laughs: bursts a minute;
    smile: 0 none, 1 as broad as it gets; turn: how far the head turns aside, at most; hold: seconds from turn to turn,
    fewest and most; nod: on a stressed syllable; blink: seconds from blink to blink, in the mean; glance: how far a
    look strays from whoever is looked at; brows: how far they rise, 1 as far as they can; sway: of what is never still.
    """

    name: str
    about: str
    seconds: float
    seed: int
    talk: float = 0.0
    voice: float = 1.0
    laughs: float = 0.0
    smile: float = 0.1
    turn: float = 6.0
    hold: tuple[float, float] = (1.5, 2.5)
    nod: float = 1.0
    blink: float = 3.2
    glance: float = 6.0
    brows: float = 0.3
    sway: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.talk <= 1 or not 0 <= self.smile <= 1 or not 0 < self.hold[0] <= self.hold[1]:
            raise UsageError(f"The temperament {self.name!r} is inconsistent", "Shares lie between 0 and 1.")
        if self.turn > 27 or self.blink < 1:
            raise UsageError(
                f"The temperament {self.name!r} turns or blinks too much", "Turn up to 27 degrees, blink once a second."
            )


TEMPERAMENTS = {
    one.name: one
    for one in (
        Temperament(
            "serene", "calm: breathes, looks about, smiles a little, murmurs a few words", 6.0, 12,
            talk=0.22, voice=0.4, smile=0.35, turn=8.0, hold=(1.8, 2.6), nod=0.6, glance=9.0, brows=0.25, sway=0.8,
        ),
        Temperament(
            "cheerful", "smiles and laughs", 6.0, 9,
            laughs=20.0, smile=0.65, turn=8.0, hold=(1.2, 2.0), glance=8.0, brows=0.5, blink=2.6, sway=1.2,
        ),
        Temperament(
            "eloquent", "talks, and turns the head meanwhile", 8.0, 27,
            talk=0.8, voice=1.35, smile=0.12, turn=15.0, hold=(0.9, 1.7), nod=2.4, glance=12.0, brows=0.7, blink=2.8,
            sway=1.2,
        ),
    )
}  # fmt: skip
