"""The scanner: rates that were not calibrated, what is read how often, which files of a folder, evidence beside the
record.
"""

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.inference.thresholds import Coverage
from detector.inference.video_detector import VideoDetector
from sfumato.app.scan.mark import MarkWatch
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


def with_repository(scanner: Scanner, repository: Path) -> Scanner:
    return Scanner(frames=6, detector=scanner.detector, repository=repository)


def test_a_stripped_copy_is_recovered_with_its_manifest(scanner, entered, stripped) -> None:
    record = with_repository(scanner, entered.repository).scan_file(stripped).record
    assert (record.verdict.name, record.credentials.outcome) == ("synthetic-recovered", "none")
    assert record.mark.manifest.id == entered.manifest_id
    assert record.as_json()["watermark"]["finding"] == "recovered"
    assert record.mark.seconds > 0


def test_a_mark_copied_onto_an_innocent_video_is_not_said_to_be_its_own(scanner, entered, innocent) -> None:
    record = with_repository(scanner, entered.repository).scan_file(innocent).record
    assert record.mark.finding == "foreign"
    assert record.verdict.name not in ("synthetic-recovered", "synthetic-claimed", "synthetic-declared")
    assert record.verdict.review
    (told,) = [reason.detail for reason in record.verdict.reasons if reason.code == "watermark_foreign"]
    assert "does not belong to this video" in told


def test_the_sealed_file_itself_keeps_its_own_credentials_word(scanner, entered) -> None:
    record = with_repository(scanner, entered.repository).scan_file(entered.path).record
    assert (record.verdict.name, record.mark.finding) == ("synthetic-claimed", "recovered")


def test_a_copy_of_a_copy_is_read_once_and_told_alike(scanner, entered, stripped, tmp_path) -> None:
    files = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for file in files:
        file.write_bytes(stripped.read_bytes())
    scanner = with_repository(scanner, entered.repository)
    scanner.expect(files)
    first, second = (scanner.scan_file(file).record for file in files)
    assert second.mark == replace(first.mark, seconds=0.0)
    assert second.verdict.name == "synthetic-recovered"


def test_pictures_have_no_watermark_to_look_for(scanner, tmp_path) -> None:
    write_image(tmp_path / "b.png", picture(0, 160, 120))
    assert scanner.scan_file(tmp_path / "b.png").record.as_json()["watermark"] is None


def test_a_repository_that_is_not_there_is_refused_before_anything_is_scanned(scanner, tmp_path) -> None:
    with pytest.raises(UsageError, match="no repository"):
        with_repository(scanner, tmp_path / "none.sqlite3")


def test_reading_the_mark_is_not_counted_as_the_detectors_time(scanner, tmp_path, monkeypatch) -> None:
    make_video(tmp_path / "a.mp4", width=160, height=120)
    monkeypatch.setattr(MarkWatch, "show", lambda self, frame: time.sleep(0.2))
    assert scanner.scan_file(tmp_path / "a.mp4").record.timing.total < 1.0
