"""A JSON text of a stranger, read strictly. In: its bytes. Out: plain values, or ValueError that says what is wrong.

What `json` lets pass and nobody means is refused: a key that is given twice, of which one value would vanish; NaN and
Infinity; numbers beyond 64 bits; halves of characters. How deep it goes is counted before anything is built up.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar

from sfumato.limits import JSON_DEPTH, LINE, Limit

_BRACKETS = re.compile(rb'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)  # a string is stepped over whole
Value = TypeVar("Value")
_LARGEST = 2**63
_LONGEST_NUMBER = 20  # digits and sign of a number of 64 bits


def parse_json(data: bytes, depth: Limit = JSON_DEPTH) -> Any:
    """`data`: UTF-8, with a mark of the byte order or without. Raises ValueError, with a sentence for people."""
    _hold_depth(data, depth)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 (byte {error.start})") from error
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer, parse_float=_number
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    _hold_characters(found)
    return found


def json_lines(file: IO[bytes], read: Callable[[Any], Value]) -> Iterator[Value]:
    """What `read` makes of each line of JSON lines; empty ones are skipped, none is read beyond its limit. Raises
    ValueError that begins with the line's number, from 1.
    """
    number = 0
    while line := file.readline(LINE.most + 1):
        number += 1
        if not line.strip():
            continue
        try:
            if len(line) > LINE.most:
                raise ValueError("the line is too long")
            found = read(parse_json(line))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
        yield found


def _hold_depth(data: bytes, limit: Limit) -> None:
    """Brackets in strings count for nothing, those that close nothing are left to the parser."""
    depth = 0
    for found in _BRACKETS.finditer(data):
        if found[1]:
            depth += 1
            if depth > limit.most:
                raise ValueError(f"it is more than {limit.most} levels deep")
        elif found[2]:
            depth = max(0, depth - 1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:80]!r} is given twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER or not -_LARGEST <= int(digits) < _LARGEST:
        raise ValueError(f"the number {digits[:40]} does not fit into 64 bits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value


def _hold_characters(value: Any) -> None:
    """JSON can spell one half of a pair of code units, which is no character and which no UTF-8 holds."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"a text holds half a character: {value[:80]!r}") from error
    elif isinstance(value, dict):
        for key, item in value.items():
            _hold_characters(key)
            _hold_characters(item)
    elif isinstance(value, list):
        for item in value:
            _hold_characters(item)
