"""The reference, from the code: a page for each command, from the command line's own table, and one for the names that
Python programs may rely on. In: the packages as they are imported. Out: Markdown by its place in the site; mkdocstrings
fills the second page in while the site is built. No file is written.
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
from functools import cache
from types import MappingProxyType

import click

from sfumato.app.cli.main import COMMANDS, LazyCommand, Table, load_command

PACKAGES = ("sfumato", "generator", "detector", "provenance", "benchmarks")


@cache
def pages() -> MappingProxyType[str, str]:
    """The place of each page in the site, and its Markdown."""
    commands = {f"reference/commands/{name}.md": command_page(name, entry) for name, entry in COMMANDS.items()}
    return MappingProxyType({"reference/python.md": python_page(), **commands})


def command_page(name: str, entry: LazyCommand | tuple[str, Table]) -> str:
    """A command with its options, or a group with all of its commands."""
    heading = f"# sfumato {name}\n\n"
    if isinstance(entry, LazyCommand):
        return heading + _described(f"sfumato {name}", load_command(name, entry.target))
    about, table = entry
    return heading + f"{_escaped(about)}\n\n" + _group(f"sfumato {name}", table)


def _group(before: str, table: Table) -> str:
    parts = []
    for name, entry in table.items():
        words = f"{before} {name}"
        if isinstance(entry, LazyCommand):
            parts.append(f"## {words}\n\n{_described(words, load_command(name, entry.target))}")
        else:
            parts.append(_group(words, entry[1]))
    return "\n".join(parts)


def _described(words: str, command: click.Command) -> str:
    """What `--help` says: usage, text, and a table of the options with their defaults."""
    with click.Context(command, info_name=words) as context:
        usage = command.get_usage(context).removeprefix("Usage: ")
        options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
        records = [option.get_help_record(context) for option in options]
    rows = [f"| {_code(record[0])} | {_cell(_escaped(record[1]))} |" for record in records if record is not None]
    text = "\n\n".join(map(_paragraph, inspect.cleandoc(command.help or "").split("\n\n")))
    return "\n".join([f"```text\n{usage}\n```\n", f"{text}\n", "| option | what it does |", "|---|---|", *rows, ""])


def _paragraph(text: str) -> str:
    """A paragraph that click may not wrap begins with \\b: its lines stay lines."""
    if text.startswith("\b"):
        lines = text.removeprefix("\b").strip("\n")
        return f"```text\n{lines}\n```"
    return _escaped(text)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it stands; what is between backticks stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    plain = [part if part.startswith("`") else re.sub(r"([\\*_\[\]#])", r"\\\1", part) for part in parts]
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in plain)


def _code(text: str) -> str:
    """Code in a cell: between backticks a bar would end the cell, or keep the backslash that it is escaped by."""
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "&#124;").split())


def python_page() -> str:
    """Every public name of every package, as mkdocstrings blocks that read the docstrings where they stand."""
    parts = [
        "# Public names",
        "What Python programs may rely on: what each package names in its `__init__`. "
        "[From Python](../python.md) shows them at work.",
    ]
    for package in PACKAGES:
        module = importlib.import_module(package)
        parts.append(f"## {package}")
        for name in (each for each in module.__all__ if each != "__version__"):
            value = getattr(module, name)
            place = f"{value.__module__}.{value.__qualname__}"
            parts.append(f"::: {place}\n    options:\n      heading: {package}.{name}")
    return "\n\n".join(parts) + "\n"
