"""`sfumato calibrate-keyframes`: the detector that it writes scans quickly, and is not replaced by the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from detector.commands.keyframes import calibrate_keyframes
from detector.evaluation import keyframes
from detector.evaluation.keyframes import Twice
from detector.inference.bundle import load_shipped
from sfumato.errors import OutputError, UsageError
from sfumato.media.clips import write_clips
from tests.detector_fixtures import clip_row


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of 60 videos; their logits are made up."""
    rows = [clip_row(f"{i}.mp4", identity=f"person {i}") for i in range(60)]
    write_clips(tmp_path / "clips.jsonl", rows)

    def judge_twice(samples, detector, journal, advance):
        for sample in samples:
            for label, logit in (("real", -50.0), ("fake", 50.0)):
                yield sample, Twice(label, sample.identity, sample.video_id, logit, logit, {}, {}, False, 1.0, 0.1)

    monkeypatch.setattr(keyframes, "judge_twice", judge_twice)
    return tmp_path / "clips.jsonl"


def test_the_detector_that_is_written_knows_where_keyframes_decide(clips: Path, shipped_detector: Path) -> None:
    out = clips.with_name("quick")
    arguments = [str(clips), "--model", str(shipped_detector), "-o", str(out)]
    result = CliRunner().invoke(calibrate_keyframes, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert "60 reals and 60 fakes" in result.stderr
    before, after = load_shipped(shipped_detector).video_thresholds, load_shipped(out).video_thresholds
    assert after.logits == before.logits
    assert after.keyframes is not None
    assert after.keyframes.bounds == {rate: (logit, logit) for rate, logit in before.logits.items()}
    again = CliRunner().invoke(calibrate_keyframes, arguments, standalone_mode=False)
    assert isinstance(again.exception, OutputError)


def test_a_risk_that_the_people_cannot_carry_writes_nothing(clips: Path, shipped_detector: Path) -> None:
    out = clips.with_name("quick")
    arguments = [str(clips), "--model", str(shipped_detector), "-o", str(out), "--risk", "0.001"]
    result = CliRunner().invoke(calibrate_keyframes, arguments, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert not out.exists()
