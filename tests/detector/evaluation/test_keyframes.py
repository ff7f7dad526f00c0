"""The rule for keyframes: its bounds on known logits, what cannot carry a risk, videos judged twice and only once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.datasets.sample import Sample
from detector.evaluation.keyframes import FRAMES, Twice, fit_rule, judge_twice, one_video_a_person, with_rule
from detector.inference.thresholds import KeyframeRule, Thresholds
from detector.inference.video_detector import VideoDetector
from sfumato.errors import UsageError
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.images import write_image
from tests.media_fixtures import make_video, picture

AT = Thresholds({0.1: 2.0}, 99, "toy")


def twice(label: str, number: int, logit: float | None, quick: float | None, **changes: object) -> Twice:
    band = {"0.1": int(logit is not None and logit > 2) * 2}
    found = Twice(label, f"{label} {number}", f"{label} {number}", logit, quick, band, band, False, 1.0, 0.25)
    return replace(found, **changes)


def crowd(fakes: int = 99, reals: int = 99) -> list[Twice]:
    """Fakes above the threshold, their keyframes from -0.5 up by tenths; reals below it, theirs from 3 down."""
    above = [twice("fake", i, 5.0, -0.5 + i / 10) for i in range(fakes)]
    return above + [twice("real", i, 0.0, 3.0 - i / 10) for i in range(reals)]


@pytest.mark.parametrize(("risk", "low", "high"), [(0.01, -0.5, 3.0), (0.02, -0.4, 2.9), (0.05, -0.1, 2.6)])
def test_so_many_may_lie_on_the_wrong_side_and_no_more(risk: float, low: float, high: float) -> None:
    rule = fit_rule(crowd(), AT, risk)
    assert rule.bounds[0.1] == pytest.approx((low, high))
    assert rule.n == {"real": 99, "fake": 99}
    wrong = [video for video in crowd() if video.label == "fake" and (video.quick or 0.0) < rule.bounds[0.1][0]]
    assert len(wrong) == round(risk * 100) - 1


def test_bounds_never_cross_the_threshold() -> None:
    agreed = [twice("fake", i, 5.0, 5.0) for i in range(60)] + [twice("real", i, 0.0, 0.0) for i in range(60)]
    assert fit_rule(agreed, AT).bounds[0.1] == (2.0, 2.0)


def test_reals_above_the_threshold_hold_the_lower_bound_too() -> None:
    videos = [*crowd(), twice("real", 200, 2.5, -7.0)]
    assert fit_rule(videos, AT, 0.01).bounds[0.1][0] == -7.0


def test_a_risk_that_so_few_cannot_carry_is_refused_with_how_many_it_takes() -> None:
    assert fit_rule(crowd(49, 49), AT, 0.02).n["fake"] == 49
    with pytest.raises(UsageError, match="99 reals and 48 fakes") as refusal:
        fit_rule(crowd(48), AT, 0.02)
    assert refusal.value.advice == "It takes 49 people of each."


def test_videos_without_a_score_do_not_count() -> None:
    blind = [twice("fake", 100 + i, 5.0, None) for i in range(20)]
    assert fit_rule([*crowd(), *blind], AT, 0.01) == fit_rule(crowd(), AT, 0.01)


def test_of_a_person_one_video_of_each_label_counts() -> None:
    videos = [twice(label, i, 0.0, 0.0, person="ada") for label in ("real", "fake") for i in range(5)]
    kept = one_video_a_person(videos)
    assert sorted(video.label for video in kept) == ["fake", "real"]
    assert kept == one_video_a_person(videos[::-1])


def test_keyframes_outside_of_the_calibration_decide_nothing() -> None:
    known = replace(AT, keyframes=KeyframeRule(4, {0.1: (0.0, 3.0)}, 0.02))
    assert twice("real", 0, 0.0, -1.0).decided(known)
    assert not twice("real", 0, 0.0, 1.0).decided(known)
    assert not twice("real", 0, 0.0, -1.0, outside=True).decided(known)
    assert not twice("real", 0, 0.0, -1.0).decided(AT)


def test_a_record_with_the_rule_is_read_back() -> None:
    rule = fit_rule(crowd(), AT)
    section = {"thresholds": {"0.1": 2.0}, "n_real": 9, "id": "toy"}
    written = with_rule({"name": "a", "video_calibration": section}, rule)
    assert Thresholds.from_json(written["video_calibration"]).keyframes == rule
    assert "keyframes" not in section


def sample(path: Path, label: str = "real") -> Sample:
    return Sample("own", path.name, path, label, "camera", "real", path.name)  # type: ignore[arg-type]


def test_videos_are_judged_twice_pictures_short_and_broken_ones_are_not(
    shipped_detector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [face])
    make_video(tmp_path / "few.mp4", width=161, height=120, frames=20, pixels="yuv444p", options={"g": "99"})
    make_video(tmp_path / "many.mp4", width=160, height=120, frames=20, options={"g": "2", "sc_threshold": "0"})
    make_video(tmp_path / "short.mp4", width=160, height=120, frames=2 * FRAMES - 1, options={"g": "99"})
    write_image(tmp_path / "still.png", picture(0, 160, 120))
    (tmp_path / "broken.mp4").write_text("no video")
    samples = [sample(path) for path in sorted(tmp_path.iterdir())]
    detector, counted = VideoDetector(shipped_detector), list[float]()
    journal = tmp_path / "journal.sqlite3"
    found = {each.path.name: facts for each, facts in judge_twice(samples, detector, journal, counted.append)}
    assert set(found) == {"few.mp4", "many.mp4"}
    assert len(counted) == len(samples)
    assert all(facts.logit is not None and facts.quick is not None for facts in found.values())
    assert min(min(facts.seconds, facts.quick_seconds) for facts in found.values()) > 0
    monkeypatch.setattr(VideoDetector, "predict", lambda *given, **named: pytest.fail("it was judged again"))
    known = {each.path.name: facts for each, facts in judge_twice(samples[1:3], detector, journal)}
    assert known["few.mp4"] == found["few.mp4"]
