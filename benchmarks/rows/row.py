"""A line of a record as a frozen dataclass: JSON in, a row out, and back.

A field is a key of the line, under the name in its metadata where Python's is another. One that is an `Estimate` is a
key for each of its parts: `auc`, `auc_interval`; one that is a row, or rows by name, is an object. A field whose
default is None is left out of a line while it is None; what a line holds beside the fields, as how it came about, is
passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from sfumato.errors import UsageError

Interval = tuple[float, float]  # 95 %, low and high


@dataclass(frozen=True)
class Estimate:
    """A number and how sure it is. interval: None where none could be drawn. What a subclass adds is a key of the line,
    too: `auc_covered`.
    """

    value: float
    interval: Interval | None = None

    def line(self, key: str) -> dict[str, Any]:
        """Its keys in a line that has the number under `key`; those that are None are left out."""
        return {name: getattr(self, part) for part, name in self._keys(key) if getattr(self, part) is not None}

    @classmethod
    def read(cls, line: Mapping[str, Any], key: str) -> Self:
        """What `line` has under `key` and the keys that go with it."""
        return cls(**{part: _listed(line[name]) for part, name in cls._keys(key) if name in line})

    @classmethod
    def _keys(cls, key: str) -> list[tuple[str, str]]:
        return [(part.name, key if part.name == "value" else f"{key}_{part.name}") for part in fields(cls)]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Row:
    """What all rows can do. A class of rows is a frozen dataclass whose fields are given by name; its `kind`, where it
    has one, is the first of its own keys and tells its lines from the others of a record.
    """

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, kind: str | None = None) -> None:
        if kind is not None:
            cls.__annotations__ = {"kind": "str", **cls.__annotations__}
            cls.kind = kind
        dataclass(frozen=True, kw_only=True)(cls)

    def line(self) -> dict[str, Any]:
        """As JSON has it."""
        told: dict[str, Any] = {}
        for known in fields(self):
            value = getattr(self, known.name)
            if isinstance(value, Estimate):
                told |= value.line(_key(known))
            elif value is not None or known.default is not None:
                told[_key(known)] = _plain(value)
        return told

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """The row of a line. Raises UsageError when the line lacks a field."""
        hints = _hints(cls)  # type: ignore[arg-type]  # mypy looks at the hash of the instances
        there = {known.name: _key(known) for known in fields(cls) if _key(known) in line}
        held = {name: _held(hints[name], key, line) for name, key in there.items()}
        try:
            return cls(**held)
        except TypeError as error:
            raise UsageError(f"A line is no {cls.__name__}: {error}", "Measure it again.") from error


Kind = TypeVar("Kind", bound=Row)
Reader = Callable[[Mapping[str, Any]], Kind]


class About(Row):
    """How a line came about: what every line carries besides its numbers."""

    command: str
    version: str
    date: str  # of the measurement, UTC
    machine: str
    protocol: str
    interval: str  # what its intervals mean


def reader(record: str, *classes: type[Kind]) -> Reader[Kind]:
    """What reads the lines of a record that holds rows of several kinds. It raises UsageError for a line of another."""
    kinds = {cls.kind: cls for cls in classes}

    def read(line: Mapping[str, Any]) -> Kind:
        if line.get("kind") not in kinds:
            raise UsageError(f"There is no such line of {record}: {line.get('kind')!r}", "Measure it again.")
        return kinds[line["kind"]].read(line)

    return read


@cache
def _hints(row: type[Row]) -> dict[str, Any]:
    return get_type_hints(row)


def _key(known: Field[Any]) -> str:
    return str(known.metadata.get("key", known.name))


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return value.line()
    return {key: _plain(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def _held(hint: Any, key: str, line: Mapping[str, Any]) -> Any:
    """What a line has under `key`, as the type `hint` wants it."""
    value, parts = line[key], get_args(hint)
    if get_origin(hint) is UnionType:  # with None, always
        return None if value is None else _held(parts[0], key, line)
    if get_origin(hint) is Mapping:
        return {name: _held(parts[1], name, value) for name in value}
    if isinstance(hint, type) and issubclass(hint, Estimate):
        return hint.read(line, key)
    if isinstance(hint, type) and issubclass(hint, Row):
        return hint.read(value)
    return _listed(value)


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
