"""A comparison as text: escaped, with what a reader must know."""

import pytest

from detector.comparison.judged import Judged
from detector.comparison.run import compare
from detector.comparison.text import as_text
from detector.evaluation import intervals
from detector.evaluation.leakage import Leak
from detector.evaluation.run import EvaluationConfig
from tests.comparison_fixtures import pair, people, said


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(intervals, "DRAWS", 50)


def told(judged, leaks=()) -> list[str]:
    return list(as_text(compare(judged, EvaluationConfig(frames=0), leaks)))


def test_values_and_differences_of_every_slice() -> None:
    lines = told(pair(count=40))
    assert lines[0].split("  ")[0] == "slice" and "TPR@10% [95 %]" in lines[0] and "TPR@1%" not in lines[0]
    assert lines[1].startswith("all") and "40" in lines[1] and "80" in lines[1]
    assert any(line.strip().startswith("second - first") for line in lines)
    assert any(line.startswith("generator warp") for line in lines)
    assert "Refused, tpr@0.01: A false-positive rate of 0.01 cannot be seen on 40 reals." in lines


def test_too_few_is_said() -> None:
    lines = told(pair(count=3))
    assert "[too few]" in lines[1]
    assert any(line.startswith("Too few in ") for line in lines)


def test_foreign_names_are_escaped() -> None:
    first = people(6)
    evil = "x\u202e\x1b[31m"
    failing = said(first, lambda score, number: None if number == 0 else score)
    text = "\n".join(told([Judged("a", first), Judged(evil, failing)], [Leak("file", (evil,), 1)]))
    assert "\u202e" not in text and "\x1b" not in text
    assert "failed at 1; the first: /nowhere/p0 v0.mp4 (ValueError: <no>)" in text
    assert "Leak: 1 shared (file)" in text
