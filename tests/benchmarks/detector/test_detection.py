"""Tests E0 to E8: which fake belongs to which, what floors say, and the matrix; on scores whose answer is known."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.commands.detector import _named, working_folder
from benchmarks.commands.detector import detection as command
from benchmarks.detector.detection import (
    TESTS,
    Known,
    ablation,
    from_robustness,
    matrix,
    run_tests,
    shuffled_training,
    twin_control,
)
from benchmarks.tables.detection import ablation_table, distance_table, matrix_table
from detector.inference.bundle import load_shipped
from sfumato.errors import OutputError, UsageError
from sfumato.execution.journal import Journal
from tests.evaluation_fixtures import sample, scored

SEEN, OTHER = "1" * 64, "2" * 64
RECORD = {"training": {"methods": ["zakharov2019-warp", "self-blend"], "generators": [SEEN]}}


def fake(name: str, method: str, digest: str | None = None, **keywords):
    return sample(name, "fake", method, generator_digest=digest, **keywords)


@pytest.mark.parametrize(
    ("method", "digest", "driver", "expected"),
    [
        ("zakharov2019-warp", SEEN, None, {"E0"}),
        ("zakharov2019-warp-tuned", OTHER, None, {"E1"}),
        ("zakharov2019", OTHER, "held out", {"E2", "E3"}),
        ("landmark-warp", OTHER, "learnt", {"E2"}),
        ("landmark-warp", OTHER, "person f", {"E2"}),
        ("swap-poisson", None, "held out", {"E3", "E5"}),
        ("autoencoder", OTHER, None, {"E2"}),
        ("self-blend", None, None, {"E0"}),
    ],
)
def test_a_fake_belongs_to_the_tests_of_its_distance(
    method: str, digest: str | None, driver: str | None, expected: set[str]
) -> None:
    known = Known.of(
        RECORD,
        [fake("t", "x", split="train", identity="learnt"), sample("s", "real", split="test", identity="held out")],
    )
    one = fake("f", method, digest, driver_id=driver)
    assert {test.name for test in TESTS if test.holds(one, known)} == expected
    blended = fake("b", "face-blend", family="blend")  # neither a swap nor an architecture
    assert not any(test.holds(blended, known) for test in TESTS)


def people(count: int = 12, gap: float = 0.5):
    rng = np.random.default_rng(1)
    made = []
    for i in range(count):
        real = scored(f"r{i}", "real", float(rng.uniform(0.1, 0.4)), identity=f"p{i}")
        made.append(real)
        for method, digest in (("zakharov2019-warp", OTHER), ("landmark-warp", None), ("swap-alpha", None)):
            value = float(rng.uniform(0.1, 0.4)) + (gap if method != "swap-alpha" else 0.0)
            made.append(scored(
                f"{method}{i}", "fake", value, method=method, generator_digest=digest, identity=f"p{i}",
                pair_of=real.sample.path
            ))  # fmt: skip
    return made


def test_floors_are_held_and_missed_and_what_is_not_there_says_so() -> None:
    made = people()
    rows = run_tests(made, [item.sample for item in made], RECORD, 12)
    found = {(row.test, row.family): row for row in rows}
    assert found["E1", "zakharov2019-warp"].auc.value == 1 and found["E1", "zakharov2019-warp"].met
    assert found["E2", "landmark-warp"].floor == 0.75 and found["E2", "landmark-warp"].met
    assert found["E5", "swap-alpha"].met is False and found["E5", "swap-alpha"].trained is False
    assert found["E8", "all"].met
    assert found["E0", "none"].refused == {"all": "no such fake in the list"}
    table = distance_table(rows)
    assert "0.75: **not met**" in table and "0.97: met" in table and "not measured: no such fake" in table


def test_a_family_that_was_trained_on_has_no_floor_of_one_left_out() -> None:
    made = people()
    rows = run_tests(made, [item.sample for item in made], {"training": {"methods": ["swap-alpha"]}}, 12)
    five = next(row for row in rows if row.test == "E5")
    assert five.floor is None and five.met is None


def test_a_detector_of_shuffled_labels_must_know_nothing() -> None:
    assert not shuffled_training([people(gap=0.5)], 12).met
    assert shuffled_training([people(gap=0.0)], 12).met


def test_of_several_detectors_of_shuffled_labels_the_mean_counts() -> None:
    runs = [people(gap=gap) for gap in (0.15, -0.09, 0.1, -0.08, 0.05)]
    assert not any(shuffled_training([run], 12).met for run in runs[:2])
    row = shuffled_training(runs, 12)
    assert (
        row.met
        and len(row.aucs) == 5
        and row.auc.value == pytest.approx(np.mean(row.aucs))
        and "Student" in row.interval
    )
    low, high = row.auc.interval  # Student's t of four degrees of freedom at 97.5 % is 2.776
    assert high - low == pytest.approx(2 * 2.7764 * np.std(row.aucs, ddof=1) / 5**0.5, rel=1e-4)
    assert not shuffled_training([people(gap=gap) for gap in (0.15, 0.16, 0.17, 0.18, 0.19)], 12).met


def test_too_few_controls_and_one_given_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        shuffled_training([people(gap=0.1), people(gap=-0.1)], 12)
    with pytest.raises(UsageError, match="alike"):
        shuffled_training([people(gap=0.1)] * 5, 12)


@pytest.mark.parametrize(("flagged", "met"), [(2, [True, True]), (9, [False, False])])
def test_twins_are_reals_that_must_not_be_flagged(flagged: int, met: list[bool]) -> None:
    reals = [scored(f"r{i}", "real", 0.4, flagged={"0.1": i < 1}) for i in range(20)]
    twins = [dataclasses.replace(item, flagged={"0.1": i < flagged}) for i, item in enumerate(reals)]
    twins = [dataclasses.replace(item, sample=dataclasses.replace(item.sample, method="twin")) for item in twins]
    assert [row.met for row in twin_control([*reals, *twins])] == met
    assert len(twin_control(twins)) == 1 and twin_control(reals) == []


def test_the_robustness_record_is_used_only_for_its_own_detector() -> None:
    bar = {"kind": "bar", "set": "controls", "bar": "b", "value": 0.1, "met": True, "model": "a", "judging": "a 1"}
    assert [(row.test, row.met) for row in from_robustness([bar, {**bar, "set": "grid"}], "a 1")] == [
        ("E7", True),
        ("E6", True),
    ]
    for rows, judging in (
        ([bar], "b 1"),
        ([bar], "a 2"),
        ([], "a 1"),
    ):  # another network; the same, calibrated anew; no record
        assert all(row.refused and row.met is None for row in from_robustness(rows, judging))


def test_an_ablation_is_held_against_the_first_detector() -> None:
    rows = ablation({"whole": people(), "same": people(), "blind": people(gap=0.0)}, 12)
    changes = {(row.train, row.family): row.change for row in rows}
    assert changes["whole", "landmark-warp"] is None  # the first one has nothing to change from
    assert changes["same", "landmark-warp"].value == 0
    blind = changes["blind", "landmark-warp"]
    assert blind.value < -0.2
    assert blind.interval[0] <= blind.value <= blind.interval[1] < 0
    table = ablation_table(rows)
    assert "whole: AUC" in table and "blind: change" in table and "+0.000 (+0.000 to +0.000)" in table


def test_the_matrix_has_a_cell_a_detector_and_family() -> None:
    rows = matrix({"good": people(), "blind": people(gap=0.0)}, 12)
    table = matrix_table(rows)
    assert len(rows) == 6
    assert "| trained on | landmark-warp | swap-alpha | zakharov2019-warp |" in table
    assert "| good | 1.00 (1.00 to 1.00) |" in table and "landmark-warp 12 and 12" in table


def test_detectors_that_learnt_the_same_have_a_row_each(monkeypatch) -> None:
    record = SimpleNamespace(record={"training": {"methods": ["swap-alpha"]}})
    monkeypatch.setattr("detector.inference.bundle.load_shipped", lambda place: record)
    assert _named(["one", "two", "one"]) == {"swap-alpha": "one", "swap-alpha (two)": "two"}


def test_a_journal_that_cannot_be_kept_is_said(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="--journal"), working_folder(tmp_path / "file" / "journal"):
        pass


def test_without_reals_there_is_nothing_to_measure() -> None:
    made = [item for item in people() if item.sample.label == "fake"]
    with pytest.raises(UsageError):
        run_tests(made, [item.sample for item in made], RECORD, 12)


def test_the_command_scores_once_and_writes_its_record(clips, shipped_detector, tmp_path) -> None:
    out, journal = tmp_path / "d.jsonl", tmp_path / "journal"
    run = shipped_detector.parent / "run"  # as training leaves one
    run.mkdir(exist_ok=True)
    if not (run / "weights").exists():
        (run / "weights").symlink_to(shipped_detector)
    arguments = [
        str(clips),
        "--model",
        str(shipped_detector),
        "--matrix",
        str(run),
        "--journal",
        str(journal),
        "--output",
        str(out),
    ]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert "| trained on | landmark-warp | swap-alpha |" in result.output and "E5: face swaps" in result.output
    with Journal(journal / "detection.sqlite3", load_shipped(shipped_detector).judging, 12) as kept:
        assert len(list(kept.entries())) == 6  # the second detector is the first
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["kind"] for line in lines} >= {"test", "bar", "matrix"} and all(
        line["protocol"] == "detection-1" for line in lines
    )
    assert result.return_value == int(any(line.get("met") is False for line in lines))
