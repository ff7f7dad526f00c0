"""Foreign text made safe to print: file names, metadata and messages of other people's files.

A name may hold line breaks, terminal escapes or right-to-left overrides; what we print stays one line that says what it is.
"""

from __future__ import annotations

import unicodedata

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, format (bidi, zero width), surrogates, private use, line and paragraph separators


def printable(text: object) -> str:
    """`text` as one printable line: every control or invisible formatting character becomes its escape (\\n, \\x1b, \\u202e)."""
    return "".join(_escape(character) if unicodedata.category(character) in _UNSAFE else character for character in str(text))


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
