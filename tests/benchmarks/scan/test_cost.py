"""What a scan costs: known moments give known numbers; a small real measurement gives a row a way and size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rows.row import Estimate
from benchmarks.rows.scan import ScanCostRow, ScanWorkersRow
from benchmarks.scan import cost
from benchmarks.scan.cost import ScanConfig, cpu_a_file, decode, files_a_second, measure_cost, measure_workers
from benchmarks.scan.footage import make_clip
from benchmarks.scan.watched import Moment
from benchmarks.tables.scan import million_table, scan_table
from sfumato.errors import UsageError


def moment(files: int, seconds: float) -> Moment:
    return Moment(files, seconds, 2 * seconds, 100.0, 200.0)


@pytest.mark.parametrize("wrong", [{"rounds": 1}, {"videos": 0}, {"seconds": 0}, {"heights": (0,)}, {"workers": 0}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ScanConfig(**wrong)


def test_what_starting_takes_is_not_counted() -> None:
    assert cpu_a_file([moment(1, 50.0), moment(3, 51.0), moment(5, 54.0)]) == 2.0
    assert files_a_second([moment(1, 50.0), moment(5, 54.0)], workers=1) == 1.0


def test_what_other_workers_had_in_hand_at_the_first_moment_is_not_counted() -> None:
    perfect = [moment(1, 1.0), moment(2, 1.0), moment(9, 5.0), moment(10, 5.0)]  # two at a time, a second each
    assert files_a_second(perfect, workers=2) == 2.0


def test_a_scan_that_was_seen_once_says_nothing() -> None:
    with pytest.raises(UsageError, match="twice"):
        cpu_a_file([moment(3, 1.0)])


def test_decoding_alone_counts_the_frames(tmp_path: Path) -> None:
    assert decode(make_clip(tmp_path / "a.mp4", 120, 0.4)) == 10


def test_ways_take_turns_and_each_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def watch(folder: Path, run: Path, options: list[str]) -> list[Moment]:
        asked.append([*options, str(len(list(folder.iterdir())))])
        run.mkdir()
        (run / "records.jsonl").write_text(
            json.dumps({"stages": {"decided": "keyframes" if options else "full"}}) + "\n"
        )
        return [moment(1, 1.0), moment(3, 4.0 if options else 2.0)]

    monkeypatch.setattr(cost, "watch_scan", watch)
    monkeypatch.setattr(cost, "digest_of", lambda config: "d")
    monkeypatch.setattr(cost, "WAYS", {"one": (), "other": ("--x",)})
    steps: list[float] = []
    rows = measure_cost(ScanConfig(2, 2, 0.2, (64, 66)), steps.append)
    assert asked == [["3"], ["--x", "3"]] * 4
    assert sum(steps) == 8
    assert [(row.way, row.height, row.frames, row.cpu) for row in rows] == [
        ("one", 64, 5, 1.0), ("other", 64, 5, 3.0), ("one", 66, 5, 1.0), ("other", 66, 5, 3.0)
    ]  # fmt: skip
    assert rows[1].times_decoding.value == pytest.approx(3 * rows[0].times_decoding.value, rel=0.01)
    assert rows[1].videos_an_hour == 1200
    assert [row.decided for row in rows[:2]] == ["full", "keyframes"]


def test_workers_are_measured_against_one_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def watch(folder: Path, run: Path, options: list[str]) -> list[Moment]:
        files, workers = len(list(folder.iterdir())), int(options[-1])
        asked.append(workers)
        return [moment(1, 1.0), moment(files, 1.0 + (files - workers) / workers)]

    monkeypatch.setattr(cost, "watch_scan", watch)
    monkeypatch.setattr(cost, "digest_of", lambda config: "d")
    [row] = measure_workers(ScanConfig(2, 3, 0.2, workers=4), height=64)
    assert asked == [1, 4] * 2
    assert (row.videos_an_hour_of_one, row.videos_an_hour, row.n) == (3600, 4 * 3600, 12)
    assert row.times_one.value == 4.0


def test_the_table_shows_what_was_measured() -> None:
    place = {"model": "m", "processor": "a core", "load": 0.5}
    rows = [
        ScanCostRow(
            way="all", decided="full", height=720, seconds=10.0, frames=250, crf=23, kilobits=900, cpu=1.5,
            decoding=0.7, times_decoding=Estimate(2.14, (2.0, 2.2)), videos_an_hour=2400, rounds=5, n=6, **place,
        ),
        ScanWorkersRow(
            height=720, seconds=10.0, workers=2, cores=2, videos_an_hour_of_one=2000, videos_an_hour=3900,
            times_one=Estimate(1.9, (1.8, 2.0)), rounds=5, n=12, **place,
        ),
    ]  # fmt: skip
    text = scan_table(rows)
    assert "| 720p, 10 s, 900 kbit/s | all | full | 1.50 | 0.70 | 2.14 (2.00 to 2.20) | 2400 |" in text
    assert "1.90 (1.80 to 2.00) times as many" in text
    assert scan_table(rows[1:]).startswith("2 workers")
    million = million_table(rows)
    assert "| 720p, 10 s | all | 417 | 25 | 17 | 0.10 | 1.12 |" in million
    assert "2 workers" not in million
