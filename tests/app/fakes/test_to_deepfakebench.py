"""The whole way from a list of people to what DeepfakeBench reads: `sfumato fakes`, then `sfumato datasets
deepfakebench` on the videos that it made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import Image

from detector.datasets.deepfakebench import DeepfakeBench
from detector.inference.frames import frames_in
from sfumato.app.cli.main import main
from sfumato.media.clips import write_clips
from tests.app.fakes.test_make import DrawnFaces
from tests.detector_fixtures import clip_row, face_picture


def test_our_own_fakes_become_folders_of_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr("sfumato.media.faces.FaceDetector", DrawnFaces)
    monkeypatch.setattr("sfumato.media.landmarks.load_backend", lambda name: DrawnFaces())
    people = [clip_row(f"{name}.png", split="test") for name in ("ada", "bob", "cyd")]
    for seed, row in enumerate(people):
        cv2.imwrite(str(tmp_path / row.path), face_picture(seed, 128)[:, :, ::-1])
    write_clips(tmp_path / "clips.jsonl", people)
    settings = [word for value in ("share=0.7", "frames=3", "sizes=[64]") for word in ("--set", value)]
    made = ["fakes", str(tmp_path / "clips.jsonl"), "--kind", "swap", "-o", "fakes.jsonl", "--only-pairs", *settings]
    assert main(made) == 0, capfd.readouterr().err
    assert len(list((tmp_path / "generated").glob("*.mp4"))) == 4

    out = tmp_path / "bench" / "ours.json"
    out.parent.mkdir()
    arguments = ["clips", str(tmp_path / "fakes.jsonl"), "-o", str(out), "--frames", "2"]
    assert main(["datasets", "deepfakebench", *arguments]) == 0, capfd.readouterr().err
    listed = DeepfakeBench().listed(out)
    assert sorted(sample.label for sample in listed) == ["fake", "fake", "real", "real"]
    for sample in listed:
        frames = frames_in(sample.path)
        assert len(frames) == 2 and sample.split == "test"
        with Image.open(frames[0]) as image:
            assert image.size == (64, 64)
            assert ("trainedAlgorithmicMedia" in str(image.info)) == (sample.label == "fake")
