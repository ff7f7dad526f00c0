"""Sets of made-up people for the tests of a user study: short videos whose moments can be told apart, and their
list.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.app.study.key import Key, KeyClip, KeyQuestion, read_key
from sfumato.media.clips import TWIN, ClipRow, file_digest, write_clips
from tests.media_fixtures import make_video


@dataclass(frozen=True)
class Clip:
    """moment: what it shows, two of one moment look alike; fake: its method, or None; of: the number of its twin."""

    moment: int
    fake: str | None = None
    of: int | None = None
    width: int = 64
    height: int = 64
    frames: int = 30
    rate: float = 25


PAIR = (Clip(0), Clip(1, "animated", of=0))
TRIPLE = (*PAIR, Clip(2))
FULL = (*TRIPLE, Clip(3))


def write_set(folder: Path, people: dict[str, Sequence[Clip]]) -> Path:
    """The folder, with clips.jsonl and a video for each clip, called after the person and its number."""
    folder.mkdir(exist_ok=True)
    rows = []
    for person, clips in people.items():
        for number, clip in enumerate(clips):
            name = f"{person}-{number}.mp4"
            shown = _moment(person, clip)
            size = {"width": clip.width, "height": clip.height}
            make_video(folder / name, frames=clip.frames, rate=clip.rate, images=shown, **size)
            rows.append(
                ClipRow(
                    path=name, label="fake" if clip.fake else "real", method=clip.fake or TWIN,
                    family="reenact" if clip.fake else "real", identity=person, sha256=file_digest(folder / name),
                    pair_of=None if clip.of is None else f"{person}-{clip.of}.mp4", split="test",
                )
            )  # fmt: skip
    write_clips(folder / "clips.jsonl", rows)
    return folder


def _moment(person: str, clip: Clip) -> list[Any]:
    """Frames of blocks of grey that follow from the person and the moment, with a bar that moves."""
    rng = np.random.default_rng([*person.encode(), clip.moment])
    blocks = rng.integers(0, 256, (8, 8), dtype=np.uint8)
    still = np.kron(blocks, np.ones((clip.height // 8, clip.width // 8), np.uint8))
    frames = []
    for index in range(clip.frames):
        image = np.stack([still] * 3, axis=-1)
        image[:, (index * 2) % clip.width][:, 1] = 255
        frames.append(image)
    return frames


def toy_key(
    questions: int = 4, people: int | None = None, methods: Sequence[str] = ("animated",), same: Sequence[int] = (),
    seconds: float = 1.5, choices: int = 3,
) -> Key:  # fmt: skip
    """A key without files. methods: in turn; same: numbers of the questions with the moments of the fake."""
    listed = []
    for number in range(1, questions + 1):
        clips = tuple(
            KeyClip(f"{10 * number + place:016x}", f"{number}-{place}.mp4", f"{10 * number + place:064x}",
                    "real" if place else "fake", TWIN if place else methods[(number - 1) % len(methods)])
            for place in range(choices)
        )  # fmt: skip
        person = f"person {number % (people or questions)}"
        listed.append(KeyQuestion(number, person, seconds, number in same, clips))
    return Key("ab" * 8, "1.0", 0, choices, "0" * 64, tuple(listed))


def answered(
    study: Path, participant: int, right: float, seconds: float = 4.0, place: int | None = None, first: int = 10_000
) -> dict[str, Any]:
    """What the page of `study` exports for somebody who finds a share of the fakes, or always takes `place`."""
    key, rng = read_key(study), random.Random(participant)
    answers = [_answer(question, rng, right, seconds, place) for question in key.questions[:first]]
    rng.shuffle(answers)
    return {"format": "sfumato-study-answers-1", "study": key.study, "participant": f"{participant:016x}",
            "questions": len(key.questions), "answers": answers}  # fmt: skip


def _answer(
    question: KeyQuestion, rng: random.Random, right: float, seconds: float, place: int | None
) -> dict[str, Any]:
    shown = [clip.name for clip in question.clips]
    rng.shuffle(shown)
    wrong = [name for name in shown if name != question.fake.name]
    chosen = question.fake.name if rng.random() < right else rng.choice(wrong)
    chosen = chosen if place is None else shown[place]
    return {"question": question.number, "shown": shown, "chosen": chosen, "seconds": seconds}


def fakes_of(key: Key) -> set[str]:
    """The names of all fakes."""
    return {question.fake.name for question in key.questions}
