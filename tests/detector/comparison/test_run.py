"""A comparison's records: what each line says, and of which videos."""

import json

import pytest

from detector.comparison.judged import Judged
from detector.comparison.run import compare
from detector.evaluation import intervals
from detector.evaluation.leakage import Leak
from detector.evaluation.run import EvaluationConfig
from tests.comparison_fixtures import pair, people, said

CONFIG = EvaluationConfig(frames=0)


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(intervals, "DRAWS", 50)


def test_lines_say_what_was_judged_by_whom() -> None:
    first = people(10)
    failing = said(first, lambda score, number: None if number < 2 else score)
    about = {"name": "predictions", "file": "b.csv", "training": {"secret": 1}}
    found = compare([Judged("a", first), Judged("b", failing, 0, about)], CONFIG, [Leak("file", ("x",), 1)])
    lines = [json.loads(line) for line in found.lines()]
    assert [line["record"] for line in lines[:3]] == ["protocol", "judged", "judged"]
    assert {line["record"] for line in lines} == {"protocol", "judged", "comparison", "leaks", "shortcuts"}
    told = lines[2]
    assert (told["name"], told["judged"], told["failed"], told["of"], told["common"]) == ("b", 28, 2, 30, 28)
    assert told["model"] == {"name": "predictions", "file": "b.csv"}
    assert told["protocol"] == lines[0]["protocol"] and lines[0]["means"]["videos"] == 28
    assert lines[-2]["found"][0]["names"] == ["x"] and found.leaks_badly


def test_one_class_has_no_curves_and_a_reason() -> None:
    fakes = [item for item in people(6) if item.sample.label == "fake"]
    found = compare([Judged("a", fakes)], CONFIG)
    assert found.curves == {} and "all metrics" in found.rows[0].refused


def test_what_files_alone_give_away_is_looked_at() -> None:
    judged = pair(count=20)
    assert "refused" in compare(judged, CONFIG).metadata  # nobody has looked at these files
    for item in judged[0].scored:
        item.media.update(size=1000 + (item.sample.label == "fake"), codec="h264")
    assert compare(judged, CONFIG).metadata["auc"] == 1.0
