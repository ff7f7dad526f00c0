"""The options that several commands of `sfumato bench` share, beside those of sfumato.options: what is measured, with
which checkpoint, and where the lines go.
"""

from __future__ import annotations

from typing import Any

import click

from sfumato import options
from sfumato.media.frame_size import LARGEST, SMALLEST
from sfumato.options import Decorator


def footage(what: str) -> Decorator[Any]:
    """--footage: a folder of clips."""
    return click.option("--footage", required=True, type=options.FOLDER, help=what)


def clips() -> Decorator[Any]:
    """--clips: names of files in the folder of --footage; none: all of them."""
    what = "Only these clips of the folder; may be repeated."
    return click.option("--clips", multiple=True, metavar="FILE", help=what)


def checkpoint(what: str) -> Decorator[Any]:
    """--checkpoint: a path or a shipped name; None: the shipped one."""
    return click.option("--checkpoint", metavar="PATH", help=f"{what}  [default: the shipped one]")


def size(what: str) -> Decorator[Any]:
    """--size: the side of a square frame in px."""
    described = f"{what}; {SMALLEST} to {LARGEST}, even."
    return click.option("--size", default=256, show_default=True, metavar="PIXELS", help=described)


def rounds(what: str, default: int) -> Decorator[Any]:
    """--rounds: at least two, for an interval."""
    return click.option("--rounds", default=default, show_default=True, type=click.IntRange(2), help=what)


def as_json(tables: str = "table") -> Decorator[Any]:
    """--json: `tables` is what is printed without."""
    return options.as_json(f"JSON lines instead of the {tables}.")


def record() -> Decorator[Any]:
    """-o, --output: the record that lines are added to; None: none is kept."""
    return options.output("Add the lines, and how they came about, to this file.", required=False)
