"""What a worker hands back: rows that survive the journal, and a clock that also counts what fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.sets.making.make_pairs import Made, TimedSeal, rows_of, source_id
from sfumato.errors import SealError
from tests.app.sets.test_layout import pair
from tests.detector_fixtures import clip_row


def test_rows_come_back_from_the_journal_as_they_were() -> None:
    made = Made(pair(3), [("0/a.png", "no face")], {"render": 1.0})
    record = json.loads(json.dumps(made.record()))
    assert rows_of(record) == made.rows
    assert record["refused"] == [["0/a.png", "no face"]]


@pytest.mark.parametrize("record", [{}, {"rows": [[{}, {}]]}, {"rows": [1]}, {"rows": None}])
def test_another_record_is_no_rows(record: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        rows_of(record)


def test_a_seal_that_fails_has_taken_time_too() -> None:
    def failing(unsealed: Path, destination: Path, facts: Any) -> None:
        raise SealError("no key")

    timed = TimedSeal(failing)
    with pytest.raises(SealError):
        timed(Path("a"), Path("b"), None)  # type: ignore[arg-type]
    assert timed.seconds > 0


def test_a_source_is_named_by_its_content_alone() -> None:
    one, other = clip_row("a.png"), clip_row("b.png")
    assert source_id(one) != source_id(other)
    assert source_id(one) == f"source:{one.sha256[:32]}"
