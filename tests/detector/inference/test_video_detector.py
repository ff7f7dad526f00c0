"""The detector on files: tracks, the file's score, every way to abstain, and no torch on the way."""

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector.inference.fusion import pooled, probability
from detector.inference.prediction import FrameCounts
from detector.inference.thresholds import Thresholds
from detector.inference.video_detector import MIN_FACE, VideoDetector
from sfumato.errors import MissingPartError
from sfumato.media.faces import Face
from sfumato.media.images import write_image
from tests.detector_fixtures import FaceAtRest, motion_head, write_shipped
from tests.media_fixtures import FRAMES, make_video, picture


@dataclass
class ScorerThatSays:
    """A net whose evidence is known beforehand, whatever the crops show."""

    name: str
    evidence: np.ndarray

    def __call__(self, crops) -> np.ndarray:
        assert len(crops) == len(self.evidence)
        return self.evidence


def face(x: float, size: float = 60.0) -> Face:
    return Face((x, 20.0, size * 0.8, size), 0.9, np.zeros((5, 2), np.float32))


@pytest.fixture
def detector(shipped_detector: Path, monkeypatch) -> VideoDetector:
    made = VideoDetector(shipped_detector)
    made.seen = []
    monkeypatch.setattr(made._faces, "detect", lambda image: made.seen)
    return made


def test_video_without_a_face_abstains(shipped_detector, tmp_path) -> None:
    make_video(tmp_path / "bars.mp4")
    found = VideoDetector(shipped_detector).predict(tmp_path / "bars.mp4", frames=6)
    assert found.status == "abstain"
    assert [reason.code for reason in found.reasons] == ["no_face"]
    assert found.score is None
    assert found.frames == FrameCounts(6, 0)
    assert found.threshold.n_real == 99


@pytest.mark.parametrize(("asked", "sampled"), [(None, 5), (8, 8)])
def test_a_video_is_looked_at_as_closely_as_those_of_its_thresholds_unless_asked(
    detector, tmp_path, asked, sampled
) -> None:
    detector.bundle = replace(detector.bundle, video_thresholds=replace(detector.bundle.video_thresholds, frames=5))
    make_video(tmp_path / "bars.mp4", frames=24)
    assert detector.predict(tmp_path / "bars.mp4", asked).frames.sampled == sampled


def test_a_picture_without_a_face_is_told_as_a_picture(detector, tmp_path) -> None:
    write_image(tmp_path / "a.png", picture(0))
    found = detector.predict(tmp_path / "a.png")
    assert [reason.detail for reason in found.reasons] == ["No face in the picture."]


