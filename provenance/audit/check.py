"""The check of an audit log: a file, who is trusted, and perhaps a head kept elsewhere in; an `AuditReport` out.

The file is read once, line by line, whatever its size. The check ends at the first line that does not follow: what
comes behind it proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from provenance.audit.chain import LONGEST_READ, BrokenError, Chain
from provenance.audit.head import head_of, read_head
from provenance.audit.line import Line, is_digest, read_line
from provenance.audit.trust import Signatory, Trust
from sfumato.errors import MediaError, MissingFileError, UsageError
from sfumato.limits import AUDIT_LINE
from sfumato.regular_file import open_regular, read_regular

OUTCOMES = ("whole", "uncovered", "broken")


@dataclass(frozen=True)
class Break:
    """The first line that does not belong there. line: of the file, from 1; reason: may hold foreign text."""

    line: int
    reason: str


@dataclass(frozen=True)
class Coverage:
    """What one signatory vouches for: all lines of the file up to `line`, by `heads` heads, the newest of `time`."""

    signatory: Signatory
    heads: int
    line: int
    time: str


@dataclass(frozen=True)
class KeptHead:
    """What somebody noted elsewhere: the digest of a line, and of a head in a file also its number and its log."""

    sha256: str
    number: int | None = None
    log: str | None = None


@dataclass(frozen=True)
class AuditReport:
    """log: its name, drawn when it began, empty if that cannot be read. lines: of the file that hold together. kinds:
    how many of each kind. first, last: times of the first and the last line, by the clocks of the machines that wrote
    them. sha256: of the last line. signatories: in the order in which they first signed. torn: pieces of lines that
    crashes left, kept and spoken of. piece_at: the line of one at the end of a log that holds, of which nobody spoke
    yet, 0 without one. backwards: lines with an earlier time than the line before. reopened: times a program found
    unsigned lines when it opened the log. kept: the line at which the kept head stands, 0 without one.
    """

    log: str = ""
    lines: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    sha256: str = ""
    signatories: tuple[Coverage, ...] = ()
    torn: int = 0
    piece_at: int = 0
    backwards: int = 0
    reopened: int = 0
    kept: int = 0
    broken: Break | None = None

    @property
    def coverage(self) -> Coverage | None:
        """The widest by somebody who is trusted; None without one."""
        trusted = [each for each in self.signatories if each.signatory.trusted]
        return max(trusted, key=lambda each: each.line, default=None)

    @property
    def covered(self) -> int:
        """The lines, from the first one on, that somebody who is trusted vouches for."""
        return self.coverage.line if self.coverage else 0

    @property
    def outcome(self) -> str:
        """One of OUTCOMES: "whole" if all lines hold together and are covered."""
        if self.broken:
            return "broken"
        return "whole" if self.covered == self.lines and not self.piece_at else "uncovered"


def read_kept(text: str) -> KeptHead:
    """A digest, or a file with the line of a head, as `sfumato audit head -o` writes it. Raises MissingFileError,
    MediaError for a file that holds no head.
    """
    if is_digest(text.lower()):
        return KeptHead(text.lower())
    path = Path(text)
    advice = "Give the 64 hex digits of a digest, or a file from: sfumato audit head LOG -o FILE."
    try:
        line = read_line(read_regular(path, AUDIT_LINE))
        if line.kind != "head":
            raise ValueError(f"it is a line of kind {line.kind!r}")
        found = read_head(line.body).statement
        if (found.lines, found.sha256) != (line.number - 1, line.previous):
            raise ValueError("its signature is of another line")
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file {path}", advice) from error
    except (OSError, ValueError) as error:
        raise MediaError(f"{path} holds no head of an audit log: {error}", advice) from error
    return KeptHead(line.sha256, line.number, found.log)


def check_log(path: Path, trust: Trust, kept: KeptHead | None = None) -> AuditReport:
    """Raises MissingFileError, MediaError for a file that cannot be read; what is in it is told, not raised."""
    reading = _Reading(trust, kept)
    try:
        for raw in _raw_lines(path):
            reading.take(raw)
        reading.end()
    except BrokenError as error:
        return replace(reading.report(), piece_at=0, broken=Break(error.line, error.reason))
    return reading.report()


def last_head(path: Path) -> Line:
    """The last signed head of a log whose lines hold together. Raises what `check_log` raises, UsageError for a broken
    log or one without a head.
    """
    chain, log, found = Chain(), "", None
    try:
        for raw in _raw_lines(path):
            line = chain.feed(raw)
            if line is not None and line.kind == "begin":
                log = str(line.body.get("log"))
            if line is not None and line.kind == "head":
                head_of(line, log)
                found = line
        chain.hold_end()
    except ValueError as error:
        advice = f"See: sfumato audit verify {path}."
        raise UsageError(f"{path} is no audit log, or a broken one: {error}", advice) from error
    if found is None:
        raise UsageError(f"{path} has no signed head", f"Sign one: sfumato audit sign {path}.")
    return found


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with open_regular(path) as file:
            while raw := file.readline(LONGEST_READ):
                yield raw
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file {path}") from error
    except OSError as error:
        raise MediaError(f"Cannot read {path}: {error.strerror}", "Give the log of sfumato scan --audit.") from error


class _Reading:
    """What is known of a log so far."""

    def __init__(self, trust: Trust, kept: KeptHead | None) -> None:
        self.trust, self.kept, self.chain = trust, kept, Chain()
        self.known = AuditReport()
        self.kinds: Counter[str] = Counter()
        self.coverage: dict[Signatory, Coverage] = {}
        self.holds = 0  # lines of the file

    def take(self, raw: bytes) -> None:
        line = self.chain.feed(raw)
        if line is None:
            return
        at = self.chain.lines
        if line.kind == "begin":
            self._begin(line)
        if self.kept is not None and not self.known.kept:
            self._compare(line, self.kept, at)
        if line.kind == "head":
            self._head(line, at)
        reopened = line.kind == "open" and line.body.get("unsigned") not in (0, None)
        backwards = line.time < self.known.last
        self.kinds[line.kind] += 1
        self.holds = at
        self.known = replace(
            self.known,
            first=self.known.first or line.time,
            last=line.time,
            sha256=line.sha256,
            reopened=self.known.reopened + reopened,
            backwards=self.known.backwards + backwards,
        )

    def end(self) -> None:
        """Raises BrokenError for what only shows at the end."""
        self.chain.hold_end()
        if self.chain.last is None:
            raise BrokenError(1, "there is no line of an audit log")
        if self.kept is not None and not self.known.kept:
            number = self.kept.number
            named = "the kept head" if number is None else f"the kept head, number {number},"
            raise BrokenError(
                self.chain.lines + 1, f"{named} is not in the log: it was cut off before it, or begun anew"
            )

    def report(self) -> AuditReport:
        return replace(
            self.known,
            lines=self.holds,
            kinds=dict(self.kinds),
            signatories=tuple(self.coverage.values()),
            torn=self.chain.torn,
            piece_at=self.chain.piece_at or (self.chain.lines if self.chain.missing_end else 0),
        )

    def _begin(self, line: Line) -> None:
        log = line.body.get("log")
        self.known = replace(self.known, log=log if isinstance(log, str) else "")
        if self.kept is not None and self.kept.log not in (None, self.known.log):
            raise BrokenError(self.chain.lines, f"this is another log: the kept head is of {self.kept.log}")

    def _compare(self, line: Line, kept: KeptHead, at: int) -> None:
        if line.sha256 == kept.sha256:
            self.known = replace(self.known, kept=at)
        elif line.number == kept.number:
            raise BrokenError(at, "it is not the line that the kept head is: the log was written anew before it")

    def _head(self, line: Line, at: int) -> None:
        try:
            found = head_of(line, self.known.log)
        except ValueError as error:
            raise BrokenError(at, str(error)) from error
        who = self.trust.signatory(found.chain)
        before = self.coverage.get(who)
        self.coverage[who] = Coverage(who, before.heads + 1 if before else 1, at, found.statement.time)
