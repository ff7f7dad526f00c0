"""What participants send back: files of the page's export in, checked answers out.

They come from strangers. A file of another study, a question that is answered twice, a clip that was not shown there or
a participant who is in two files would each count for something that nobody answered: such a file is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.app.study.key import Key, KeyQuestion
from sfumato.errors import MediaError, UsageError
from sfumato.limits import STUDY_ANSWERS
from sfumato.regular_file import read_regular
from sfumato.structure.json_text import parse_json
from sfumato.text import printable

FORMAT = "sfumato-study-answers-1"
_KEYS, _ANSWER = {"format", "study", "participant", "questions", "answers"}, {"question", "shown", "chosen", "seconds"}
_CODE = re.compile(r"[0-9a-f]{16}")
_DAY = 86_400.0  # seconds: nobody looks longer


@dataclass(frozen=True)
class Answer:
    """right: None where the clips could not be played; place: of the chosen clip on the page, from 1; seconds: from
    when the clips played to the answer.
    """

    question: KeyQuestion
    right: bool | None
    place: int | None
    seconds: float


@dataclass(frozen=True)
class Sheet:
    """All answers of one participant, who is known by a random code."""

    participant: str
    answers: tuple[Answer, ...]


def answer_files(paths: Iterable[Path]) -> list[Path]:
    """The files; of a folder, all `.json` in it. Raises UsageError where there is none."""
    given = list(paths)
    found = [file for path in given for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if not found:
        where = ", ".join(map(str, given[:3]))
        raise UsageError(f"There are no answers in {where}", "Name the files that participants saved, answers-*.json.")
    return found


def read_answers(files: Iterable[Path], key: Key) -> list[Sheet]:
    """Raises MediaError, with the file's name, for what is no export of this study's page."""
    sheets: dict[str, tuple[Path, Sheet]] = {}
    for file in files:
        try:
            sheet = _sheet(parse_json(read_regular(file, STUDY_ANSWERS)), key)
            if sheet.participant in sheets:
                raise ValueError(
                    f"its participant is in {sheets[sheet.participant][0]} already; keep the later of them"
                )
        except (ValueError, RecursionError) as error:
            raise MediaError(
                f"{file} holds no answers of this study: {printable(error, 300)}",
                "Give the JSON files that its page saved.",
            ) from error
        except OSError as error:
            raise MediaError(f"Cannot read {file}: {error.strerror}", "Give the files that the page saved.") from error
        sheets[sheet.participant] = (file, sheet)
    return [sheet for _, sheet in sheets.values()]


def _sheet(values: Any, key: Key) -> Sheet:
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError(f"it is not of the format {FORMAT}")
    _only(values, _KEYS)
    if values["study"] != key.study:
        raise ValueError(f"it is of the study {values['study']!r}, and this is {key.study}")
    participant, answers = values["participant"], values["answers"]
    if not isinstance(participant, str) or not _CODE.fullmatch(participant):
        raise ValueError(f"the participant is {participant!r}, and not 16 hex digits")
    if values["questions"] != len(key.questions):
        raise ValueError(f"it is of {values['questions']!r} questions, and the study has {len(key.questions)}")
    if not isinstance(answers, list):
        raise ValueError("its answers are no list")  # noqa: TRY004 (one kind of error for a file that is wrong)
    found: dict[int, Answer] = {}
    for each in answers:
        answer = _answer(each, key)
        if answer.question.number in found:
            raise ValueError(f"the question {answer.question.number} is answered twice")
        found[answer.question.number] = answer
    return Sheet(participant, tuple(found.values()))


def _answer(values: Any, key: Key) -> Answer:
    if not isinstance(values, dict):
        raise ValueError("an answer is no object")  # noqa: TRY004 (one kind of error for a file that is wrong)
    _only(values, _ANSWER)
    number, shown, chosen, seconds = (values[name] for name in ("question", "shown", "chosen", "seconds"))
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= len(key.questions):
        raise ValueError(f"there is no question {number!r}")
    question = key.questions[number - 1]
    names = {clip.name for clip in question.clips}
    if not isinstance(shown, list) or not all(isinstance(name, str) for name in shown) or set(shown) != names:
        raise ValueError(f"the question {number} did not show these clips")
    if len(shown) != len(names) or (chosen is not None and chosen not in shown):
        raise ValueError(f"the answer to question {number} is none of its clips")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _DAY:
        raise ValueError(f"the answer to question {number} took {seconds!r} seconds")
    if chosen is None:
        return Answer(question, None, None, float(seconds))
    return Answer(question, chosen == question.fake.name, shown.index(chosen) + 1, float(seconds))


def _only(values: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(values) - known):
        raise ValueError(f"unknown key {unknown[0]!r}")
    if missing := sorted(known - set(values)):
        raise ValueError(f"{missing[0]!r} is missing")
