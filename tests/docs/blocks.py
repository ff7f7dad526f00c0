"""The command blocks of a page, and what runs them: every fenced ```sh block, in order, in one folder.

A block whose fence says `title="not run here"` is shown with that title and left out. A command that ends with a
comment `# exit code N` has to end with N; any other has to end with 0.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_RUN = 'title="not run here"'
_BLOCK = re.compile(r"^(?P<indent> *)```sh(?P<info>[^\n]*)\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"#.*?\bexit code (?P<code>\d+)")
_SHELL = set("|<>$;&*`")


@dataclass(frozen=True)
class Block:
    """`text` of a block that begins in line `line` of the page, counted from 1, and whether it is run."""

    page: str
    line: int
    text: str
    is_run: bool


@dataclass(frozen=True)
class Command:
    """One command of a block, and the exit code it has to end with."""

    text: str
    code: int

    @property
    def words(self) -> list[str] | None:
        """What sfumato is called with, None where a shell is needed."""
        plain = self.text.split("#")[0]
        if "\n" in self.text or _SHELL & set(plain):
            return None
        words = shlex.split(self.text, comments=True)
        return words[1:] if words[:1] == ["sfumato"] else None


def blocks(page: Path, part: str | None = None) -> list[Block]:
    """All blocks of a page, or those of `part`: from its heading to the next of its level."""
    text = page.read_text(encoding="utf-8")
    start, end = 0, len(text)
    if part is not None:
        start = text.index(f"\n{part}\n")
        following = re.compile(rf"^{part.split()[0]} ", re.MULTILINE).search(text, start + len(part) + 1)
        end = following.start() if following else end
    return [
        Block(page.name, text.count("\n", 0, found.start()) + 1, found["text"], NOT_RUN not in found["info"])
        for found in _BLOCK.finditer(text, start, end)
    ]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block: a line each, but for those that go on behind a backslash, or up to END."""
    lines = iter(block.text.splitlines())
    for line in lines:
        text = line.strip()
        while text.endswith("\\"):
            text = text[:-1] + next(lines).strip()
        if "<<'END'" in text:
            text = "\n".join([text, *iter(lambda: next(lines), "END"), "END"])
        if text and not text.startswith("#"):
            expected = _EXPECTED.search(text)
            yield Command(text, int(expected["code"]) if expected else 0)


def run(block: Block, folder: Path, call: Callable[[list[str]], int]) -> None:
    """Runs a block in `folder`, the current one. `call` is the program, for words that need no shell: the modules it
    loads are loaded once. Raises AssertionError that names page, line and command.
    """
    for command in commands(block):
        words = command.words
        code = call(words) if words is not None else _in_shell(command.text, folder)
        assert code == command.code, f"{block.page}, block in line {block.line}: {command.text!r} ended with {code}"


def _in_shell(text: str, folder: Path) -> int:
    """sh, with a `sfumato` of this tree before all others."""
    programs = folder.parent / f"{folder.name}-programs"
    programs.mkdir(exist_ok=True)
    program = programs / "sfumato"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sfumato "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["sh", "-e", "-c", text], cwd=folder, env=environment, timeout=120, check=False).returncode
