"""Scoring: once a video, again only when the file, the detector or the number of frames is another; a torn journal is
no loss.
"""

import dataclasses

import numpy as np
import pytest

from detector.evaluation.journal import score
from detector.inference.thresholds import Thresholds
from detector.inference.video_detector import VideoDetector
from sfumato.errors import MediaError, OutputError
from sfumato.media.faces import Face
from tests.evaluation_fixtures import sample
from tests.media_fixtures import make_video


@pytest.fixture
def detector(shipped_detector, monkeypatch):
    made = VideoDetector(shipped_detector)
    monkeypatch.setattr(
        made._faces, "detect", lambda image: [Face((20.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))]
    )
    made.judged = []
    predict = made.predict
    monkeypatch.setattr(made, "predict", lambda path, frames: made.judged.append(path.name) or predict(path, frames))
    return made


@pytest.fixture
def samples(tmp_path):
    for name in ("a", "b"):
        make_video(tmp_path / f"{name}.mp4", width=160, height=120, frames=6)
    (tmp_path / "c.mp4").write_text("no video")
    return [sample(name, "fake", path=tmp_path / f"{name}.mp4") for name in "abc"]


def test_scored_once_and_the_same_from_the_journal(detector, samples, tmp_path) -> None:
    journal = tmp_path / "j.jsonl"
    steps: list[float] = []
    first = list(score(samples, detector, 4, journal, steps.append))
    assert [item.status for item in first] == ["ok", "ok", "error"]
    assert len(first[0].frames()) == 4
    assert first[0].sharpness is not None
    assert first[0].flagged.keys() == {"0.1", "0.01"}
    assert first[0].media["size"] == samples[0].path.stat().st_size
    assert first[2].reason == "unreadable"
    assert sum(steps) == 3
    assert list(score(samples, detector, 4, journal)) == first
    assert detector.judged == ["a.mp4", "b.mp4", "c.mp4"]


def test_a_changed_file_and_another_number_of_frames_are_scored_anew(detector, samples, tmp_path) -> None:
    journal = tmp_path / "j.jsonl"
    list(score(samples[:2], detector, 4, journal))
    make_video(samples[1].path, width=160, height=120, frames=5)
    list(score(samples[:2], detector, 4, journal))
    list(score(samples[:1], detector, 3, journal))
    assert detector.judged == ["a.mp4", "b.mp4", "b.mp4", "a.mp4"]


def test_a_detector_calibrated_anew_scores_anew(detector, samples, tmp_path) -> None:
    """Its network is the same; what its thresholds flag is not."""
    journal = tmp_path / "j.jsonl"
    assert next(score(samples[:1], detector, 4, journal)).flagged["0.1"] is not None
    detector.bundle = dataclasses.replace(detector.bundle, video_thresholds=Thresholds({0.1: -1000.0}))
    assert next(score(samples[:1], detector, 4, journal)).flagged == {"0.1": True}
    assert detector.judged == ["a.mp4", "a.mp4"]


def test_a_journal_that_a_crash_cut_off(detector, samples, tmp_path) -> None:
    journal = tmp_path / "j.jsonl"
    first = list(score(samples[:2], detector, 4, journal))
    journal.write_text(journal.read_text()[:-40])  # the second line is torn
    assert list(score(samples[:2], detector, 4, journal)) == first
    assert detector.judged == ["a.mp4", "b.mp4", "b.mp4"]
    assert list(score(samples[:2], detector, 4, journal)) == first
    assert len(detector.judged) == 3  # what was written after the tear is found again


def test_a_folder_of_frames_is_scored_like_a_video(detector, tmp_path) -> None:
    from sfumato.media.images import write_image

    (tmp_path / "frames").mkdir()
    for number in range(12):
        write_image(tmp_path / "frames" / f"{number}.png", np.full((120, 160, 3), 10 * number, np.uint8))
    found = next(score([sample("frames", "real", path=tmp_path / "frames")], detector, 4))
    assert found.status == "ok"
    assert [time for time, _ in found.tracks[0]] == [0.0, 3.0, 6.0, 9.0]
    assert found.media["kind"] == "frames"


def test_a_damaged_entry_and_an_unwritable_journal_are_errors(detector, samples, tmp_path) -> None:
    journal = tmp_path / "j.jsonl"
    list(score(samples[:1], detector, 4, journal))
    journal.write_text(journal.read_text().replace('"tracks"', '"trucks"'))
    with pytest.raises(MediaError, match="damaged"):
        list(score(samples[:1], detector, 4, journal))
    with pytest.raises(OutputError):
        list(score([dataclasses.replace(samples[0])], detector, 5, tmp_path / "no" / "j.jsonl"))
