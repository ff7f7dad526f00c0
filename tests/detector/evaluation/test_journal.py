"""Scoring: once a content, again only when that, the detector or the number of frames is another."""

import dataclasses
import os
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from detector.evaluation.journal import VideoJournal, score
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
    for name, frames in (("a", 6), ("b", 7)):
        make_video(tmp_path / f"{name}.mp4", width=160, height=120, frames=frames)
    (tmp_path / "c.mp4").write_text("no video")
    return [sample(name, "fake", path=tmp_path / f"{name}.mp4") for name in "abc"]


def test_scored_once_and_the_same_from_the_journal(detector, samples, tmp_path) -> None:
    journal = tmp_path / "j.sqlite3"
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
    journal = tmp_path / "j.sqlite3"
    list(score(samples[:2], detector, 4, journal))
    make_video(samples[1].path, width=160, height=120, frames=5)
    list(score(samples[:2], detector, 4, journal))
    list(score(samples[:1], detector, 3, journal))
    assert detector.judged == ["a.mp4", "b.mp4", "b.mp4", "a.mp4"]


def test_a_detector_calibrated_anew_scores_anew(detector, samples, tmp_path) -> None:
    """Its network is the same; what its thresholds flag is not."""
    journal = tmp_path / "j.sqlite3"
    assert next(score(samples[:1], detector, 4, journal)).flagged["0.1"] is not None
    detector.bundle = dataclasses.replace(detector.bundle, video_thresholds=Thresholds({0.1: -1000.0}))
    assert next(score(samples[:1], detector, 4, journal)).flagged == {"0.1": True}
    assert detector.judged == ["a.mp4", "a.mp4"]


def test_a_file_that_was_moved_copied_or_touched_is_known(detector, samples, tmp_path) -> None:
    journal = tmp_path / "j.sqlite3"
    (first,) = score(samples[:1], detector, 4, journal)
    os.utime(samples[0].path, (1, 1))
    (tmp_path / "sub").mkdir()
    copy = dataclasses.replace(samples[0], path=Path(shutil.copy(samples[0].path, tmp_path / "sub" / "other.mp4")))
    again, moved = score([samples[0], copy], detector, 4, journal)
    assert again == first and moved == dataclasses.replace(first, sample=copy)
    assert detector.judged == ["a.mp4"]


def test_a_file_that_keeps_its_size_and_time_but_not_its_content_is_scored_anew(detector, samples, tmp_path) -> None:
    path, journal = samples[2].path, tmp_path / "j.sqlite3"
    list(score(samples[2:], detector, 4, journal))
    before = path.stat()
    path.write_text("no VIDEO")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    list(score(samples[2:], detector, 4, journal))
    assert detector.judged == ["c.mp4", "c.mp4"]


def test_nothing_is_kept_of_what_cannot_be_read(detector, tmp_path) -> None:
    gone = [sample("x", "fake", path=tmp_path / "x.mp4")]
    assert [item.status for item in score(gone, detector, 4, tmp_path / "j.sqlite3")] == ["error"]
    make_video(tmp_path / "x.mp4", width=160, height=120, frames=6)
    assert [item.status for item in score(gone, detector, 4, tmp_path / "j.sqlite3")] == ["ok"]


def test_without_a_journal_no_digest_is_computed(detector, samples, monkeypatch) -> None:
    monkeypatch.setattr("detector.evaluation.journal.content_digest", lambda path: pytest.fail("it was read"))
    assert [item.status for item in score(samples[:1], detector, 4)] == ["ok"]


def test_a_folder_of_frames_is_scored_like_a_video(detector, tmp_path) -> None:
    from sfumato.media.images import write_image

    (tmp_path / "frames").mkdir()
    for number in range(12):
        write_image(tmp_path / "frames" / f"{number}.png", np.full((120, 160, 3), 10 * number, np.uint8))
    found = next(score([sample("frames", "real", path=tmp_path / "frames")], detector, 4))
    assert found.status == "ok"
    assert [time for time, _ in found.tracks[0]] == [0.0, 3.0, 6.0, 9.0]
    assert found.media["kind"] == "frames"


def test_a_changed_frame_of_a_folder_is_scored_anew(detector, tmp_path) -> None:
    from sfumato.media.images import write_image

    (folder := tmp_path / "frames").mkdir()
    for grey in (40, 40, 50):
        write_image(folder / "0.png", np.full((120, 160, 3), grey, np.uint8))
        list(score([sample("frames", "real", path=folder)], detector, 4, tmp_path / "j.sqlite3"))
    assert detector.judged == ["frames", "frames"]


def test_a_damaged_entry_is_an_error(detector, samples, tmp_path) -> None:
    with closing(VideoJournal(tmp_path / "j", detector.bundle.judging, 4)) as journal:
        journal.add(samples[0], {"trucks": []})
    with pytest.raises(MediaError, match="damaged"):
        list(score(samples[:1], detector, 4, tmp_path / "j"))


def test_a_journal_of_lines_as_it_once_was_is_refused_untouched(detector, samples, tmp_path) -> None:
    (old := tmp_path / "j.jsonl").write_text('{"key": "a", "facts": {}}\n')
    with pytest.raises(OutputError, match="not a journal of this version"):
        list(score(samples[:1], detector, 4, old))
    assert old.read_text() == '{"key": "a", "facts": {}}\n'
