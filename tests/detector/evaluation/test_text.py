"""An evaluation as text: the protocol in every line, foreign names escaped, refusals told."""

import re

import pytest

from detector.evaluation.leakage import Leak
from detector.evaluation.run import EvaluationConfig, evaluate
from detector.evaluation.text import as_text
from tests.evaluation_fixtures import crowd


@pytest.fixture(scope="module")
def found():
    return evaluate(crowd(30), EvaluationConfig(), [Leak("split", ("ann\n",), 1)])


def test_text_has_the_protocol_in_every_line_and_escapes_names(found) -> None:
    lines = list(as_text(found))
    assert all("s1-" in line for line in lines[1 : 1 + len(found.rows)])
    assert any("ann\\n" in line for line in lines)
    assert any("cannot be seen on 30 reals" in line for line in lines)
    assert any(line.startswith("Shortcut audit") for line in lines)


def test_no_rate_stands_alone() -> None:
    crowded = crowd(17, gap=0.9)
    for line in as_text(evaluate(crowded, EvaluationConfig(threshold=0.99))):
        for rate in re.findall(r"(?:FPR|TPR|accuracy at .5|fakes are 10.0%:|, 0.1%:) [0-9.]+(?P<rest>.{0,2})", line):
            assert rate == " [", line
    (head, first, *_) = as_text(evaluate(crowded, EvaluationConfig()))
    assert first.count("[") == 3 and "TPR@1% [95 %]" in head  # a rate of 1 % cannot be seen on 17
