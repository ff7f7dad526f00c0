"""Times of rounds: frames are counted, medians taken, ratios are over rounds, and the processor says what it can."""

from __future__ import annotations

import time

from benchmarks.metrics.timing import RoundTimes, processor
from benchmarks.rows.row import Estimate


def test_timing_counts_frames_and_takes_medians() -> None:
    timing = RoundTimes()
    timing.add(lambda: time.sleep(0.2) or 4)
    assert 0.05 <= timing.wall[0] < 5 and timing.cpu[0] < 0.05
    assert RoundTimes([0.5, 0.2, 0.1], [0.25, 0.5, 1.0]).row() == {"fps": 5.0, "fps_cpu": 2.0}


def test_a_row_says_how_often_faster_it_is_than_another() -> None:
    row = RoundTimes([1.0, 1.0], [1.0, 1.0]).row(over=RoundTimes([2.0, 2.0], [4.0, 4.0]))
    assert row["ratio_wall"] == Estimate(2.0, (2.0, 2.0))
    assert row["ratio_cpu"] == Estimate(4.0, (4.0, 4.0))


def test_the_processor_has_a_name() -> None:
    assert processor().split(",")[0]
