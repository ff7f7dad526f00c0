"""The robustness benchmark on a few copies of a painting: journals, controls, rows, bars, the command."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.commands.detector import robustness as command
from benchmarks.detector import robustness as module
from benchmarks.detector.robustness import HARD, UNTOUCHED, RobustnessConfig, bars, draw_people, judge_all, measure
from benchmarks.rows.comparison import BarRow, ClusterCount, Rate, Rates, VideoEstimate
from benchmarks.rows.robustness import FamilyRow, RealsRow, SummaryRow
from benchmarks.tables.robustness import robustness_table
from detector.datasets.sample import Sample, clips_samples
from sfumato.errors import UsageError
from tests.evaluation_fixtures import sample

PEOPLE = 3


@pytest.fixture(scope="module")
def samples(clips: Path) -> list[Sample]:
    return [sample for sample in clips_samples(clips) if sample.split == "test"]


def test_a_larger_draw_of_people_holds_the_smaller_one() -> None:
    every = [sample(f"{label}{i}", label, identity=f"p{i}") for i in range(20) for label in ("real", "fake")]
    twin = sample("x", "real", identity="somebody")
    paired = sample("y", "fake", identity="p0", pair_of=twin.path)
    few, more = ({s.identity for s in draw_people(every, count, 0)} for count in (5, 9))
    assert len(few) == 5 and len(more) == 9 and few < more
    assert twin in draw_people([*every, twin, paired], 20, 0)
    assert draw_people(every, None, 0) == every


def test_copies_are_judged_once_and_a_run_goes_on(samples, shipped_detector, tmp_path, monkeypatch) -> None:
    first = judge_all(samples, shipped_detector, RobustnessConfig(("crf 40",)), tmp_path / "j")
    made: list[str] = []
    original = module._Hand._treated

    def counted(self, work, folder):
        made.append(work.treatment)
        return original(self, work, folder)

    monkeypatch.setattr(module._Hand, "_treated", counted)
    advanced: list[float] = []
    second = judge_all(
        samples, shipped_detector, RobustnessConfig(("crf 40", "blur 2", "match-blur")), tmp_path / "j", advanced.append
    )
    assert made == ["blur 2"] * 2 * PEOPLE + ["match-blur"] * PEOPLE
    assert sum(advanced) == 4 * len(samples)
    assert [item.tracks for item in first["crf 40"]] == [item.tracks for item in second["crf 40"]]
    for after, before in zip(second["match-blur"], second[UNTOUCHED], strict=True):
        assert (after is before) == (before.sample.label == "fake")


def test_a_copy_that_cannot_be_made_is_an_error_of_its_own(samples, shipped_detector, tmp_path) -> None:
    (broken := tmp_path / "broken.mp4").write_bytes(b"no video")
    listed = [samples[0], sample("broken", "fake", path=broken)]
    scored = judge_all(listed, shipped_detector, RobustnessConfig(("crf 40",)), tmp_path / "j")["crf 40"]
    assert [item.status for item in scored] == ["ok", "error"]


def test_two_processes_find_what_one_does(samples, shipped_detector, tmp_path) -> None:
    one, two = (
        judge_all(samples[:2], shipped_detector, RobustnessConfig(("JPEG 30",), workers=n), tmp_path / str(n))
        for n in (1, 2)
    )
    for a, b in zip(one["JPEG 30"], two["JPEG 30"], strict=True):
        assert a.frames() == pytest.approx(b.frames(), abs=1e-3)


def test_a_work_that_fails_is_an_error_and_tried_again(samples, shipped_detector, tmp_path, monkeypatch) -> None:
    """What a foreign library makes of a clip costs that copy only."""
    with monkeypatch.context() as broken:
        broken.setattr(module._Hand, "_treated", lambda self, work, folder: 1 // 0)
        (failed,) = judge_all(samples[:1], shipped_detector, RobustnessConfig(("crf 40",)), tmp_path / "j")["crf 40"]
    assert (failed.status, failed.reason) == ("error", "untreatable")
    (done,) = judge_all(samples[:1], shipped_detector, RobustnessConfig(("crf 40",)), tmp_path / "j")["crf 40"]
    assert done.status == "ok"


def test_what_is_judged_already_loads_no_net(samples, shipped_detector, tmp_path, monkeypatch) -> None:
    config = RobustnessConfig(("crf 40",))
    first = judge_all(samples[:1], shipped_detector, config, tmp_path / "j")
    monkeypatch.setattr(module, "_Hand", lambda model, frames: pytest.fail("it was loaded"))
    assert judge_all(samples[:1], shipped_detector, config, tmp_path / "j") == first


def test_rows_make_a_table(samples, shipped_detector, tmp_path) -> None:
    config = RobustnessConfig((HARD, "df1:VC 1", "writer"))
    record = {"training": {"methods": ["landmark-warp"]}}
    rows = measure(judge_all(samples, shipped_detector, config, tmp_path / "j"), record, config)
    warped = [row for row in rows if isinstance(row, FamilyRow) and row.family == "landmark-warp"]
    barred = [row for row in rows if isinstance(row, BarRow)]
    assert [row.treatment for row in warped] == [UNTOUCHED, HARD, "df1:VC 1", "writer"]
    assert all(row.n == {"real": 1, "fake": 1} and row.trained for row in warped)
    assert {(row.set_name, row.worst_treatment) for row in rows if isinstance(row, SummaryRow)} == {
        ("grid", HARD),
        ("df1", "df1:VC 1"),
    }
    assert all(row.n == {"real": PEOPLE} for row in rows if isinstance(row, RealsRow))
    assert (
        sum("landmark-warp loses" in row.bar for row in barred) == 1
    )  # no face is left large enough, hence one of two
    assert any("writer" in row.bar and row.set_name == "controls" for row in barred)
    table = robustness_table(rows)
    assert (
        "| landmark-warp, 1 |" in table
        and "\n| df1:VC 1 | " in table
        and "FPR at 0.1" in table
        and "pairs of equal sharpness" in table
    )


def test_the_bars_know_what_is_not_met() -> None:
    judged = {
        "protocol_id": "p", "n": {"real": 9, "fake": 9}, "clusters": ClusterCount(unit="identity", count=9),
        "coverage": {}, "refused": {},
    }  # fmt: skip
    family = FamilyRow(
        treatment=HARD, set_name="grid", family="a", trained=True, flagged={},
        change=VideoEstimate(-0.11, covered=-0.09), **judged,
    )  # fmt: skip
    reals = RealsRow(
        treatment="crf 40", set_name="grid", flagged={"0.1": Rates(fpr=Rate(0.5))}, within={"0.1": False}, changes={},
        **judged,
    )  # fmt: skip
    assert [row.met for row in bars([family, reals])] == [False, True, False]
    assert bars([dataclasses.replace(family, trained=False), dataclasses.replace(reals, treatment="noise 20")]) == []


def test_the_command_writes_its_record_and_says_by_its_exit_code_whether_bars_hold(
    clips, shipped_detector, tmp_path
) -> None:
    chosen = ["--model", str(shipped_detector), "--only", "crf 18", "--people", "2"]
    arguments = [str(clips), *chosen, "--output", str(tmp_path / "r.jsonl"), "--json"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert result.return_value == int(any(line["kind"] == "bar" and not line["met"] for line in lines))
    assert all(
        line["protocol"] == "robustness-1" and line["footage"] and line["model"] and line["machine"] for line in lines
    )
    assert all(line["protocol_id"] for line in lines if line["kind"] == "family")


def test_nonsense_is_refused(shipped_detector, tmp_path) -> None:
    with pytest.raises(UsageError):
        RobustnessConfig((), frames=1)
    (broken := tmp_path / "broken.mp4").write_bytes(b"no video")
    found = judge_all([sample("broken", "fake", path=broken)], shipped_detector, RobustnessConfig(()), tmp_path / "j")
    with pytest.raises(UsageError):
        measure(found, {}, RobustnessConfig(()))
