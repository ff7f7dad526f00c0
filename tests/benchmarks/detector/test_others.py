"""Fakes by others, method by method: which reals, what counts as learnt, pairs across detectors, groups, bars."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.commands.others import others as command
from benchmarks.detector.others import Panel, handled_alike, measure, of_predictions, unseen
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.others import GroupRow, MethodRow, read_others_row
from benchmarks.tables.others import others_table
from detector.evaluation.leakage import hashed_names
from detector.evaluation.protocol import Scored
from sfumato.errors import UsageError
from tests.detector_fixtures import clip_row
from tests.evaluation_fixtures import sample, scored


def some(count: int, label: str, method: str = "toy", mean: float = 0.5, start: int = 0, **more) -> list[Scored]:
    """Everybody another person; scores within .2 of the mean."""
    rng = np.random.default_rng(len(method) + start)
    return [
        scored(f"{label}-{method}-{start + i}", label, float(mean + rng.uniform(-0.2, 0.2)), method=method, **more)
        for i in range(count)
    ]


def rows_of(panels, **more) -> dict[str, MethodRow]:
    return {row.method: row for row in measure(panels, **more) if isinstance(row, MethodRow)}


def test_a_method_is_held_against_the_reals_it_names() -> None:
    reals = [item.sample for item in some(8, "real")]
    fakes = [replace(sample(f"f{i}", "fake"), pair_of=reals[i].path) for i in range(2)]
    assert handled_alike([*reals, *fakes], [8, 9]) == ([0, 1], "their counterparts")


@pytest.mark.parametrize(
    ("own", "suffix", "expected"),
    [
        (5, "mp4", (range(5), "reals of their origin")),
        (4, "mp4", (range(9), "reals of their kind of file")),
        (5, "png", (range(10), "all reals")),
    ],
)
def test_without_a_counterpart_reals_of_a_like_handling_are_taken(own, suffix, expected) -> None:
    """Five videos of another origin always; `own` of the fake's; no picture among them."""
    reals = [sample(f"a{i}", "real", dataset="lab") for i in range(own)]
    reals += [sample(f"b{i}", "real", dataset="else") for i in range(5)]
    fake = sample("f", "fake", dataset="lab", path=Path(f"/nowhere/f.{suffix}"))
    assert handled_alike([*reals, fake], [len(reals)]) == (list(expected[0]), expected[1])


def test_rows_say_what_was_learnt_and_what_files_alone_tell() -> None:
    media = {"real": {"size": 1000, "width": 224}, "fake": {"size": 1000, "width": 512}}
    reals = some(20, "real", mean=0.3, media=media["real"], sharpness=50.0)
    seen = some(20, "fake", "seen", 0.7, media=media["fake"], sharpness=10.0)
    new = some(20, "fake", "new", 0.3, media=media["real"], sharpness=50.0)
    found = rows_of(
        [Panel([*reals, *seen, *new], None, 12)], detector="given", record={"training": {"methods": ["seen"]}}
    )
    assert found["seen"].learnt and not found["new"].learnt
    assert found["seen"].auc.value == 1 and found["new"].auc.value == pytest.approx(0.5, abs=0.2)
    assert found["new"].auc.interval[0] < 0.5 < found["new"].auc.interval[1]
    assert (found["seen"].metadata, found["seen"].softness) == (1, 1)
    assert found["new"].metadata == pytest.approx(0.5) and found["new"].softness == 0.5


def test_what_cannot_be_audited_says_why() -> None:
    found = rows_of([Panel([*some(6, "real"), *some(3, "fake", "few")], None, 12)], detector="given")["few"]
    assert found.metadata is None and "no audit" in found.refused["metadata"]
    assert "sharpness" in found.refused["softness"] and "intervals" in found.refused


def test_scores_of_two_detectors_are_never_ranked_against_each_other() -> None:
    """Each ranks its own people rightly, the second with all scores higher than the first's."""
    first = [*some(8, "real", mean=0.2), *some(8, "fake", "m", 0.4 + 0.21)]
    second = [*some(8, "real", mean=0.75, start=8), *some(8, "fake", "m", 0.75, start=8)]
    second = [replace(item, tracks=(((0.0, 0.9 if item.sample.label == "fake" else 0.8),),)) for item in second]
    row = rows_of([Panel(first, frozenset({"m"}), 12), Panel(second, frozenset({"m"}), 12)], detector="left out")["m"]
    assert row.auc.value == 1 and row.detectors == 2 and row.n == {"real": 16, "fake": 16}
    pooled = rows_of([Panel([*first, *second], None, 12)], detector="given")["m"]
    assert pooled.auc.value < 0.9


def test_a_panel_counts_for_the_methods_it_left_out_alone() -> None:
    blind = [*some(8, "real"), *some(8, "fake", "a", 0.5), *some(8, "fake", "b", 0.5)]
    good = [*some(8, "real", mean=0.2), *some(8, "fake", "a", 0.7), *some(8, "fake", "b", 0.7)]
    found = rows_of([Panel(good, frozenset({"a"}), 12), Panel(blind, frozenset({"b"}), 12)], detector="left out")
    assert found["a"].auc.value == 1 and found["b"].auc.value < 0.8


