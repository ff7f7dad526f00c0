"""Thresholds on own reals: people not clips, what is too few, resume."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from detector.datasets.sample import Sample
from detector.inference.bundle import load_shipped
from detector.inference.prediction import Prediction, Reason
from detector.inference.quality_norm import QUANTITIES
from detector.inference.video_detector import VideoDetector
from detector.training.own_footage import Real, find_reals, judge_reals, one_file_a_person, recalibrate
from sfumato.errors import MediaError, UsageError
from sfumato.media.clips import write_clips
from sfumato.media.faces import Face, FaceDetector
from tests.detector_fixtures import clip_row
from tests.media_fixtures import make_video


def reals(count: int, kind: str = "video", clips: int = 1) -> list[Real]:
    """People 0, 1, ... with logits 0, 1, ..., each in several clips."""
    return [Real(kind, f"person {i}", f"{i:03d}{k}", float(i)) for i in range(count) for k in range(clips)]


@pytest.fixture
def record(shipped_detector: Path) -> dict:
    return load_shipped(shipped_detector).record


def test_threshold_is_the_conformal_one_of_the_people(record) -> None:
    found = recalibrate(record, reals(99, clips=3), True)
    section = found.record["video_calibration"]
    assert section["thresholds"] == {"0.1": 89.0, "0.01": 98.0}
    assert (section["n_real"], section["left_out"]) == (99, [0.001])
    assert section["calibrated_on"]["people"] == 99
    assert section["calibrated_on"]["files"] == 297
    assert found.record["calibration"] == record["calibration"]  # there were no pictures
    assert "there is no picture" in found.kept["picture"]
    assert found.record["network"] == record["network"]


def test_too_few_people_are_refused_however_many_clips_they_have(record) -> None:
    with pytest.raises(UsageError, match="8 people") as refusal:
        recalibrate(record, reals(8, clips=50), True)
    assert "needs 9 for 0.1" in str(refusal.value.advice)


def test_the_clip_that_counts_does_not_depend_on_scores_or_order() -> None:
    mine = [Real("video", "a", digest, logit) for digest, logit in (("2", 9.0), ("1", -3.0), ("3", 5.0))]
    assert one_file_a_person(mine) == one_file_a_person(mine[::-1]) == [mine[1]]


def test_abstentions_are_counted_and_give_no_threshold(record) -> None:
    found = recalibrate(
        record, [*reals(20), *(Real("video", f"x{i}", f"x{i}", None, "no_face") for i in range(5))], True
    )
    assert found.abstained == {"no_face": 5}
    assert found.record["video_calibration"]["n_real"] == 20
    assert found.record["video_calibration"]["calibrated_on"]["abstained"] == 5


def test_a_list_gives_its_reals_and_their_people(tmp_path) -> None:
    twin = dataclasses.replace(clip_row("t.mp4", identity="anna"), method="twin")
    write_clips(tmp_path / "clips.jsonl", [clip_row("a.mp4", identity="anna"), twin, clip_row("f.mp4", "fake")])
    found, known = find_reals(tmp_path / "clips.jsonl")
    assert [(sample.path.name, sample.identity) for sample in found] == [("a.mp4", "anna")]
    assert known
    with pytest.raises(UsageError, match="No video"):
        find_reals((tmp_path / "empty").mkdir() or tmp_path / "empty")


def pretend(monkeypatch, asked: list[str]) -> None:
    """Judging without decoding: a file's logit is written in it; an empty one has no face."""

    def predict(self, path, frames, advance=None) -> Prediction:
        asked.append(path.name)
        text = path.read_text()
        return (
            Prediction("ok", logit=float(text), score=0.5) if text else Prediction("abstain", (Reason("no_face", ""),))
        )

    monkeypatch.setattr(VideoDetector, "predict", predict)


def test_a_stopped_run_goes_on_and_a_copy_counts_once(tmp_path, shipped_detector, monkeypatch) -> None:
    asked: list[str] = []
    pretend(monkeypatch, asked)
    samples = []
    for name, text in (("a.mp4", "1"), ("b.mp4", "2"), ("copy.mp4", "1"), ("c.png", "")):
        (tmp_path / name).write_text(text)
        samples.append(Sample("own", name, tmp_path / name, "real", "camera", "real", name))
    detector = VideoDetector(shipped_detector)
    first = next(judge_reals(samples, detector, 32, tmp_path / "journal"))
    found = list(judge_reals(samples, detector, 32, tmp_path / "journal"))
    assert asked == ["a.mp4", "b.mp4", "c.png"]  # what is in a file counts, not where it is
    assert found[0] == first
    assert [(real.kind, real.logit) for real in found] == [("video", 1.0), ("video", 2.0), ("picture", None)]
    assert found[2].reason == "no_face"


