"""`sfumato calibrate`: a scan uses the result, and what is known to be no real is left out by name."""

import json
import shutil

import pytest
from click.testing import CliRunner

from detector.inference.bundle import load_shipped
from detector.inference.prediction import Prediction, Reason
from detector.inference.video_detector import VideoDetector
from sfumato.app.animation.gallery import shipped_portraits
from sfumato.app.cli.calibrate import calibrate
from sfumato.app.scan.scanner import Scanner
from sfumato.errors import OutputError, UsageError


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


def test_what_is_no_real_is_left_out_by_name_and_the_rest_counts(tmp_path, shipped_detector) -> None:
    for i in range(9):
        (tmp_path / f"{i}.mp4").write_text(f"{i}.5")
    shutil.copy(shipped_portraits()["mona-lisa"].path, tmp_path / "aunt.jpg")
    (tmp_path / "notes.txt").write_text("")
    arguments = [str(tmp_path), "--model", str(shipped_detector), "--output", str(tmp_path / "mine")]
    result = CliRunner().invoke(calibrate, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert "Left out aunt.jpg: a painting, no photograph: Mona Lisa" in result.stderr
    assert "Passed over in folders: 1 .txt" in result.stderr
    written = json.loads((tmp_path / "mine" / "detector.json").read_text())
    assert written["video_calibration"]["n_real"] == 9


def test_paintings_alone_are_refused(tmp_path, shipped_detector) -> None:
    shutil.copy(shipped_portraits()["mona-lisa"].path, tmp_path / "aunt.jpg")
    arguments = [str(tmp_path), "--model", str(shipped_detector), "--output", str(tmp_path / "mine")]
    result = CliRunner().invoke(calibrate, arguments, standalone_mode=False)
    assert isinstance(result.exception, UsageError) and "is a real" in str(result.exception)
    assert not (tmp_path / "mine").exists()