def test_groups_are_origins_and_kinds_of_file_and_a_real_counts_once() -> None:
    clips = some(10, "real", dataset="lab")
    pictures = [
        replace(item, sample=replace(item.sample, path=item.sample.path.with_suffix(".png")))
        for item in some(5, "real", start=20, dataset="lab")
    ]
    fakes = some(5, "fake", "m")
    panels = [
        Panel(
            [replace(item, flagged={"0.1": i < flags}) for i, item in enumerate([*clips, *pictures, *fakes])], None, 12
        )
        for flags in (2, 4)
    ]
    groups = {row.medium: row for row in measure(panels, "left out") if isinstance(row, GroupRow)}
    assert groups["video"].n == {"real": 10} and groups["video"].detectors == 2
    assert groups["video"].flagged["0.1"].fpr.value == pytest.approx(0.3)  # the mean of 2 and 4 in 10
    assert groups["video"].flagged["0.1"].fpr.of == (3, 10) and groups["picture"].flagged["0.1"].fpr.of == (0, 5)


@pytest.mark.parametrize(("mean", "met"), [(0.8, True), (0.3, False)])
def test_bars_are_about_methods_that_were_not_learnt(mean: float, met: bool) -> None:
    made = [*some(12, "real", mean=0.3), *some(12, "fake", "new", mean), *some(12, "fake", "seen", 0.3)]
    made += some(4, "fake", "few", 0.2 if met else 0.8)  # too few to be a bar's business
    made = [replace(item, flagged={"0.01": not met and item.sample.label == "real"}) for item in made]
    one = some(9, "real", mean=0.3, start=40, dataset="one", identity="ann")
    made += [replace(item, flagged={"0.01": met}) for item in one]  # one person is no group to hold a bar against
    rows = measure([Panel(made, None, 12)], "given", {"training": {"methods": ["seen"]}})
    bars = [row for row in rows if isinstance(row, BarRow)]
    assert len(bars) == 3 and {row.met for row in bars} == {met}
    assert ("**not met**" in others_table(rows)) != met


def test_people_whom_the_detector_knows_are_no_test_of_it() -> None:
    known = hashed_names([clip_row("a.mp4", identity="ann"), clip_row("b.mp4", split="test", identity="bob")])
    samples = [sample(name, "real", identity=name) for name in ("ann", "bob")]
    samples.append(sample("c", "fake", source_ids=("ann",)))
    assert [s.video_id for s in unseen(samples, {"training": {"learnt_from": known}})] == ["bob"]
    assert unseen(samples, {}) == samples


def test_predictions_of_others_are_taken_with_what_we_know_of_the_files(tmp_path) -> None:
    judged = [*some(12, "real", media={"size": 9}, sharpness=1.0), *some(12, "fake", "m", sharpness=2.0)]
    lines = [f"{item.sample.path},{3.5 if item.sample.label == 'fake' else -3.5}" for item in judged[1:]]
    (tmp_path / "p.csv").write_text("\n".join(["path,score", *lines]))
    panels = of_predictions(judged, [("m", tmp_path / "p.csv")], tmp_path)
    assert len(panels[0].scored) == 23 and panels[0].scored[0].sharpness == 1.0
    row = rows_of(panels, detector="left out")["m"]
    assert row.auc.value == 1 and row.n == {"real": 11, "fake": 12} and row.softness == 0
    with pytest.raises(UsageError, match="'n'"):
        of_predictions(judged, [("n", tmp_path / "p.csv")], tmp_path)


@pytest.mark.parametrize("label", ["real", "fake"])
def test_one_label_alone_is_refused(label) -> None:
    with pytest.raises(UsageError):
        measure([Panel(some(5, label), None, 12)], "given")


def test_the_command_writes_its_record(clips, shipped_detector, tmp_path) -> None:
    out = tmp_path / "o.jsonl"
    scores = [
        "path,score",
        *(f"{clips.parent / f'{label}{i}.mp4'},{i}" for label in ("real", "fake") for i in range(6)),
    ]
    (tmp_path / "p.csv").write_text("\n".join(scores))
    arguments = [str(clips), "--model", str(shipped_detector), "-o", str(out), "--left-out"]
    result = CliRunner().invoke(command, [*arguments, f"swap-alpha={tmp_path / 'p.csv'}"], standalone_mode=False)
    assert result.exception is None, result.output
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["protocol"] for line in lines} == {"others-1"}
    rows = [read_others_row(line) for line in lines]
    found = [(row.detector, row.method) for row in rows if isinstance(row, MethodRow)]
    assert found == [("given", "landmark-warp"), ("given", "swap-alpha"), ("left out", "swap-alpha")]
    assert others_table(rows) in result.output
