"""Lines of an audit log in their order: each must follow the one before it. In: raw lines. Out: `Line`s, or
`BrokenError` at the first that does not belong there.

A crash can leave a piece of a line behind. It stays where it is, as evidence, and the next writer adds a line of kind
"torn" that says how many bytes it has and their digest. A piece that no such line speaks of is no part of the log: what
comes behind it does not hold. One at the very end, without a line feed, may just be new: nobody has written since.
"""

from __future__ import annotations

import hashlib
from typing import Any

from provenance.audit.line import Line, is_torn, misfit, read_line
from sfumato.limits import AUDIT_LINE

LONGEST_READ = AUDIT_LINE.most + 2  # bytes: a line that may be, its line feed, and one more to tell a longer one by


class BrokenError(ValueError):
    """line: in the file, from 1; reason: a sentence for people."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


class Chain:
    """`feed` it each line of the file in order. `midway`: the first whole line is taken as it is, whatever stood before
    it.

    last: the newest line that holds. lines: of the file, so far. torn: pieces that are kept and spoken of.
    """

    def __init__(self, *, midway: bool = False) -> None:
        self.last: Line | None = None
        self.lines = self.torn = 0
        self._midway = midway
        self._ended = True  # by a line feed
        self._piece_at, self._why, self._size, self._digest = 0, "", 0, hashlib.sha256()

    @property
    def piece_at(self) -> int:
        """The line of the file where a piece begins that nobody spoke of yet; 0 without one."""
        return self._piece_at

    @property
    def missing_end(self) -> bytes:
        """What must be written before another line can be: a line feed, or nothing."""
        return b"" if self._ended else b"\n"

    def feed(self, raw: bytes) -> Line | None:
        """The line that `raw` (with its line feed, unless the file ends there) is; None for a piece of one. Raises
        BrokenError.
        """
        if not self._ended and raw == b"\n" and not self._piece_at:  # the line feed that the last line lacked
            self._ended = True
            return None
        if self._ended:
            self.lines += 1
        self._ended = raw.endswith(b"\n")
        try:
            line = read_line(raw)
        except ValueError as error:
            if not is_torn(raw):
                raise BrokenError(self._piece_at or self.lines, self._why or str(error)) from error
            self._keep(raw, str(error))
            return None
        if self._midway and self.last is None:
            self.last = line
            self._forget()
            return line
        why = misfit(self.last, line)
        spoken_of = line.kind == "torn" and dict(line.body) == _told(self._size, self._digest.hexdigest())
        if self._piece_at and (why or not spoken_of):
            raise BrokenError(self._piece_at, self._why)
        if line.kind == "torn" and not self._piece_at:
            why = why or "it speaks of a piece of a line that is not there"
        if why:
            raise BrokenError(self.lines, why)
        self.torn += line.kind == "torn"
        self.last = line
        self._forget()
        return line

    def hold_end(self) -> None:
        """Raises BrokenError where the file ends with something that nobody who is stopped while writing leaves."""
        if self._piece_at and self._ended:
            raise BrokenError(self._piece_at, self._why)

    def piece(self) -> dict[str, Any]:
        """The body of the line that speaks of the piece at the end: its bytes, with the line feed that ends it."""
        digest = self._digest.copy()
        digest.update(self.missing_end)
        return _told(self._size + len(self.missing_end), digest.hexdigest())

    def _keep(self, raw: bytes, why: str) -> None:
        if not self._piece_at:
            self._piece_at, self._why = self.lines, why
        self._size += len(raw)
        self._digest.update(raw)

    def _forget(self) -> None:
        self._piece_at, self._why, self._size, self._digest = 0, "", 0, hashlib.sha256()


def _told(size: int, digest: str) -> dict[str, Any]:
    return {"bytes": size, "sha256": digest}
