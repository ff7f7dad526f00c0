"""Judging: tracks, the file's score, every way to abstain, and no torch on the way."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.inference.fusion import pooled, probability
from detector.inference.video_detector import MIN_FACE, Judge
from sfumato.errors import MissingPartError
from sfumato.media.faces import Face
from sfumato.media.images import write_image
from tests.media_fixtures import FRAMES, make_video, picture


def face(x: float, size: float = 60.0) -> Face:
    return Face((x, 20.0, size * 0.8, size), 0.9, np.zeros((5, 2), np.float32))


@pytest.fixture
def judge(shipped_detector: Path, monkeypatch) -> Judge:
    made = Judge(shipped_detector)
    made.seen = []
    monkeypatch.setattr(made._faces, "detect", lambda image: made.seen)
    return made


def test_video_without_a_face_abstains(shipped_detector, tmp_path) -> None:
    make_video(tmp_path / "bars.mp4")
    found = Judge(shipped_detector).judge_video(tmp_path / "bars.mp4", frames=6)
    assert found.status == "abstain"
    assert [reason.code for reason in found.reasons] == ["no_face"]
    assert found.score is None
    assert found.frames == {"sampled": 6, "with_face": 0}
    assert found.threshold["n_real"] == 99


def test_small_face_abstains_and_says_how_small(judge, tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    judge.seen = [face(5, size=20)]
    found = judge.judge_video(tmp_path / "a.mp4")
    assert found.reasons[0].code == "face_too_small"
    assert "20 px" in found.reasons[0].detail
    assert f"{MIN_FACE:.0f}" in found.reasons[0].detail


def test_two_frames_are_too_short_but_a_still_is_not(judge, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=2, width=160, height=120)
    write_image(tmp_path / "a.png", picture(0, 160, 120))
    judge.seen = [face(40)]
    assert judge.judge_video(tmp_path / "a.mp4").reasons[0].code == "too_short"
    still = judge.judge_video(tmp_path / "a.png")
    assert still.status == "ok"
    assert len(still.timeline) == 1


@pytest.mark.parametrize("content", [b"", b"this is text"])
def test_unreadable_file_is_an_error_with_advice(judge, tmp_path, content) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    found = judge.judge_video(tmp_path / "a.mp4")
    assert found.status == "error"
    assert found.reasons[0].code == "unreadable"
    assert ". " in found.reasons[0].detail


def test_missing_file_is_an_error(judge, tmp_path) -> None:
    assert judge.judge_video(tmp_path / "none.mp4").status == "error"


def test_score_is_the_highest_tracks_pooled_logit(judge, tmp_path) -> None:
    make_video(tmp_path / "a.mp4", width=320, height=120)
    judge.seen = [face(20), face(200)]
    found = judge.judge_video(tmp_path / "a.mp4", frames=8)
    assert found.status == "ok"
    assert len(found.tracks) == 2
    assert [len(track.frames) for track in found.tracks] == [8, 8]
    means = [pooled([frame.logit for frame in track.frames]) for track in found.tracks]
    assert found.logit == pytest.approx(max(means))
    assert found.score == pytest.approx(float(probability(found.logit)))
    assert [t for t, _ in found.timeline] == sorted(t for t, _ in found.timeline)
    assert all(
        score == max(f.score for track in found.tracks for f in track.frames if f.time == t)
        for t, score in found.timeline
    )
    assert found.media["frames"] == FRAMES


def test_thresholds_come_as_scores_and_logits(judge, tmp_path) -> None:
    threshold = judge.judge_video(tmp_path / "none.mp4").threshold
    assert threshold["0.01"] == pytest.approx(float(probability(threshold["logit"]["0.01"])))


def test_advance_counts_sampled_frames(judge, tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    steps = []
    judge.judge_video(tmp_path / "a.mp4", frames=5, advance=steps.append)
    assert sum(steps) == 5


def test_missing_detector_is_refused(tmp_path) -> None:
    with pytest.raises(MissingPartError):
        Judge(tmp_path)


def test_judging_does_without_torch() -> None:
    code = (
        "import sys, detector.inference.video_detector, sfumato.app.scan.verdict, "
        "sfumato.app.scan.scanner; print('torch' in sys.modules or 'timm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_videos_and_pictures_have_their_own_thresholds(judge, tmp_path) -> None:
    record = judge.detector.record
    record["video_calibration"] = record["calibration"] | {"id": "videos"}
    judge.detector.video_thresholds[0.1] = 1.5
    video, picture = tmp_path / "grey.mp4", tmp_path / "grey.png"
    make_video(video, frames=8)
    write_image(picture, np.full((64, 64, 3), 128, np.uint8))
    assert judge.judge_video(video).threshold["logit"]["0.1"] == 1.5
    assert judge.judge_video(video).threshold["calibration"] == "videos"
    assert judge.judge_video(picture).threshold["logit"]["0.1"] == 1.0
