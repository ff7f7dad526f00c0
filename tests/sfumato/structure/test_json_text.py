"""JSON of a stranger: what means one thing is read, what means two or nothing is refused with a sentence."""

from __future__ import annotations

import io

import pytest

from sfumato.limits import LINE, Limit
from sfumato.structure.json_text import json_lines, parse_json


def test_plain_values_come_out_as_they_are() -> None:
    text = '\ufeff{"a": [1, -2.5, true, null, "\\u00e9\\ud83d\\ude00"], "b": {"a": 9223372036854775807}}'
    assert parse_json(text.encode()) == {"a": [1, -2.5, True, None, "é😀"], "b": {"a": 2**63 - 1}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 1}', "'a' is given twice"),
        ('{"b": [{"a": 1, "\\u0061": 2}]}', "'a' is given twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 9223372036854775808}', "64 bits"),
        (f'{{"a": {"9" * 100_000}}}', "64 bits"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"\\udfff": 1}', "half a character"),
        ('{"a": 1,}', "line 1, column"),
        ('{"a": 1} {"a": 1}', "Extra data"),
        ("", "no JSON"),
        ("{'a': 1}", "no JSON"),
        ("// a\n{}", "no JSON"),
        ('{"a": "', "no JSON"),
    ],
)
def test_anything_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_json(text.encode())


@pytest.mark.parametrize("data", [b'{"a": "\xff"}', '{"a": 1}'.encode("utf-16")])
def test_other_encodings_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        parse_json(data)


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_depth_is_counted_before_anything_is_built(pair: str) -> None:
    limit = Limit(3, "levels", "a text", "two are enough")
    opening = pair[0] if pair == "[]" else '{"a":'
    assert parse_json((opening * 2 + pair + pair[1] * 2).encode(), limit)
    with pytest.raises(ValueError, match="more than 3 levels"):
        parse_json((opening * 3 + pair + pair[1] * 3).encode(), limit)
    with pytest.raises(ValueError, match="more than 3 levels"):
        parse_json((opening * 300_000).encode(), limit)


@pytest.mark.parametrize("text", ['["[[[[{{{{"]', '["\\"[[[[\\\\"]', "[[], [], [], [], []]"])
def test_brackets_in_strings_and_side_by_side_are_no_depth(text: str) -> None:
    assert parse_json(text.encode(), Limit(2, "levels", "a text", "two are enough"))


@pytest.mark.parametrize("text", ['"' + '\\"' * 400_000, '"a' * 400_001, "\\" * 800_000, '["\\'])
def test_a_string_without_an_end_takes_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        parse_json(text.encode())


def test_lines_are_read_one_by_one_and_a_wrong_one_is_named() -> None:
    assert list(json_lines(io.BytesIO(b'{"a": 1}\n\n  \n[2]'), lambda values: values)) == [{"a": 1}, [2]]
    for text, why in ((b"1\n\n{", "line 3: it is no JSON"), (b" " + b"x" * LINE.most, "line 1: the line is too long")):
        with pytest.raises(ValueError, match=why):
            list(json_lines(io.BytesIO(text), lambda values: values))
