"""Values out of a stranger's report: whatever their shape, what comes out has a known one and a bounded size.

In: anything that JSON holds. Out: text, dictionaries, lists, never larger than the limits here. Nothing is escaped:
that happens where a person reads it (sfumato.text).
"""

from __future__ import annotations

from typing import Any

LONGEST = 1000  # characters of one foreign string
MOST = 100  # entries of one foreign list
DEEPEST = 8  # levels of ingredients, and of nested facts


def cut(text: object) -> str:
    """At most LONGEST characters of a foreign string; the rest is counted."""
    source = str(text)
    return source if len(source) <= LONGEST else f"{source[:LONGEST]}... ({len(source) - LONGEST} characters more)"


def text_of(value: Any) -> str | None:
    """A string that says something, cut; else None."""
    return cut(value) if isinstance(value, str) and value else None


def dict_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def bounded(value: Any, depth: int = 0) -> Any:
    """Nested values with every string cut, every list and dictionary capped, and an end to the depth."""
    if isinstance(value, dict):
        return (
            {cut(key): bounded(item, depth + 1) for key, item in list(value.items())[:MOST]} if depth < DEEPEST else {}
        )
    if isinstance(value, list):
        return [bounded(item, depth + 1) for item in value[:MOST]] if depth < DEEPEST else []
    return cut(value) if isinstance(value, str) else value


def codes_of(entries: Any) -> tuple[str, ...]:
    """The validation codes in a list of results, each once."""
    codes = (text_of(dict_of(entry).get("code")) for entry in list_of(entries)[: MOST * 10])
    return tuple(dict.fromkeys(code for code in codes if code))[:MOST]
