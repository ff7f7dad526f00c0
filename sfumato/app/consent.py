"""The right to use a portrait, asked for before anything is made. In: pictures and what was stated. Out: the line that goes into the seal.

A program cannot check a right. It can ask, refuse without an answer, and write the answer where everybody who gets the video reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sfumato.app.gallery import identify
from sfumato.errors import UsageError
from sfumato.text import printable

LONGEST = 200  # characters of a statement; it travels in every copy of the video
PUBLIC_DOMAIN = "shipped painting, public domain"
_ADVICE = "Say what gives you the right: --consent TEXT, for example --consent 'my own picture'. The text is sealed into the video."


def pictures_of_people(portraits: Sequence[Path]) -> list[Path]:
    """Those of `portraits` that are not paintings shipped with the program. Raises MediaError for one that cannot be read."""
    return [path for path in portraits if identify(path) is None]


def stated_right(portraits: Sequence[Path], consent: str | None) -> str:
    """The line for the seal: what gives the right to use `portraits`.

    Raises UsageError when a portrait is not a shipped painting and `consent` says nothing, is too long, or cannot be shown in one line.
    """
    statement = (consent or "").strip()
    if len(statement) > LONGEST or printable(statement) != statement:
        raise UsageError(
            f"The statement of consent is not one line of at most {LONGEST} characters", "Say it shortly; a reference will do."
        )
    if statement:
        return statement
    asked = pictures_of_people(portraits)
    if asked:
        raise UsageError(f"{asked[0]} may show a real person, and nobody said that you may use it", _ADVICE)
    return PUBLIC_DOMAIN
