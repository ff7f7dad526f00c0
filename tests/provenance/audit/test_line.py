"""A line of an audit log: one spelling, a digest of its own, and nothing that reads back otherwise."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.audit.line import KINDS, Line, digest_of, is_torn, misfit, next_line, read_line
from sfumato.errors import UsageError

NOON = datetime(2026, 1, 31, 12, 0, 0, 123_456, UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def line(number: int = 2, **changes: Any) -> Line:
    first = next_line(None, "begin", {"log": "a"}, NOON)
    made = [first]
    for _ in range(number - 1):
        made.append(next_line(made[-1], "verdict", changes.get("body", {"score": 0.5}), NOON))
    return made[-1]


def test_a_line_is_spelled_as_rfc_8785_says() -> None:
    body = {"b": 1.0, "a": "é\u2028", "c": [True, None, 1e-7, -0.0]}
    written = next_line(None, "begin", body, NOON).as_bytes()
    assert written.startswith('{"body":{"a":"é\u2028","b":1,"c":[true,null,1e-7,0]},"kind":"begin","number":1'.encode())
    assert written.endswith(b'"time":"2026-01-31T12:00:00.123Z"}\n')


def test_the_digest_is_that_of_the_line_without_it() -> None:
    found = json.loads(line().as_bytes())
    digest = found.pop("sha256")
    assert digest == hashlib.sha256(json.dumps(found, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert found["previous"] == line(1).sha256


@given(body=st.dictionaries(TEXT, PLAIN, max_size=4), kind=st.sampled_from(KINDS))
def test_a_line_reads_back_as_it_was_written(body: dict[str, Any], kind: str) -> None:
    made = next_line(None, kind, body, NOON)
    assert read_line(made.as_bytes()) == made
    assert read_line(made.as_bytes()).as_bytes() == made.as_bytes()


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), 1e16, float("nan"), float("inf"), "\ud800", {1: 2}, {1, 2}, "x" * 2**20]
)
def test_what_would_read_back_otherwise_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="cannot stand in an audit log"):
        next_line(None, "begin", {"value": value}, NOON)


def test_a_time_is_told_in_utc() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    assert next_line(None, "begin", {}, east).time == "2026-01-31T12:00:00.123Z"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"0.5", b"0.6"), "digest"),
        ((b'"kind":"verdict"', b'"kind":"decision"'), "digest"),
        ((b'{"body"', b'{ "body"'), "canonical"),
        ((b'"score":0.5', b'"score":0.50'), "canonical"),
        ((b'"score":0.5', b'"score":0.5,"score":0.5'), "twice"),
        ((b'"schema_version":1', b'"schema_version":2'), "another version"),
        ((b'"number":2', b'"number":"2"'), "another kind"),
        ((b'"kind":"verdict"', b'"kind":"praise"'), "another kind"),
        ((b'"body":{"score":0.5}', b'"body":[]'), "another kind"),
        ((b'"time":"2026-01-31T12:00:00.123Z"', b'"time":7'), "another kind"),
        ((b'"previous":"', b'"previous":"x'), "a digest is none"),
        ((b'"kind":"verdict",', b""), "its keys are others"),
        ((b'"score":0.5', b'"score":NaN'), "NaN"),
        ((b"2026-01-31T", b"2026-02-31T"), "day is out of range"),
        ((b".123Z", b"Z"), "its time"),
        ((b".123Z", b".123+00:00"), "its time"),
        ((b"2026-01-31T12:00:00.123Z", b"\\u001b[31m"), "isoformat"),
    ],
)
def test_a_changed_line_is_refused_with_the_reason(change: tuple[bytes, bytes], reason: str) -> None:
    changed = line().as_bytes().replace(*change, 1)
    assert changed != line().as_bytes()
    with pytest.raises(ValueError, match=reason):
        read_line(changed)


def test_lines_follow_each_other_in_one_way() -> None:
    first, second, third = line(1), line(2), line(3)
    assert misfit(None, first) == misfit(first, second) == misfit(second, third) == ""
    assert "once more" in misfit(second, second)
    assert "number 3 where 2 is due" in misfit(first, third)
    assert "number 2 where 4 is due" in misfit(third, second)
    other = next_line(next_line(None, "begin", {"log": "b"}, NOON), "verdict", {}, NOON)
    assert "one of the two was changed" in misfit(first, other)
    assert "begins once" in misfit(first, next_line(first, "begin", {}, NOON))
    assert "begins once" in misfit(None, next_line(None, "verdict", {}, NOON))


@given(cut=st.integers(1, 400))
def test_every_piece_of_a_line_is_known_for_one(cut: int) -> None:
    whole = line().as_bytes().removesuffix(b"\n")
    assert is_torn(whole[: min(cut, len(whole) - 1)])
    assert not is_torn(whole)


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": [2.0]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
