"""Foreign text becomes one line of what it is."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.text import json_line, printable


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


def test_json_of_a_name_that_is_no_utf_8() -> None:
    assert json_line({"path": "caf\udce9 \u00e9 \U0001f600\x7f\x1b"}) == (
        r'{"path": "caf\ufffd \u00e9 \ud83d\ude00\u007f\u001b"}'
    )


@given(st.text(st.characters()))
def test_json_is_ascii_and_says_the_same(text: str) -> None:
    line = json_line([text, 1.5, None])
    assert line.isascii() and len(line.splitlines()) == 1
    assert json.loads(line) == [re.sub("[\ud800-\udfff]", "\ufffd", text), 1.5, None]