def test_every_unreadable_file_is_counted_and_fakes_in_the_folder_are_passed_over(tmp_path, shipped_detector) -> None:
    (tmp_path / "generated").mkdir()
    for name in ("a.mp4", "b.mp4", "generated/fake.mp4"):
        (tmp_path / name).symlink_to(tmp_path / "a folder")
    (tmp_path / "c.mp4").write_text("no video")
    (tmp_path / "generated" / "real.mp4").write_text("no video")
    samples, _ = find_reals(tmp_path)
    assert [sample.path.name for sample in samples] == ["c.mp4"]
    gone = [Sample("own", name, tmp_path / name, "real", "camera", "real", name) for name in ("a.mp4", "b.mp4")]
    found = list(judge_reals(gone, VideoDetector(shipped_detector), 4))
    assert [real.reason for real in found] == ["unreadable", "unreadable"]


def test_a_journal_without_a_number_is_damaged(tmp_path, shipped_detector, monkeypatch) -> None:
    pretend(monkeypatch, [])
    (tmp_path / "a.mp4").write_text("nan")
    with pytest.raises(MediaError, match="damaged"):
        list(judge_reals(find_reals(tmp_path)[0], VideoDetector(shipped_detector), 32, tmp_path / "journal"))


def test_each_group_of_the_reals_has_its_say(record) -> None:
    camera = [dataclasses.replace(real, group="camera") for real in reals(99)]
    webcam = [Real("video", f"w {i}", f"w{i}", 500.0 + i, group="webcam") for i in range(29)]
    section = recalibrate(record, [*camera, *webcam], True).record["video_calibration"]
    assert section["thresholds"] == {"0.1": 526.0, "0.01": 528.0}
    assert section["groups"]["webcam"]["rates"] == {"0.1": 0.1, "0.01": 1 / 30}
    assert section["groups"]["camera"]["rates"] == {"0.1": 0.1, "0.01": 0.01}


def test_the_record_keeps_what_was_seen_and_with_how_many_frames(record) -> None:
    seen = [
        dataclasses.replace(real, seen={"contrast": 5.0}, codec="h264") for real in [*reals(20), *reals(20, "picture")]
    ]
    found = recalibrate(record, seen, True, frames=12).record
    video, picture = found["video_calibration"], found["calibration"]
    assert video["covers"] == {
        "n": 20, "ranges": {"contrast": [pytest.approx(4.8), pytest.approx(5.2)]}, "codecs": ["H.264 and later"],
    }  # fmt: skip
    assert (video["frames"], picture["frames"]) == (12, None)


def test_groups_are_collections_and_of_ones_own_footage_what_the_list_calls_it(
    tmp_path, shipped_detector, monkeypatch
) -> None:
    pretend(monkeypatch, [])
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.mp4").write_text(f"{ord(name)}")
    rows = [dataclasses.replace(clip_row(f"{name}.mp4"), sha256=64 * name) for name in ("a", "b", "c")]
    rows[1] = dataclasses.replace(rows[1], method="webcam")
    rows[2] = dataclasses.replace(rows[2], method="webcam", dataset="ffhq")
    write_clips(tmp_path / "clips.jsonl", rows)
    samples, _ = find_reals(tmp_path / "clips.jsonl")
    found = list(judge_reals(samples, VideoDetector(shipped_detector), 32))
    assert [real.group for real in found] == ["camera", "webcam", "ffhq"]


def test_a_judged_file_is_kept_with_its_quantities_and_its_codec(tmp_path, shipped_detector, monkeypatch) -> None:
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [face])
    make_video(tmp_path / "a.mp4", width=160, height=120)
    samples, _ = find_reals(tmp_path)
    for _ in range(2):  # judged, then read from the journal
        (found,) = judge_reals(samples, VideoDetector(shipped_detector), 4, tmp_path / "journal")
        assert (tuple(found.seen), found.codec) == (QUANTITIES, "h264")
