"""Stages that overlap: order, bound, errors, and no thread left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from sfumato.execution.overlap import in_order


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sfumato-overlap")]


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number

    assert list(in_order(slow_first, range(30), 3)) == list(range(30))
    assert workers() == []


def test_work_overlaps_with_whoever_takes_the_results() -> None:
    both = threading.Barrier(2, timeout=10)  # passes only if two items are worked on at once
    assert len(list(in_order(lambda number: both.wait(), range(4), 2))) == 4


def test_no_more_is_begun_than_was_asked_for() -> None:
    taken, drawn = 0, 0

    def source() -> Iterator[int]:
        nonlocal drawn
        for number in range(100):
            drawn += 1
            assert drawn - taken <= 4
            yield number

    for _ in in_order(lambda number: number, source(), 2, ahead=3):
        taken += 1
    assert taken == 100


def test_an_exception_comes_in_its_place() -> None:
    found = []
    with pytest.raises(ZeroDivisionError):
        for value in in_order(lambda number: 6 // (3 - number), range(10), 2):
            found.append(value)
    assert found == [2, 3, 6]
    assert workers() == []


def test_an_exception_of_the_items_comes_after_the_results_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the camera is gone")

    found = []
    with pytest.raises(OSError, match="camera"):
        for value in in_order(lambda number: number, source(), 2):
            found.append(value)
    assert found == [1, 2]


def test_whoever_stops_early_leaves_no_thread() -> None:
    done: list[int] = []
    results = in_order(lambda number: done.append(number), range(1000), 2)
    next(results)
    results.close()
    assert workers() == [] and len(done) < 20


def test_an_interrupt_ends_it() -> None:
    def interrupted() -> None:
        for value in in_order(lambda number: number, range(1000), 2):
            if value == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert workers() == []


@pytest.mark.parametrize(("count", "ahead"), [(0, None), (1, 0)])
def test_nonsense_is_refused(count: int, ahead: int | None) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(in_order(str, range(2), count, ahead))
