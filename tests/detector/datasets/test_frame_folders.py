"""Videos become folders of frames: named by content, kept, and marked where an algorithm made them."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from detector.commands.evaluate import export_deepfakebench
from detector.datasets.deepfakebench import DeepfakeBench
from detector.datasets.frame_folders import as_frame_folders
from detector.datasets.sample import Sample
from sfumato.errors import MediaError
from sfumato.media.clips import ClipRow, file_digest, write_clips
from tests.media_fixtures import make_video


def sample(path: Path, label: str = "fake") -> Sample:
    return Sample("ours", path.name, path, label, "camera" if label == "real" else "swap", "real", "p", "test")


def test_a_video_becomes_evenly_spaced_frames_and_is_kept(tmp_path) -> None:
    make_video(tmp_path / "a.mp4", frames=12)
    (found,) = as_frame_folders([sample(tmp_path / "a.mp4")], tmp_path / "frames", 4)
    names = sorted(file.name for file in found.path.iterdir())
    assert names == ["000000.png", "000003.png", "000006.png", "000009.png"]
    before = {file: file.stat().st_mtime_ns for file in found.path.iterdir()}
    (again,) = as_frame_folders([sample(tmp_path / "a.mp4")], tmp_path / "frames", 4)
    assert {file: file.stat().st_mtime_ns for file in again.path.iterdir()} == before


@pytest.mark.parametrize(("label", "marked"), [("fake", True), ("real", False)])
def test_frames_of_fakes_say_so(tmp_path, label: str, marked: bool) -> None:
    make_video(tmp_path / "a.mp4", frames=2)
    (found,) = as_frame_folders([sample(tmp_path / "a.mp4", label)], tmp_path / "frames", 2)
    with Image.open(found.path / "000000.png") as image:
        assert ("trainedAlgorithmicMedia" in str(image.info)) == marked


def test_what_cannot_be_read_leaves_nothing(tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError):
        list(as_frame_folders([sample(tmp_path / "a.mp4")], tmp_path / "frames", 2))
    assert list((tmp_path / "frames").iterdir()) == []


def test_the_command_takes_a_list_of_videos_and_pictures(tmp_path) -> None:
    make_video(tmp_path / "fake.mp4", frames=4)
    Image.fromarray(np.zeros((48, 48, 3), np.uint8)).save(tmp_path / "real.png")
    rows = [
        ClipRow(path="fake.mp4", label="fake", method="swap", family="blend", identity="p", split="test",
                sha256=file_digest(tmp_path / "fake.mp4")),
        ClipRow(path="real.png", label="real", method="camera", family="real", identity="p", split="test",
                sha256=file_digest(tmp_path / "real.png")),
    ]  # fmt: skip
    write_clips(tmp_path / "pairs.jsonl", rows)
    out = tmp_path / "dfb.json"
    line = ["clips", str(tmp_path / "pairs.jsonl"), "-o", str(out), "--frames", "2"]
    result = CliRunner().invoke(export_deepfakebench, line)
    assert result.exit_code == 0, result.output
    listed = json.loads(out.read_text())
    assert [len(listed[tmp_path.name][f"{tmp_path.name}_{kind}"]["test"][name]["frames"])
            for kind, name in (("swap", "fake.mp4"), ("Real", "real.png"))] == [2, 1]  # fmt: skip
    assert {found.label for found in DeepfakeBench().listed(out)} == {"real", "fake"}
