"""The choices of an evaluation: every name that a command offers is one that the library knows."""

from detector.evaluation.choices import AGGREGATORS
from detector.evaluation.protocol import _AGGREGATE


def test_every_aggregator_on_offer_is_there_and_no_other() -> None:
    assert tuple(_AGGREGATE) == AGGREGATORS
