"""The scanner: rates that were not calibrated, what is read how often, which files of a folder, evidence beside the
record.
"""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.inference.thresholds import Coverage
from detector.inference.video_detector import VideoDetector
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import UsageError
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.images import write_image
from tests.media_fixtures import make_video, picture


@pytest.fixture
def scanner(shipped_detector: Path, monkeypatch) -> Scanner:
    """Every picture shows the same face to it."""
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [face])
    return Scanner(frames=6, detector=VideoDetector(shipped_detector))


def test_rate_that_was_not_calibrated_is_refused_with_the_known_ones(shipped_detector) -> None:
    with pytest.raises(UsageError, match="99 pictures and 99 videos cannot carry it") as refusal:
        Scanner(fpr=0.001, detector=VideoDetector(shipped_detector))
    assert refusal.value.advice == "Choose one of: 0.01, 0.1."


def test_a_file_is_digested_once(scanner, tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.mp4"
    make_video(path, width=160, height=120)
    digest, asked = hashlib.file_digest, []
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, *more: asked.append(Path(file.name)) or digest(file, *more)
    )
    scanned = scanner.scan_file(path, explained=True)
    assert asked == [path]
    assert scanned.record.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_python_reads_a_file_for_its_credential_and_for_its_digest_only(scanner, tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.mp4"
    make_video(path, width=160, height=120)
    whole, opened = os.open, []
    monkeypatch.setattr(os, "open", lambda name, *more, **named: opened.append(name) or whole(name, *more, **named))
    scanner.scan_file(path)
    assert opened.count(path) == 2


def test_the_evidence_comes_beside_the_record(scanner, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", width=160, height=120)
    scanned = scanner.scan_file(tmp_path / "a.mp4", explained=True)
    assert scanned.verification.outcome == scanned.record.credentials.outcome == "none"
    assert scanned.prediction.score == scanned.record.score is not None
    times = tuple(frame.time for frame in scanned.prediction.explanation.frames)
    assert scanned.record.explanation.place.times == times


def test_frames_are_counted_as_they_are_looked_at(scanner, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", width=160, height=120)
    steps: list[float] = []
    scanner.scan_file(tmp_path / "a.mp4", steps.append)
    assert sum(steps) == 6


@pytest.mark.parametrize(("frames", "told"), [(None, 0), (6, 0), (32, 1)])
def test_another_number_of_frames_than_the_thresholds_were_set_with_is_noted_once(
    scanner, tmp_path, frames, told
) -> None:
    bundle = scanner.detector.bundle
    scanner.detector.bundle = replace(bundle, video_thresholds=replace(bundle.video_thresholds, frames=frames))
    make_video(tmp_path / "a.mp4", width=160, height=120)
    write_image(tmp_path / "b.png", picture(0, 160, 120))
    notes = scanner.scan_file(tmp_path / "a.mp4").record.verdict.notes
    assert len([note for note in notes if "set with 32 frames a video, and 6 were asked for" in note]) == told
    assert scanner.scan_file(tmp_path / "b.png").record.verdict.notes == ()


def without_frames_asked(scanner: Scanner, known: int | None) -> Scanner:
    """A scanner that is told no number of frames, and its detector `known` or nothing."""
    detector = scanner.detector
    videos = replace(detector.bundle.video_thresholds, frames=known)
    detector.bundle = replace(detector.bundle, video_thresholds=videos)
    return Scanner(detector=detector)


@pytest.mark.parametrize(("known", "frames"), [(12, 12), (None, 32)])
def test_as_many_frames_are_looked_at_as_the_thresholds_were_set_with_and_nothing_is_noted(
    scanner, tmp_path, known, frames
) -> None:
    make_video(tmp_path / "a.mp4", width=160, height=120, frames=40)
    record = without_frames_asked(scanner, known).scan_file(tmp_path / "a.mp4").record
    assert record.frames.sampled == frames
    assert not [note for note in record.verdict.notes if "The thresholds were set with" in note]


def test_a_video_outside_of_the_calibration_says_so_in_its_record(scanner, tmp_path) -> None:
    bundle = scanner.detector.bundle
    covers = Coverage({"face": (500.0, None)}, ("MPEG-4 and earlier",), 9)
    videos = replace(bundle.video_thresholds, covers=covers, logits={0.1: -99.0, 0.01: -98.0})
    scanner.detector.bundle = replace(bundle, video_thresholds=videos)
    make_video(tmp_path / "a.mp4", width=160, height=120)
    record = scanner.scan_file(tmp_path / "a.mp4").record
    assert record.verdict.name == "inconclusive"
    (detail,) = [reason.detail for reason in record.verdict.reasons if reason.code == "outside_calibration"]
    assert "The face is 3" in detail  # crops of 48 px: from 36 px on a face is as large as it is seen
    assert "The codec is h264" in detail
