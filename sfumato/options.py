"""What the options of all commands have in common: one spelling, one type, one meaning each. Imports click and nothing
else.

`-o/--output` is what is written, `--overwrite` replaces it, `--workers` are processes or threads side by side,
`--model` is the folder of a detector, `--seed` is that of everything random, `--json` is for programs. An input that is
not there ends every command with the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sfumato.errors import MissingFileError

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]


class InputPath(click.Path):
    """A path that must be there. Raises MissingFileError where it is not, and click's error where it is of the wrong
    kind.
    """

    def __init__(self, *, file: bool = True, folder: bool = True) -> None:
        super().__init__(exists=True, file_okay=file, dir_okay=folder, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            if not Path(value).exists():
                raise MissingFileError(f"{self.name.capitalize()} {str(value)!r} does not exist") from None
            raise


FILE = InputPath(folder=False)
FOLDER = InputPath(file=False)
ANY = InputPath()
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)


def output(
    what: str, *, folder: bool = False, anything: bool = False, required: bool = True, **more: Any
) -> Decorator[Any]:
    """-o, --output: the file, or folder, that is written; the command's parameter is `out`. `anything`: the command
    itself says what it may be.
    """
    kind = click.Path(path_type=Path) if anything else NEW_FOLDER if folder else NEW_FILE
    return click.option("-o", "--output", "out", required=required, type=kind, help=what, **more)


def overwrite(what: str = "Replace what is there.") -> Decorator[Any]:
    """--overwrite."""
    return click.option("--overwrite", is_flag=True, help=what)


def as_json(what: str) -> Decorator[Any]:
    """--json: the command's parameter is `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=what)


def model(what: str = "Folder of another detector.") -> Decorator[Any]:
    """--model: the folder of a detector, None for the one that ships."""
    return click.option("--model", type=FOLDER, help=what)


def workers(what: str, default: int | None = 1, most: int = 256) -> Decorator[Any]:
    """--workers: so many things at once."""
    shown = default is not None
    return click.option("--workers", default=default, show_default=shown, type=click.IntRange(1, most), help=what)
