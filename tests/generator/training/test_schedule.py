"""How far a run is, and how fast it learns there."""

from __future__ import annotations

import pytest

from generator.config import MouthConfig
from generator.training.schedule import rate_factor, share_of


@pytest.mark.parametrize(
    ("minutes", "steps", "seconds", "share"),
    [(0.0, 25, 1e6, 0.25), (1.0, 25, 30.0, 0.5), (1.0, 75, 30.0, 0.75), (1.0, 10, 90.0, 1.0), (0.0, 300, 0.0, 1.0)],
)
def test_whatever_ends_a_run_first_counts(minutes: float, steps: int, seconds: float, share: float) -> None:
    assert share_of(MouthConfig(steps=100, minutes=minutes), steps, seconds) == share


def test_rates_rise_and_fall_to_a_tenth() -> None:
    pace = MouthConfig(warm_up=10)
    assert rate_factor(pace, 0, 0.0) == pytest.approx(0.1)
    assert rate_factor(pace, 9, 0.0) == pytest.approx(1.0)
    assert rate_factor(pace, 500, 1.0) == pytest.approx(0.1)
    assert rate_factor(MouthConfig(warm_up=10, decay=False), 500, 1.0) == 1.0
