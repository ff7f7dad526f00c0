"""A line of a record as a frozen dataclass: JSON in, a row out, and back.

A field is a key of the line, under the name in its metadata where Python's is another; one whose value is a row, or
rows by name, says in its metadata of what class (`of`, `each`). A field whose default is None is left out of a line
while it is None; what a line holds beside the fields, as how it came about, is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

from sfumato.errors import UsageError

Interval = tuple[float, float]  # 95 %, low and high


@dataclass(frozen=True, kw_only=True)
class Row:
    """What all rows can do."""

    def line(self) -> dict[str, Any]:
        """As JSON has it."""
        found = {_key(field): (getattr(self, field.name), field.default) for field in fields(self)}
        return {
            key: _plain(value) for key, (value, default) in found.items() if value is not None or default is not None
        }

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """The row of a line. Raises UsageError when the line lacks a field."""
        held = {field.name: _held(field, line[_key(field)]) for field in fields(cls) if _key(field) in line}
        try:
            return cls(**held)
        except TypeError as error:
            raise UsageError(f"A line is no {cls.__name__}: {error}", "Measure it again.") from error


Kind = TypeVar("Kind", bound=Row)


@dataclass(frozen=True, kw_only=True)
class About(Row):
    """How a line came about: what every line carries besides its numbers."""

    command: str
    version: str
    date: str  # of the measurement, UTC
    machine: str
    protocol: str
    interval: str  # what its intervals mean


def read_kind(kinds: Mapping[str, type[Kind]], line: Mapping[str, Any], record: str) -> Kind:
    """The row of a line by its kind, one of those a record holds. Raises UsageError."""
    if line.get("kind") not in kinds:
        raise UsageError(f"There is no such line of {record}: {line.get('kind')!r}", "Measure it again.")
    return kinds[line["kind"]].read(line)


def _key(field: Any) -> str:
    return str(field.metadata.get("key", field.name))


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return value.line()
    return {key: _plain(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def _held(field: Any, value: Any) -> Any:
    if "of" in field.metadata:
        return field.metadata["of"].read(value)
    if "each" in field.metadata:
        return {key: field.metadata["each"].read(part) for key, part in value.items()}
    return tuple(value) if isinstance(value, list) else value
