"""Configuration: TOML and `--set a.b=value` into frozen dataclasses. Unknown keys and wrong types are refused.

The dataclass is the schema: its fields name the keys, its defaults hold the reasons, its `__post_init__` the ranges.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sfumato.errors import ConfigError, nearest
from sfumato.limits import SETTINGS
from sfumato.regular_file import read_regular_text

T = TypeVar("T")
DEEPEST_KEY = 32  # parts of a key, as in a.b.c; ours have three
_STRING = re.compile(r"""\"(?:[^"\\\n]|\\.)*\"|'[^'\n]*'""")
_DEEP_KEY = re.compile(rf"(?:\.[^\n.=,{{}}\[\]]*){{{DEEPEST_KEY}}}")


def load_config(
    schema: type[T], path: Path | None = None, overrides: Iterable[str] = (), *, base: Path | None = None
) -> T:
    """Reads `base` (a preset), lays `path` over it key by key (both TOML, both optional), then `overrides`
    ("a.b=value").

    Returns an instance of the dataclass `schema`. Raises ConfigError for unreadable TOML, unknown keys, values of the
    wrong type or out of range.
    """
    values: dict[str, Any] = {}
    for source in (base, path):
        if source is not None:
            _lay_over(values, _read_toml(source))
    for override in overrides:
        _set(values, override)
    return from_dict(schema, values)


def parse_toml(text: str) -> dict[str, Any]:
    """Raises ValueError, for a key of very many parts too, which would take the square of their number; RecursionError
    for values in values.
    """
    if _DEEP_KEY.search(_STRING.sub("", text)):
        raise ValueError(f"a key has more than {DEEPEST_KEY} parts")
    return tomllib.loads(text)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_regular_text(path, SETTINGS, "utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"Cannot read the configuration {path}: {error}", "It must be a TOML file.") from error


def _lay_over(values: dict[str, Any], others: Mapping[str, Any]) -> None:
    for key, other in others.items():
        if isinstance(other, dict) and isinstance(values.get(key), dict):
            _lay_over(values[key], other)
        else:
            values[key] = other


def from_dict(schema: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Builds `schema` from plain values, nested dataclasses included. Raises ConfigError as `load_config` does."""
    hints = typing.get_type_hints(schema)
    known = {field.name for field in dataclasses.fields(schema) if field.init}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known, key=str)
    if unknown:
        near = nearest(unknown[0], known)
        meant = f"Did you mean {near!r}? " if near else ""
        raise ConfigError(f"Unknown key {where}{unknown[0]}", f"{meant}Known here: {', '.join(sorted(known))}.")
    arguments = {name: _convert(hints[name], value, f"{where}{name}") for name, value in values.items()}
    if missing := [name for name in _required(schema) if name not in values]:
        raise ConfigError(
            f"{where}{missing[0]} is missing", f"Needed here: {', '.join(f'{where}{name}' for name in missing)}."
        )
    try:
        return schema(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where or schema.__name__} is out of range: {error}") from error


def _required(schema: type[Any]) -> list[str]:
    """The keys that have no default, in the order of the fields."""
    absent = dataclasses.MISSING
    return [
        field.name
        for field in dataclasses.fields(schema)
        if field.init and field.default is absent and field.default_factory is absent
    ]


def to_dict(config: Any) -> dict[str, Any]:
    """The plain values of a config (paths as strings), ready for JSON; `from_dict` reads them back equal."""
    plain: dict[str, Any] = _plain(dataclasses.asdict(config))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return str(value) if isinstance(value, Path) else value


def _set(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"Cannot understand --set {override!r}", "Write it as key.subkey=value.")
    *parents, last = key.strip().split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{parent!r} in --set {override!r} is a value, not a section")
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        values[last] = text  # a bare word is a string


def _convert_union(kinds: list[Any], value: Any, where: str) -> Any:
    for kind in kinds:  # an exact match first, so that 3 stays an int where float | int is asked
        if isinstance(kind, type) and type(value) is kind:
            return value
    for kind in kinds[:-1]:
        try:
            return _convert(kind, value, where)
        except ConfigError:
            continue
    return _convert(kinds[-1], value, where)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert_union([kind for kind in arguments if kind is not type(None)], value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{where} is {value!r}", f"Choose one of: {', '.join(map(str, arguments))}.")
        return value
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is {value!r}", "It must be a section.")
        return from_dict(hint, value, f"{where}.")  # type: ignore[arg-type]
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} is {value!r}", "It must be a list.")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_convert(arguments[0], item, where) for item in value)
        if len(value) != len(arguments):
            raise ConfigError(f"{where} has {len(value)} entries", f"It must have {len(arguments)}.")
        return tuple(_convert(kind, item, where) for kind, item in zip(arguments, value, strict=True))
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is {value!r}", "It must be a section.")
        return {str(key): _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise ConfigError(f"{where} is out of range") from error
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ConfigError(f"{where} is {value!r}", f"It must be of type {getattr(hint, '__name__', hint)}.")
