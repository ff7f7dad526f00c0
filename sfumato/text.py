"""Foreign text made safe to show: file names, metadata and messages of other people's files.

A name may hold line breaks, terminal escapes or right-to-left overrides; what we show stays one line that says what it
is. Kept as it is inside; passed through here at every place where a person reads it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

_UNSAFE = {
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Zl",
    "Zp",
}  # controls, format (bidi, zero width), surrogates, private use, line ends
_MARKS = {"Mn", "Me"}  # marks that sit on the letter before them
_MOST_MARKS = 3  # real scripts stack two or three on a letter; a tower of them paints over other lines
_HALF, _NO_ASCII = re.compile("[\ud800-\udfff]"), re.compile(r"[^\x00-\x7e]+")


def printable(text: object, limit: int | None = None) -> str:
    """`text` as one printable line: every control or invisible formatting character becomes its escape (\\n, \\x1b,
    \\u202e).

    Past `limit` characters of `text` the rest is left out and counted.
    """
    source = str(text)
    shown: list[str] = []
    marks = 0
    for character in source[:limit]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        shown.append(_escape(character) if category in _UNSAFE or marks > _MOST_MARKS else character)
    left_out = 0 if limit is None else max(0, len(source) - limit)
    return "".join(shown) + (f"... ({left_out} characters more)" if left_out else "")


def json_line(value: object) -> str:
    """`value` as one line of JSON in ASCII: what could steer a terminal is an escape. Half characters, which stand in
    names that are no UTF-8, become U+FFFD: they have no place in JSON, and many readers refuse them.
    """
    whole = _HALF.sub("\ufffd", json.dumps(value, ensure_ascii=False))
    return _NO_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], whole)


def left_out(refused: Iterable[tuple[object, str]], shown: int = 5) -> list[str]:
    """Lines about files that were passed over, (name, reason) each: the first `shown`, and how many more. A reason may
    name the file.
    """
    found = list(refused)
    told = [
        f"Left out: {reason}" if str(name) in reason else f"Left out {name}: {reason}" for name, reason in found[:shown]
    ]
    more = [f"Left out {len(found) - shown} more."] if len(found) > shown else []
    return [*(printable(line, 400) for line in told), *more]


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
