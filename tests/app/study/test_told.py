"""A score in words and as a record: chance, bounds, of whom they speak, and who is named."""

from __future__ import annotations

import json

from sfumato.app.study.answers import Answer, Sheet
from sfumato.app.study.key import Key
from sfumato.app.study.score import score
from sfumato.app.study.told import lines_of, record_of
from tests.review_fixtures import HOSTILE
from tests.study_fixtures import toy_key


def sheets(key: Key, count: int, seconds: float = 4.0) -> list[Sheet]:
    """Everybody finds the fake of every second question."""
    answers = tuple(
        Answer(question, question.number % 2 == 0, question.number % 3 + 1, seconds) for question in key.questions
    )
    return [Sheet(f"{code:016x}", answers) for code in range(count)]


def test_the_record_holds_what_was_counted() -> None:
    key = toy_key(questions=10, methods=("a", "b"), same=(1,))
    record = json.loads(json.dumps(record_of(score(key, sheets(key, 6)))))
    assert record["schema_version"] == 1
    assert record["study"] == {"id": key.study, "program": key.program, "seed": 0, "clips_sha256": key.clips_sha256}
    assert (record["choices"], record["questions"], record["people"]) == (3, 10, 10)
    assert (record["all"]["right"], record["all"]["of"], record["all"]["rate"]) == (30, 60, 0.5)
    assert record["all"]["interval"][0] < 0.5 < record["all"]["interval"][1]
    assert record["all"]["interval_over"] == "participants and people"
    assert record["all"]["against_chance"] == "undecided"
    assert record["all"]["median_seconds"] == 4.0
    assert record["without_remarks"] is None
    assert {name: part["rate"] for name, part in record["methods"].items()} == {"a": 0.0, "b": 1.0}
    assert record["same_moments"]["of"] == 6
    assert len(record["participants"]) == 6


def test_the_words_name_chance_and_of_whom_the_interval_speaks() -> None:
    key = toy_key(questions=10)
    text = "\n".join(lines_of(score(key, sheets(key, 6))))
    assert "by chance 33.3% would be found" in text
    assert "found the fake: 50.0% (95 %: " in text
    assert "participants and people drawn anew), 30 of 60, median 4.0 s: not told apart from chance" in text
    assert "of these participants alone, who are fewer than 5" in "\n".join(lines_of(score(key, sheets(key, 2))))
    pairs = toy_key(questions=10, choices=2)
    assert "by chance 50.0% would be found" in "\n".join(lines_of(score(pairs, sheets(pairs, 6))))


def test_remarks_come_first_and_many_are_counted() -> None:
    key = toy_key(questions=10)
    careless = Sheet("f" * 16, sheets(key, 1, 0.2)[0].answers)
    lines = list(lines_of(score(key, [*sheets(key, 30), careless])))
    beginning = lines.index("participants, each with the exact interval of their own answers:")
    assert lines[beginning + 1].startswith(f"  {'f' * 16}: 50.0%")
    assert "10 of 10 answers came within 1 s" in lines[beginning + 1]
    assert lines[-1] == "  and 11 more; --json has all"
    assert any(line.startswith("without the 1 with a remark: 50.0%") for line in lines)


def test_foreign_names_are_shown_as_text() -> None:
    key = toy_key(questions=10, methods=(HOSTILE, "b"))
    text = "\n".join(lines_of(score(key, sheets(key, 6))))
    assert "\x1b" not in text
    assert "\u202e" not in text