def test_the_notes_of_reading_reach_the_prediction(detector, tmp_path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png", icc_profile=b"nonsense")
    assert detector.predict(tmp_path / "a.png").notes == ("Read as sRGB: its colour profile is damaged.",)


def test_small_face_abstains_and_says_how_small(detector, tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    detector.seen = [face(5, size=20)]
    found = detector.predict(tmp_path / "a.mp4")
    assert found.reasons[0].code == "face_too_small"
    assert "20 px" in found.reasons[0].detail
    assert f"{MIN_FACE:.0f}" in found.reasons[0].detail


def test_two_frames_are_too_short_but_a_still_is_not(detector, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=2, width=160, height=120)
    write_image(tmp_path / "a.png", picture(0, 160, 120))
    detector.seen = [face(40)]
    assert detector.predict(tmp_path / "a.mp4").reasons[0].code == "too_short"
    still = detector.predict(tmp_path / "a.png")
    assert still.status == "ok"
    assert len(still.timeline) == 1


@pytest.mark.parametrize("content", [b"", b"this is text"])
def test_unreadable_file_is_an_error_with_advice(detector, tmp_path, content) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    found = detector.predict(tmp_path / "a.mp4")
    assert found.status == "error"
    assert found.reasons[0].code == "unreadable"
    assert ". " in found.reasons[0].detail


def test_missing_file_is_an_error(detector, tmp_path) -> None:
    assert detector.predict(tmp_path / "none.mp4").status == "error"


def test_score_is_the_highest_tracks_pooled_logit(detector, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", width=320, height=120)
    detector.seen = [face(20), face(200)]
    found = detector.predict(tmp_path / "a.mp4", frames=8)
    assert found.status == "ok"
    assert len(found.tracks) == 2
    assert [len(track.frames) for track in found.tracks] == [8, 8]
    means = [pooled([frame.logit for frame in track.frames]) for track in found.tracks]
    assert found.logit == pytest.approx(max(means))
    assert found.score == pytest.approx(float(probability(found.logit)))
    assert [moment.time for moment in found.timeline] == sorted(moment.time for moment in found.timeline)
    assert all(
        moment.score == max(f.score for track in found.tracks for f in track.frames if f.time == moment.time)
        for moment in found.timeline
    )
    assert found.media.frames == FRAMES


def test_advance_counts_sampled_frames(detector, tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    steps = []
    detector.predict(tmp_path / "a.mp4", frames=5, advance=steps.append)
    assert sum(steps) == 5


def test_who_else_looks_gets_each_sampled_frame_in_order_and_its_time_is_not_counted(detector, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=24)
    shown: list[int] = []

    def look(frame) -> None:
        shown.append(frame.index)
        time.sleep(0.3)

    found = detector.predict(tmp_path / "a.mp4", frames=4, shown=look)
    assert shown == [0, 6, 12, 18]
    assert found.timing.total < 1.2


def test_missing_detector_is_refused(tmp_path) -> None:
    with pytest.raises(MissingPartError):
        VideoDetector(tmp_path)


def test_judging_does_without_torch() -> None:
    code = (
        "import sys, detector.inference.video_detector, sfumato.app.scan.verdict, "
        "sfumato.app.scan.scanner; print('torch' in sys.modules or 'timm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_videos_and_pictures_have_their_own_thresholds(detector, tmp_path) -> None:
    videos, pictures = Thresholds({0.1: 1.5}, 99, "videos"), Thresholds({0.1: 1.0}, 99, "pictures")
    detector.bundle = replace(detector.bundle, thresholds=pictures, video_thresholds=videos)
    video, picture = tmp_path / "grey.mp4", tmp_path / "grey.png"
    make_video(video, frames=8)
    write_image(picture, np.full((64, 64, 3), 128, np.uint8))
    assert detector.predict(video).threshold == videos
    assert detector.predict(picture).threshold == pictures


def test_a_short_track_counts_only_where_there_is_no_other(detector, tmp_path, monkeypatch) -> None:
    """A false detection is short: one odd frame, however high, must not decide over a face that is always there."""
    make_video(tmp_path / "a.mp4", width=320, height=120, frames=24)
    steady, flash = face(20), face(200)
    looks = iter(range(1000))
    monkeypatch.setattr(detector._faces, "detect", lambda image: [steady, flash] if next(looks) == 12 else [steady])
    evidence = np.full((25, 2), -9.0)
    evidence[13] = 9.0  # the flash comes after the steady face of its frame
    detector.bundle = replace(detector.bundle, scorer=ScorerThatSays(detector.bundle.scorer.name, evidence))
    found = detector.predict(tmp_path / "a.mp4", frames=24)
    assert [len(track.frames) for track in found.tracks] == [24]
    assert found.logit < 0
    assert max(moment.score for moment in found.timeline) < 0.5


def test_a_short_track_alone_is_judged(detector, tmp_path, monkeypatch) -> None:
    make_video(tmp_path / "a.mp4", width=320, height=120, frames=24)
    looks = iter(range(1000))
    monkeypatch.setattr(detector._faces, "detect", lambda image: [face(20)] if next(looks) == 12 else [])
    found = detector.predict(tmp_path / "a.mp4", frames=24)
    assert [len(track.frames) for track in found.tracks] == [1]
    assert found.status == "ok"


@pytest.fixture(scope="module")
def moving_folder(tiny_network: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that says 3 of every motion."""
    return write_shipped(tmp_path_factory.mktemp("moving"), tiny_network, motion=motion_head(3.0))


@pytest.fixture
def mover(moving_folder: Path, monkeypatch) -> VideoDetector:
    """It sees the faces in `seen`, and follows them at rest."""
    made = VideoDetector(moving_folder)
    made.seen, made._landmarks = [face(20)], FaceAtRest()
    monkeypatch.setattr(made._faces, "detect", lambda image: made.seen)
    return made


def test_the_largest_face_has_its_motion_and_the_other_one_none(mover, tmp_path) -> None:
    mover.seen = [face(20, size=80), face(200)]
    found = mover.predict(make_video(tmp_path / "a.mp4", frames=40, rate=25, width=320, height=120), frames=8)
    motions = {track.frames[0].box[0]: track.motion for track in found.tracks}
    assert motions == {20.0: 3.0, 200.0: None}


def test_a_logit_rises_with_the_motion(mover, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=40, rate=25, width=160, height=120)
    logits = []
    for bias in (-20.0, 0.0, 4.0):
        mover.bundle = replace(mover.bundle, motion=motion_head(bias))
        logits.append(mover.predict(tmp_path / "a.mp4", frames=4).logit)
    assert logits[0] < logits[1] < logits[2]
    assert logits[2] > 4.0


def test_motion_changes_nothing_of_what_the_net_says(mover, detector, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=40, rate=25, width=160, height=120)
    detector.seen = mover.seen
    with_motion, without = (each.predict(tmp_path / "a.mp4", frames=4) for each in (mover, detector))
    told = [[frame.evidence for frame in found.tracks[0].frames] for found in (with_motion, without)]
    assert told[0] == told[1]
    assert with_motion.logit > without.logit


@pytest.mark.parametrize("name", ["a.png", "frames"])
def test_what_is_no_video_has_no_motion(mover, tmp_path, name) -> None:
    (tmp_path / "frames").mkdir()
    for path in (tmp_path / "a.png", *(tmp_path / f"frames/{number}.png" for number in range(4))):
        write_image(path, picture(0, 160, 120))
    found = mover.predict(tmp_path / name)
    assert (found.status, found.tracks[0].motion) == ("ok", None)


def test_a_video_too_short_for_a_pace_has_no_motion_and_a_score(mover, tmp_path) -> None:
    found = mover.predict(make_video(tmp_path / "a.mp4", frames=5, width=160, height=120))
    assert (found.status, found.tracks[0].motion) == ("ok", None)


def test_a_face_that_comes_between_sampled_frames_is_followed_from_the_next(mover, tmp_path, monkeypatch) -> None:
    looks = iter(range(1000))
    monkeypatch.setattr(mover._faces, "detect", lambda image: [face(20)] if next(looks) >= 2 else [])
    found = mover.predict(make_video(tmp_path / "a.mp4", frames=100, rate=25, width=160, height=120), frames=5)
    assert found.tracks[0].frames[0].time == pytest.approx(1.6)
    assert found.tracks[0].motion == 3.0


def test_what_is_followed_on_the_way_is_told_as_looking(mover, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(FaceAtRest, "step", lambda self, image: time.sleep(0.01) or self._points)
    timing = mover.predict(make_video(tmp_path / "a.mp4", rate=25, width=160, height=120), frames=2).timing
    assert timing.detect > 0.19
    assert 0 <= timing.decode <= timing.total - timing.detect


def test_an_explanation_has_a_map_of_what_the_net_says_alone(mover, tmp_path) -> None:
    found = mover.predict(make_video(tmp_path / "a.mp4", width=160, height=120), frames=4, explained=True)
    assert all(frame.evidence.shape == (2,) for frame in found.explanation.frames)
    assert found.explanation.frames[0].logit == pytest.approx(max(f.logit for f in found.tracks[0].frames), abs=1e-4)


def test_judging_motion_does_without_torch(moving_folder, tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    code = (
        "import sys, pathlib; from detector.inference.video_detector import VideoDetector; "
        f"VideoDetector(pathlib.Path({str(moving_folder)!r})).predict(pathlib.Path({str(tmp_path / 'a.mp4')!r}), 2); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
