"""Which fakes are made: people drawn by seed, in every split, and whose motion or whose face each is given.

In: the real clips of a clips.jsonl, settings, a kind. Out: `Job`s. Whoever takes part in a fake is of one split, so
that nothing a detector is tested on was in its training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from sfumato.errors import ConfigError, UsageError
from sfumato.media.clips import ClipRow, Split

Kind = Literal["animated", "swap", "composite", "autoencoder"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DrivingMotion = ClipRow | str  # a real video, or the name of a motion that ships


@dataclass(frozen=True)
class FakesConfig:
    """How many, of what kind."""

    share: float = 0.3  # of the people of each split who are faked; the others are there as reals only
    frames: int = 10  # a fake: enough for a track, and many short ones teach more than few long ones
    stride: int = 3  # frames of the motion between two of the fake: 10 frames then span a second
    sizes: tuple[int, ...] = (128, 192, 256, 320, 384)  # px, one drawn a fake: the resolution must not give it away
    best_crf: int = 18
    worst_crf: int = 26
    equal_bytes: bool = (
        True  # the twin's crf is sought until its file is as large as the fake's; false: it has the fake's crf
    )
    sources: int = 4  # at most so many pictures of a person, 1 in half of the fakes
    candidates: int = 30  # people drawn for a swap, of whom the one whose face is most alike is taken
    tuned: float = 0.0  # share of the animated fakes whose person is fine-tuned first
    tune_seconds: float = 10.0
    seconds: float = 6.0  # of each driving video that are followed
    templates: float = (
        0.0  # share of the fakes of the training split driven by the motions that ship, which anyone can use
    )
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("share", "tuned", "templates"):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (name == "share" and not value):
                raise ConfigError(
                    f"{name} is {value:g}",
                    "Choose a share above 0, up to 1." if name == "share" else "Choose a share from 0 to 1.",
                )
        if not 3 <= self.frames <= 250:
            raise ConfigError(f"frames is {self.frames}", "Choose a whole number from 3 to 250.")
        for name in ("stride", "sources", "candidates"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", "Choose a whole number from 1.")
        if not self.sizes:
            raise ConfigError("sizes is empty", "Name one size or more: even numbers, 64 to 1024.")
        for size in self.sizes:
            if size % 2 or not 64 <= size <= 1024:
                raise ConfigError(f"sizes holds {size}", "Even numbers, 64 to 1024.")
        if not 0 <= self.best_crf <= self.worst_crf <= 51:
            raise ConfigError(
                f"best_crf is {self.best_crf} and worst_crf is {self.worst_crf}",
                "Choose 0 (lossless) to 51 for both, best_crf not above worst_crf.",
            )


@dataclass(frozen=True)
class Job:
    """Fake `number`: of `whom`; `driver` for an animated one, `others` whose faces a swap may take."""

    number: int
    kind: Kind
    whom: ClipRow
    driver: DrivingMotion | None = None
    others: tuple[ClipRow, ...] = ()


def plan(reals: Sequence[ClipRow], config: FakesConfig, kind: Kind, folder: Path = Path()) -> list[Job]:
    """The fakes of one kind, of clips in `folder`. A split that has nobody to drive them, or nobody else to swap with,
    gives none.

    People of videos come first: they are few, and show what no photograph does. Some people of the training split
    follow a motion that ships; only there, so that no driver is in two splits. Raises UsageError when there is nothing
    to make.
    """
    from generator.motion.track import shipped_motions
    from sfumato.execution.find_files import is_picture

    templates = shipped_motions()
    jobs: list[Job] = []
    for split in get_args(Split):
        rng = np.random.default_rng([config.seed, KINDS.index(kind), len(split)])
        people: dict[str, list[ClipRow]] = {}
        for row in reals:
            if row.split == split:
                people.setdefault(row.identity, []).append(row)
        names = sorted(people)
        drivers = [row for name in names for row in people[name] if not is_picture(folder / row.path)]
        if not names or (kind == "animated" and not drivers) or (kind == "swap" and len(names) < 2):
            continue
        filmed = {row.identity for row in drivers}
        order = [
            *sorted(filmed),
            *(str(name) for name in rng.permutation([name for name in names if name not in filmed])),
        ]
        for name in order[: round(config.share * len(names))]:
            whom = people[name][int(rng.integers(len(people[name])))]
            driver: DrivingMotion | None = None
            others: tuple[ClipRow, ...] = ()
            if kind == "animated":
                driver = drivers[int(rng.integers(len(drivers)))]
                if whom in drivers and rng.random() < 0.5:
                    driver = whom
                elif split == "train" and rng.random() < config.templates:
                    driver = templates[int(rng.integers(len(templates)))]
            elif kind == "swap":
                drawn = rng.permutation([other for other in names if other != name])[: config.candidates]
                others = tuple(people[str(other)][int(rng.integers(len(people[str(other)])))] for other in drawn)
            jobs.append(Job(len(jobs), kind, whom, driver, others))
    if not jobs:
        cause = "holds a real video to drive the fakes" if kind == "animated" else "holds enough people"
        raise UsageError(
            f"No split {cause}", "clips.jsonl needs videos, not pictures alone, and several people in each split."
        )
    return jobs
