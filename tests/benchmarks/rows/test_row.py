"""Rows and lines: what is written can be read, names and absent numbers included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from benchmarks.rows.row import Estimate, Interval, Reader, Row, reader
from sfumato.errors import UsageError


class Known(Row, kind="known"):
    shots: int = field(metadata={"key": "T"})
    model: str | None
    change: Interval | None = None


class Nested(Row):
    one: Known
    many: Mapping[str, Known] | None = None


@dataclass(frozen=True)
class Spread(Estimate):
    of: tuple[int, int] | None = None


class Measured(Nested, kind="measured"):
    auc: Spread
    ratio: Estimate | None = None


def test_a_row_is_the_same_after_json() -> None:
    row = Known(shots=8, model="ab", change=(0.1, 0.2))
    assert Known.read(json.loads(json.dumps(row.line()))) == row


def test_a_field_has_the_lines_name_for_it() -> None:
    assert Known(shots=8, model="ab").line()["T"] == 8


def test_what_was_not_measured_is_left_out_and_what_does_not_exist_is_null() -> None:
    assert Known(shots=8, model=None).line() == {"kind": "known", "T": 8, "model": None}


def test_what_a_line_holds_beside_the_row_is_passed_over() -> None:
    assert Known.read({"T": 1, "model": None, "date": "2026-01-01"}) == Known(shots=1, model=None)


def test_a_line_that_lacks_a_number_is_refused() -> None:
    with pytest.raises(UsageError, match="shots"):
        Known.read({"model": None})


def test_rows_in_a_row_are_the_same_after_json() -> None:
    inner = Known(shots=8, model=None, change=(0.1, 0.2))
    row = Nested(one=inner, many={"0.1": inner})
    assert row.line()["many"] == {"0.1": {"kind": "known", "T": 8, "model": None, "change": (0.1, 0.2)}}
    assert Nested.read(json.loads(json.dumps(row.line()))) == row


def test_a_line_of_a_kind_that_a_record_does_not_hold_is_refused() -> None:
    read: Reader[Known | Measured] = reader("speed", Known, Measured)
    assert read({"kind": "known", "T": 1, "model": None}) == Known(shots=1, model=None)
    with pytest.raises(UsageError, match="no such line of speed: 'other'"):
        read({"kind": "other"})


def test_an_estimate_is_a_key_for_each_of_its_parts() -> None:
    row = Measured(one=Known(shots=8, model=None), auc=Spread(0.9, (0.8, 1.0), (9, 10)), ratio=Estimate(2.0))
    line = row.line()
    assert list(line) == ["one", "kind", "auc", "auc_interval", "auc_of", "ratio"]
    assert (line["auc"], line["auc_interval"], line["auc_of"], line["ratio"]) == (0.9, (0.8, 1.0), (9, 10), 2.0)
    assert Measured.read(json.loads(json.dumps(line))) == row
    assert Measured.read({key: part for key, part in line.items() if key != "ratio"}).ratio is None


def test_rows_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Known(shots=8, model=None).shots = 9  # type: ignore[misc]
