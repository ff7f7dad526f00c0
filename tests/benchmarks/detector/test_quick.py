"""Full and quick scans held side by side: what is counted, what is gained, and when a bar is not met."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.detector.quick import measure, one_sample_a_person
from benchmarks.rows.comparison import BarRow
from benchmarks.rows.quick import QuickRow
from benchmarks.tables.quick import quick_table
from detector.datasets.sample import Sample
from detector.evaluation.keyframes import Twice
from detector.inference.thresholds import KeyframeRule, Thresholds
from sfumato.errors import UsageError

AT = Thresholds({0.1: 2.0}, 99, "toy", keyframes=KeyframeRule(4, {0.1: (0.0, 4.0)}, 0.02))


def judged(label: str, number: int, logit: float, quick: float, method: str = "swap") -> tuple[Sample, Twice]:
    name = f"{label} {number}"
    bands = ({"0.1": 2 * (value > 2)} for value in (logit, quick))
    found = Twice(label, name, name, logit, quick, *bands, False, 1.0, 0.25)
    family = "real" if label == "real" else "blend"
    return Sample("own", name, Path(name), label, method, family, name), found  # type: ignore[arg-type]


def videos(missed: int = 0) -> list[tuple[Sample, Twice]]:
    """Ten reals, of which keyframes decide eight; ten fakes, of which they decide eight, and `missed` wrongly."""
    reals = [judged("real", i, -1.0, -1.0 if i < 8 else 1.0, "camera") for i in range(10)]
    fakes = [judged("fake", i, 5.0, -1.0 if i < missed else 5.0 if i < 8 else 1.0) for i in range(10)]
    return reals + fakes


def rows(missed: int = 0) -> tuple[dict[str, QuickRow], list[BarRow]]:
    found = measure(videos(missed), AT)
    return {r.family: r for r in found if isinstance(r, QuickRow)}, [r for r in found if isinstance(r, BarRow)]


def test_a_quick_scan_costs_its_keyframes_and_a_full_look_where_these_left_it_open() -> None:
    found, bars = rows()
    assert list(found) == ["real", "fake", "swap"]
    assert found["real"].decided.of == (8, 10)
    assert found["real"].gain.value == pytest.approx(1 / (0.25 + 0.2))
    assert (found["real"].full_seconds, found["real"].keyframe_seconds) == (1.0, 0.25)
    assert bars[-1].value == pytest.approx(0.45) and bars[-1].met


def test_what_keyframes_miss_is_counted_and_breaks_the_bar() -> None:
    found, bars = rows(missed=8)
    rates = found["fake"].rates["0.1"]
    assert (rates.full.of, rates.quick.of, rates.differ.of) == ((10, 10), (2, 10), (8, 10))
    assert rates.change.value == pytest.approx(-0.8)
    assert rates.change.interval is not None and rates.change.interval[1] < 0
    assert [bar.met for bar in bars] == [False, True]
    assert found["real"].rates["0.1"].differ.of == (0, 10)


def test_a_quick_scan_that_flags_the_same_meets_the_bar() -> None:
    found, bars = rows()
    assert found["fake"].rates["0.1"].full == found["fake"].rates["0.1"].quick
    assert bars[0].met


def test_the_table_has_a_line_for_each_kind_of_video() -> None:
    text = quick_table(measure(videos(), AT))
    assert "| real | 10 | 0.80 (0.44 to 0.97) | 0.000, 0.000 | 0.000 (0.000 to 0.308) | 2.22" in text
    assert "met: 2 of 2 bars" in text


def test_a_detector_without_a_rule_and_lists_without_fakes_are_refused() -> None:
    with pytest.raises(UsageError, match="no rule"):
        measure(videos(), Thresholds({0.1: 2.0}))
    with pytest.raises(UsageError, match="reals and fakes"):
        measure(videos()[:10], AT)


def test_one_video_a_person_and_label_is_judged_and_no_picture() -> None:
    samples = [sample for sample, _ in videos()]
    twins = [replace(sample, video_id=f"{sample.video_id} again", sha256="a" * 64) for sample in samples]
    stills = [replace(sample, video_id="b.png", path=Path("b.png")) for sample in samples[:1]]
    kept = one_sample_a_person([*samples, *twins, *stills])
    assert sorted((each.label, each.identity) for each in kept) == sorted(
        (each.label, each.identity) for each in samples
    )
    lowest = {
        (each.label, each.identity): min(
            hashlib.sha256((twin.sha256 or "").encode()).hexdigest()
            for twin in (*samples, *twins)
            if (twin.label, twin.identity) == (each.label, each.identity)
        )
        for each in kept
    }
    for each in kept:
        assert hashlib.sha256((each.sha256 or "").encode()).hexdigest() == lowest[each.label, each.identity]
