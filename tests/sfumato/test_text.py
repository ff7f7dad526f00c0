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
