"""A quick scan: which stage decides, what the record says of it, and what is left to a full look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.inference.thresholds import Coverage, KeyframeRule
from detector.inference.video_detector import VideoDetector
from provenance.verifying.verification import Verification
from sfumato.app.scan import scanner as scanning
from sfumato.app.scan.cascade import Stages
from sfumato.app.scan.mark import MarkWatch
from sfumato.app.scan.record import ScanRecord
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import UsageError
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.images import write_image
from tests.media_fixtures import make_video, picture
from tests.scan_fixtures import mark_facts

SURE, NEVER = (99.0, 99.0), (-99.0, 99.0)  # everything lies below; nothing is said


@pytest.fixture
def detector(shipped_detector: Path, monkeypatch: pytest.MonkeyPatch) -> VideoDetector:
    """Every picture shows the same face to it."""
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [face])
    return VideoDetector(shipped_detector)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """24 frames, of which 8 are keyframes."""
    options = {"g": "3", "sc_threshold": "0"}
    return make_video(tmp_path / "a.mp4", width=160, height=120, frames=24, options=options)


def quick(detector: VideoDetector, bounds: tuple[float, float] = SURE, **changes: object) -> Scanner:
    known = detector.bundle.video_thresholds
    rule = KeyframeRule(4, dict.fromkeys(known.logits, bounds), 0.02, {"real": 60, "fake": 50})
    videos = replace(known, frames=6, **{"keyframes": rule, **changes})
    detector.bundle = replace(detector.bundle, video_thresholds=videos)
    return Scanner(detector=detector, quick=True)


def stages(record: ScanRecord) -> Stages:
    assert record.stages is not None
    return record.stages


def test_keyframes_that_are_clear_decide_and_the_record_says_so(detector: VideoDetector, video: Path) -> None:
    record = quick(detector).scan_file(video).record
    told = stages(record)
    assert (told.decided, told.not_run) == ("keyframes", ("full",))
    assert list(told.seconds) == ["credential", "watermark", "keyframes"]
    assert min(told.seconds.values()) > 0
    assert record.frames.sampled == 4
    assert "frames" not in record.as_json()["media"]  # nobody has counted them
    (note,) = record.verdict.notes
    assert note.startswith("Decided by 4 keyframes") and "2.0% of videos" in note and "60 reals, 50 fakes" in note


def test_keyframes_that_are_not_clear_leave_it_to_a_full_look(detector: VideoDetector, video: Path) -> None:
    scanner = quick(detector, NEVER)
    record, full = scanner.scan_file(video).record, Scanner(detector=detector).scan_file(video).record
    assert (stages(record).decided, stages(record).not_run) == ("full", ())
    assert list(stages(record).seconds) == ["credential", "watermark", "keyframes", "full"]
    assert (record.verdict, record.logit, record.frames) == (full.verdict, full.logit, full.frames)
    assert list(stages(full).seconds) == ["credential", "watermark", "full"]
    assert stages(full).quick is False


def test_what_lies_outside_of_the_calibration_is_looked_at_fully(detector: VideoDetector, video: Path) -> None:
    covers = Coverage({"face": (500.0, None)}, (), 9)
    assert stages(quick(detector, covers=covers).scan_file(video).record).decided == "full"


@pytest.mark.parametrize("name", ["few.mp4", "b.png", "c.mp4"])
def test_few_keyframes_a_picture_and_no_video_cost_no_stage_of_their_own(
    detector: VideoDetector, tmp_path: Path, name: str
) -> None:
    make_video(tmp_path / "few.mp4", width=160, height=120, options={"g": "99"})
    write_image(tmp_path / "b.png", picture(0, 160, 120))
    (tmp_path / "c.mp4").write_text("no video")
    told = stages(quick(detector).scan_file(tmp_path / name).record)
    assert told.decided == "full" and "keyframes" not in told.seconds


def test_a_credential_that_declares_ai_decides_and_nothing_is_decoded(
    detector: VideoDetector, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = Verification(video, "untrusted", declares=("trainedAlgorithmicMedia",))
    monkeypatch.setattr(scanning, "verify", lambda *given, **named: says)
    scanner = quick(detector)
    monkeypatch.setattr(VideoDetector, "predict", lambda *given, **named: pytest.fail("it was looked at"))
    record = scanner.scan_file(video).record
    assert record.verdict.name == "synthetic-claimed"
    assert (record.status, record.score, record.mark) == ("abstain", None, None)
    assert [reason.code for reason in record.verdict.reasons] == ["credential_untrusted", "not_judged"]
    assert (stages(record).decided, stages(record).not_run) == ("credential", ("watermark", "keyframes", "full"))


def test_a_copy_without_that_credential_is_judged_for_itself(
    detector: VideoDetector, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = video.with_name("b.mp4")
    copy.write_bytes(video.read_bytes())
    declared = {video: ("trainedAlgorithmicMedia",)}
    monkeypatch.setattr(
        scanning,
        "verify",
        lambda path, *given, **named: Verification(path, "untrusted", declares=declared.get(path, ())),
    )
    scanner = quick(detector)
    scanner.expect([video, copy])
    assert scanner.scan_file(video).record.status == "abstain"
    assert scanner.scan_file(copy).record.score is not None


def test_a_watermark_that_leads_to_a_manifest_decides(
    detector: VideoDetector, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MarkWatch, "found", lambda *given: mark_facts())
    record = quick(detector, NEVER).scan_file(video).record
    assert record.verdict.name == "synthetic-recovered"
    assert record.score is None
    assert (stages(record).decided, stages(record).not_run) == ("watermark", ("keyframes", "full"))
    assert stages(record).seconds["watermark"] == mark_facts().seconds


def test_the_times_of_a_copy_are_nothing(detector: VideoDetector, video: Path) -> None:
    copy = video.with_name("b.mp4")
    copy.write_bytes(video.read_bytes())
    scanner = quick(detector)
    scanner.expect([video, copy])
    scanner.scan_file(video)
    told = stages(scanner.scan_file(copy).record)
    assert (told.decided, told.seconds["keyframes"], told.seconds["watermark"]) == ("keyframes", 0.0, 0.0)


def test_a_detector_without_a_rule_is_refused(shipped_detector: Path) -> None:
    with pytest.raises(UsageError, match="where the keyframes") as refusal:
        Scanner(detector=VideoDetector(shipped_detector), quick=True)
    assert "sfumato calibrate-keyframes" in refusal.value.advice


def test_other_frames_than_the_rule_agrees_with_are_refused(detector: VideoDetector) -> None:
    quick(detector)
    with pytest.raises(UsageError, match="agrees with one of 6 frames a video, not of 9"):
        Scanner(detector=detector, frames=9, quick=True)
