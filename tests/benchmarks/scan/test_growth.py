"""Growth with the number of files: known costs give a known line; a short run is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.rows.scan import ScanGrowthRow
from benchmarks.scan import growth
from benchmarks.scan.cost import ScanConfig
from benchmarks.scan.growth import growth_of, measure_growth
from benchmarks.scan.watched import Moment
from benchmarks.tables.scan import scan_table
from sfumato.errors import UsageError


@pytest.fixture
def row_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScanGrowthRow]:
    monkeypatch.setattr(growth, "digest_of", lambda config: "d")

    def row(costs: list[float], loading: float = 7.0) -> ScanGrowthRow:
        cpu, moments = loading, list[Moment]()
        for block, cost in enumerate(costs):
            for file in range(10):
                cpu += cost
                moments.append(Moment(1 + 10 * block + file, cpu, cpu, 100.0 + block, 200.0 + 2 * block))
        return growth_of(moments, ScanConfig(), 0.5, block=10)

    return row


def test_an_even_cost_does_not_grow(row_of: Callable[..., ScanGrowthRow]) -> None:
    row = row_of([9.0, *[0.5] * 8])  # the first block, in which all is loaded, counts for nothing
    assert row.growth.value == pytest.approx(0.0, abs=1e-4)
    assert (row.cpu_first, row.cpu_last) == (0.5, 0.5)
    assert row.n == 8


def test_a_cost_that_doubles_grows_by_one_with_an_interval_that_says_so(row_of: Callable[..., ScanGrowthRow]) -> None:
    uneven = [0.02 * (-1) ** block for block in range(11)]
    row = row_of([1.0, *(0.5 + 0.05 * block + by for block, by in enumerate(uneven))])
    assert row.growth.interval is not None
    low, high = row.growth.interval
    assert 0.7 < low < 1.0 < high < 1.3
    assert (row.driver_mb_first, row.driver_mb, row.worker_mb_first, row.worker_mb) == (100.0, 111.0, 200.0, 222.0)
    assert "a growth of +9" in scan_table([row]) or "a growth of +10" in scan_table([row])


def test_too_few_files_are_refused() -> None:
    with pytest.raises(UsageError, match="say nothing"):
        measure_growth(ScanConfig(), 399)
