"""What a check of a set found. In: nothing; these are records, and the lines that a person reads. Out: `Report`, its
JSON and its table.

A check is ok, a fault, or was not done, and then it says why. Names are those of a stranger's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sfumato.text import printable

State = Literal["ok", "fault", "not checked"]
SCHEMA = 1
KEPT = 10  # names of a fault that are kept; all are counted
_SHOWN, _NAME, _WIDTH = 3, 200, 28


@dataclass(frozen=True)
class Fault:
    """kind: what is wrong, in words that stay the same between versions; names: of what, the first ten; count: how
    many; detail: one sentence more, which may hold foreign text.
    """

    kind: str
    names: tuple[str, ...]
    count: int
    detail: str = ""

    @classmethod
    def of(cls, kind: str, names: Iterable[str], detail: str = "") -> list[Fault]:
        """None at all without names."""
        found = list(names)
        return [cls(kind, tuple(found[:KEPT]), len(found), detail)] if found else []

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "count": self.count, "names": list(self.names), "detail": self.detail}


@dataclass(frozen=True)
class Check:
    """One line of the table. looked_at: how many things, in words; why_not: why it was not done, "" where it was;
    notes: what is no fault and a reader should know; measures: numbers by name.
    """

    name: str
    faults: Sequence[Fault] = ()
    looked_at: str = ""
    why_not: str = ""
    notes: Sequence[str] = ()
    measures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return "fault" if self.faults else "not checked" if self.why_not else "ok"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "state": self.state, "looked_at": self.looked_at, "why_not": self.why_not,
            "faults": [fault.as_json() for fault in self.faults], "notes": list(self.notes),
            "measures": dict(self.measures),
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For a terminal: state and what was looked at, then a line for each fault and note."""
        said = self.why_not if self.state == "not checked" else self.looked_at
        yield f"{self.name:{_WIDTH}}{self.state:14}{printable(said, 160)}".rstrip()
        for fault in self.faults:
            names = ", ".join(printable(name, _NAME) for name in fault.names[:_SHOWN])
            more = f" and {fault.count - _SHOWN} more" if fault.count > _SHOWN else ""
            detail = f" ({printable(fault.detail, 200)})" if fault.detail else ""
            yield f"  {fault.count} {fault.kind}: {names}{more}{detail}"
        yield from (f"  {printable(note, 300)}" for note in self.notes)


@dataclass(frozen=True)
class Report:
    """folder: as it was named; clips: rows that could be read; checks: in the order in which they are shown."""

    folder: Path
    clips: int
    checks: Sequence[Check]

    @property
    def whole(self) -> bool:
        """Whether no fault was found. What was not checked is no fault, and no proof either."""
        return all(check.state != "fault" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as docs/schemas/set-check.schema.json describes them."""
        counts = {state: sum(check.state == state for check in self.checks) for state in ("ok", "fault", "not checked")}
        return {
            "schema": SCHEMA, "set": str(self.folder), "clips": self.clips, "whole": self.whole, "states": counts,
            "checks": [check.as_json() for check in self.checks],
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        for check in self.checks:
            yield from check.lines()
        faults = sum(check.state == "fault" for check in self.checks)
        left = sum(check.state == "not checked" for check in self.checks)
        yield ""
        yield f"{self.clips} clips, {len(self.checks)} checks: {faults} with faults, {left} not checked"
