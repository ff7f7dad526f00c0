"""`sfumato calibrate`: a scan uses the result, and footage with what is known to be no real is refused by name."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from detector.inference.bundle import load_shipped
from detector.inference.prediction import Prediction, Reason
from detector.inference.video_detector import VideoDetector
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.cli.calibrate import calibrate
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import OutputError, UsageError
from sfumato.media.clips import file_digest, write_clips
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.images import read_image, write_image
from tests.detector_fixtures import clip_row
from tests.media_fixtures import make_video

FACE = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))


@pytest.fixture(autouse=True)
def pretend(monkeypatch) -> None:
    """Judging without decoding: a file's logit is written in it; one without has no face."""

    def predict(self, path, frames, advance=None) -> Prediction:
        try:
            return Prediction("ok", logit=float(path.read_text()), score=0.5)
        except ValueError:
            return Prediction("abstain", (Reason("no_face", ""),))

    monkeypatch.setattr(VideoDetector, "predict", predict)


def test_command_writes_a_detector_that_scans(tmp_path, shipped_detector) -> None:
    (tmp_path / "secret-names").mkdir()
    for i in range(12):
        (tmp_path / "secret-names" / f"secret-{i}.mp4").write_text(f"{i}.5")
    out = tmp_path / "mine"
    arguments = [str(tmp_path / "secret-names"), "--model", str(shipped_detector), "--output", str(out)]
    result = CliRunner().invoke(calibrate, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert "each file counts as a person" in result.stderr
    assert result.stdout.strip() == str(out)
    detector = load_shipped(out)
    assert detector.video_thresholds.logits == {0.1: 11.5}
    assert detector.thresholds == load_shipped(shipped_detector).thresholds
    written = json.loads((out / "detector.json").read_text())
    assert "secret" not in json.dumps(written)
    assert written["video_calibration"]["calibrated_on"]["people"] is None
    Scanner(fpr=0.1, detector=VideoDetector(out))
    with pytest.raises(UsageError, match="no threshold"):
        Scanner(fpr=0.01, detector=VideoDetector(out))
    assert isinstance(CliRunner().invoke(calibrate, arguments, standalone_mode=False).exception, OutputError)


def call(source: Path, detector: Path, *more: str) -> Result:
    arguments = [str(source), "--model", str(detector), "--output", str(source.parent / "mine"), *more]
    return CliRunner().invoke(calibrate, arguments, standalone_mode=False)


@pytest.fixture
def reals(tmp_path) -> Path:
    """Nine videos, and a painting among them that was scaled and saved anew."""
    folder = tmp_path / "reals"
    folder.mkdir()
    for i in range(9):
        (folder / f"{i}.mp4").write_text(f"{i}.5")
    painting = read_image(shipped_portraits()["mona-lisa"].path)
    write_image(folder / "aunt.png", np.ascontiguousarray(painting[::2, ::2]))
    (folder / "notes.txt").write_text("")
    return folder


def test_footage_with_a_painting_in_it_is_refused_by_name_and_nothing_is_written(reals, shipped_detector) -> None:
    result = call(reals, shipped_detector)
    assert isinstance(result.exception, UsageError)
    assert f"1 of 10 files in {reals} are known to be no real footage of people: aunt.png" in str(result.exception)
    assert "--leave-out" in str(result.exception.advice)
    assert "No real: aunt.png: nearly the picture of a painting, no photograph: Mona Lisa" in result.stderr
    assert sorted(entry.name for entry in reals.parent.iterdir()) == ["reals"]


def test_what_is_no_real_can_be_left_out_and_the_rest_counts(reals, shipped_detector) -> None:
    result = call(reals, shipped_detector, "--leave-out")
    assert result.exception is None, result.output
    assert "Left out aunt.png: nearly the picture of a painting" in result.stderr
    assert "Passed over in folders: 1 .txt" in result.stderr
    written = json.loads((reals.parent / "mine" / "detector.json").read_text())
    assert written["video_calibration"]["n_real"] == 9


def test_paintings_alone_leave_nothing(tmp_path, shipped_detector) -> None:
    (tmp_path / "reals").mkdir()
    shutil.copy(shipped_portraits()["mona-lisa"].path, tmp_path / "reals" / "aunt.jpg")
    result = call(tmp_path / "reals", shipped_detector, "--leave-out")
    assert isinstance(result.exception, UsageError) and "is a real" in str(result.exception)
    assert not (tmp_path / "mine").exists()


def test_stills_set_no_thresholds_of_videos(tmp_path, shipped_detector) -> None:
    (tmp_path / "reals").mkdir()
    for i in range(13):
        (tmp_path / "reals" / f"still-{i:02d}.png").write_text(f"{i}.5")
    result = call(tmp_path / "reals", shipped_detector, "--kind", "video")
    assert isinstance(result.exception, UsageError)
    assert "There is no video in" in str(result.exception)
    assert "only 13 pictures: still-00.png, still-01.png" in str(result.exception)
    assert "say nothing of the other" in str(result.exception.advice)
    assert call(tmp_path / "reals", shipped_detector, "--kind", "picture").exception is None


def test_a_threshold_holds_for_every_method_of_a_list(tmp_path, shipped_detector) -> None:
    """What a list calls a print is left out; a webcam whose reals score higher sets the threshold."""
    folder = tmp_path / "reals"
    folder.mkdir()
    rows = []
    for method, count, start in (("camera", 60, 0.0), ("webcam", 20, 100.0), ("print", 1, 999.0)):
        for i in range(count):
            path = folder / f"{method}-{i:02d}.mp4"
            path.write_text(str(start + i))
            rows.append(replace(clip_row(path.name), method=method, sha256=file_digest(path)))
    write_clips(folder / "clips.jsonl", rows)
    result = call(folder / "clips.jsonl", shipped_detector)
    assert result.exception is None, result.output
    written = json.loads((folder / "mine" / "detector.json").read_text())["video_calibration"]
    assert written["thresholds"] == {"0.1": 118.0}
    assert written["groups"]["webcam"] == {"n": 20, "thresholds": {"0.1": 118.0}, "rates": {"0.1": 2 / 21}}
    assert (written["frames"], written["covers"]) == (32, None)
    assert "Left out print-00.mp4: no photograph: the list calls it print" in result.stderr
    assert "at 0.1: set on 80 real videos of 2 sources" in result.stderr


@pytest.mark.parametrize(
    ("before", "asked", "frames"), [(None, (), 32), (12, (), 12), (12, ("--frames", "20"), 20)]
)  # fmt: skip
def test_a_scan_looks_at_as_many_frames_as_the_calibration_and_notes_nothing(
    reals, shipped_detector, monkeypatch, before, asked, frames
) -> None:
    model = shutil.copytree(shipped_detector, reals.parent / "model")
    record = json.loads((model / "detector.json").read_text())
    record["video_calibration"]["frames"] = before
    (model / "detector.json").write_text(json.dumps(record))
    assert call(reals, model, "--leave-out", *asked).exception is None
    monkeypatch.undo()  # judged in earnest
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [FACE])
    make_video(reals / "new.mp4", width=160, height=120, frames=40)
    record = Scanner(fpr=0.1, detector=VideoDetector(reals.parent / "mine")).scan_file(reals / "new.mp4").record
    assert (record.threshold.frames, record.frames.sampled) == (frames, frames)
    assert not [note for note in record.verdict.notes if "The thresholds were set with" in note]
