"""The question for the right to a portrait, asked on a terminal. In: the portraits of a request. Out: the answer, where
somebody can give one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sfumato.text import printable

if TYPE_CHECKING:
    from sfumato.app.animation.gallery import PortraitFile


def ask_for_consent(portraits: Sequence[PortraitFile]) -> str | None:
    """Asks on a terminal, when there is a portrait to ask for. Returns the answer, or None where nobody can be
    asked.
    """
    from sfumato.app.animation.consent import pictures_of_people

    asked = pictures_of_people(portraits)
    if not asked or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    click.echo(f"{printable(asked[0].path)} may show a real person. Your answer is sealed into the video.", err=True)
    answer: str = click.prompt("What gives you the right to use it", default="", show_default=False, err=True)
    return answer
