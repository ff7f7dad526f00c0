"""The key of a study: which clip of each question is the fake. It stays with whoever asks; the page has none of it.

In and out: `key.json`, a JSON object of the format `sfumato-study-1`. What is read is held to what is written: a key
that was changed by hand is refused, or every rate would be of another study.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sfumato.atomic import write_text
from sfumato.errors import MediaError, MissingFileError
from sfumato.limits import RECORD
from sfumato.regular_file import read_regular
from sfumato.structure.json_text import parse_json

KEY, PAGE = "key.json", "page"  # what lies in the folder of a study
FORMAT = "sfumato-study-1"
_NAME = re.compile(r"[0-9a-f]{16}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class KeyClip:
    """name: under which the page shows it; path, sha256, method: of the list that it was drawn from."""

    name: str
    path: str
    sha256: str
    label: Literal["real", "fake"]
    method: str


@dataclass(frozen=True)
class KeyQuestion:
    """number: from 1; identity: who is seen; seconds: how long a clip is shown before it starts again; same_moments:
    whether a real shows the moments of the fake, where two others do not.
    """

    number: int
    identity: str
    seconds: float
    same_moments: bool
    clips: tuple[KeyClip, ...]

    @property
    def fake(self) -> KeyClip:
        return next(clip for clip in self.clips if clip.label == "fake")


@dataclass(frozen=True)
class Key:
    """study: what its answers name; program: the version that made it; clips_sha256: of the list it was drawn from."""

    study: str
    program: str
    seed: int
    choices: int
    clips_sha256: str
    questions: tuple[KeyQuestion, ...]

    @property
    def chance(self) -> float:
        """The rate of somebody who sees no difference."""
        return 1 / self.choices


def write_key(path: Path, key: Key) -> None:
    """Writes it atomically. Raises OutputError."""
    write_text(path, json.dumps({"format": FORMAT, **dataclasses.asdict(key)}, indent=1) + "\n")


def read_key(folder: Path) -> Key:
    """The key of the study in `folder`. Raises MediaError for what is none."""
    path = folder / KEY
    if not path.exists():
        raise MissingFileError(
            f"{folder} holds no {KEY}", f"Name the folder that `sfumato study make` wrote, not its {PAGE}/."
        )
    try:
        return _key(parse_json(read_regular(path, RECORD)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MediaError(f"{path} is no key of a study: {error}", "Take the one that came with the page.") from error
    except OSError as error:
        raise MediaError(f"Cannot read {path}: {error.strerror}", "Take the one that came with the page.") from error


def _key(values: Any) -> Key:
    if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
        raise ValueError(f"it is not of the format {FORMAT}")
    questions = tuple(_question(each, values["choices"]) for each in values["questions"])
    key = Key(**{**values, "questions": questions})
    if not isinstance(key.study, str) or not _NAME.fullmatch(key.study):
        raise ValueError("it names no study")
    if [question.number for question in questions] != list(range(1, len(questions) + 1)) or not questions:
        raise ValueError("its questions are not numbered from 1")
    if len({clip.name for question in questions for clip in question.clips}) != key.choices * len(questions):
        raise ValueError("a clip is in two questions")
    return key


def _question(values: Any, choices: Any) -> KeyQuestion:
    clips = tuple(KeyClip(**clip) for clip in values["clips"])
    question = KeyQuestion(**{**values, "clips": clips})
    if isinstance(choices, bool) or choices not in (2, 3) or len(clips) != choices:
        raise ValueError("a question has two clips or three")
    if [clip.label for clip in clips].count("fake") != 1 or {clip.label for clip in clips} != {"real", "fake"}:
        raise ValueError("a question has one fake, and reals")
    words = [question.identity, *(word for clip in clips for word in (clip.path, clip.method))]
    if not all(isinstance(word, str) for word in words):
        raise ValueError("a name is no text")
    if not all(_NAME.fullmatch(clip.name) and _DIGEST.fullmatch(clip.sha256) for clip in clips):
        raise ValueError("a clip is not named as the page names it")
    seconds = question.seconds
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise ValueError("a question has no length")
    return question
