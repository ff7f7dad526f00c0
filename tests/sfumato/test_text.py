"""Foreign text becomes one line of what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("film.mp4", "film.mp4"),
        ("Großmutter 祖母.mp4", "Großmutter 祖母.mp4"),
        ("a\nError: b", "a\\nError: b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("gpj\u202e4pm.exe", "gpj\\u202e4pm.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udcff.mp4", "\\udcff.mp4"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_known_values(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_always_one_line_that_can_be_encoded(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown


def test_long_text_is_cut_and_counted() -> None:
    assert printable("abcdef", 3) == "abc... (3 characters more)"
    assert printable("abc", 3) == "abc"


def test_marks_do_not_pile_up() -> None:
    assert printable("e\u0301") == "e\u0301"
    assert printable("e" + "\u0301" * 50).count("\u0301") == 3
