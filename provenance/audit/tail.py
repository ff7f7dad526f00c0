"""The end of an audit log, as far as a writer must know it: the last line, and what no signed head covers yet.

In: the open file. Out: a `Tail`, which reads on from there. A log may be large; what stands since its last signed head
is read and checked, the rest is for `provenance.audit.check`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Self

from provenance.audit.chain import LONGEST_READ, BrokenError, Chain
from provenance.audit.head import head_of
from provenance.audit.line import Line, read_line

FIRST_LOOK, FARTHEST_LOOK = 1 << 16, 1 << 26  # bytes before the end, for the last signed head
_HEAD = b'"kind":"head"'  # as the canonical form has it


class Tail:
    """chain: up to the end. log: its name, drawn when it began. end: bytes that were read. unsigned: lines that no head
    covers; since: when the first of them was written, by its own word, empty without one.
    """

    def __init__(self, chain: Chain, log: str, start: int = 0) -> None:
        self.chain, self.log, self.end = chain, log, start
        self.unsigned, self.since = 0, ""

    @classmethod
    def found(cls, file: int, size: int) -> Self:
        """Where to read on from in a log of `size` bytes: its last head, its beginning, or far enough back. Raises
        BrokenError for a file that does not begin as a log, OSError.
        """
        if not size:
            return cls(Chain(), "")
        log = _name_of(next(lines_between(file, 0, size)))
        start = _last_head(file, size)
        return cls(Chain(midway=start > 0), log, start)

    def read_on(self, file: int, size: int) -> None:
        """Up to `size`. Raises BrokenError at a line that does not belong there, OSError."""
        for raw in lines_between(file, self.end, size):
            line = self.chain.feed(raw)
            self.end += len(raw)
            if line is not None:
                self._take(line)
        self.chain.hold_end()

    def _take(self, line: Line) -> None:
        if line.kind == "begin":
            self.log = str(line.body.get("log"))
        if line.kind == "head":
            try:
                head_of(line, self.log)
            except ValueError as error:
                raise BrokenError(self.chain.lines, str(error)) from error
            self.unsigned, self.since = 0, ""
        else:
            self.unsigned, self.since = self.unsigned + 1, self.since or line.time


def lines_between(file: int, start: int, end: int) -> Iterator[bytes]:
    """The lines of an open file from `start` to `end`, bytes, each with its line feed if it has one; of one that is too
    long, its pieces. Raises OSError.
    """
    with os.fdopen(file, "rb", closefd=False) as reader:
        reader.seek(start)
        while start < end and (raw := reader.readline(min(LONGEST_READ, end - start))):
            start += len(raw)
            yield raw


def _name_of(raw: bytes) -> str:
    try:
        first = read_line(raw)
    except ValueError as error:
        raise BrokenError(1, str(error)) from error
    if first.kind != "begin" or not isinstance(first.body.get("log"), str):
        raise BrokenError(1, "a log begins with its own first line")
    return str(first.body["log"])


def _last_head(file: int, size: int) -> int:
    """Where the last line of kind "head" begins; 0, or the first line far enough back, if there is none."""
    look = FIRST_LOOK
    while True:
        start = max(0, size - look)
        place = start
        found = None if start else 0
        for number, raw in enumerate(lines_between(file, start, size)):
            if (number or not start) and (found is None or _HEAD in raw):
                found = place
            place += len(raw)
        if not start or look >= FARTHEST_LOOK:
            return found or 0
        if found is not None and _is_head(file, found, size):
            return found
        look *= 4


def _is_head(file: int, start: int, size: int) -> bool:
    try:
        return read_line(next(lines_between(file, start, size))).kind == "head"
    except ValueError:
        return False
