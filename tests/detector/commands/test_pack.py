"""`sfumato pack detector`, and a training of what it packs: in pieces, on the GPU's settings, finished where the clips
are.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from detector.commands.pack import pack_detector
from detector.commands.train import train_detector
from sfumato.errors import MediaError, OutputError, UsageError
from sfumato.media.clips import write_clips
from tests.detector.commands.test_train import ROOT, SETTINGS

GPU = ["--config", str(ROOT / "configs" / "detector-gpu.toml")]


def invoke(command, *arguments: object):
    return CliRunner().invoke(command, [str(word) for word in arguments], standalone_mode=False)


def settings(*more: str) -> list[str]:
    small = [*SETTINGS, "train.steps=4", "train.workers=0", *more]
    return [word for setting in small for word in ("--set", setting)]


@pytest.fixture(scope="module")
def packed(shared_toy):
    """The list of clips and a pack of it."""
    rows, cache = shared_toy
    write_clips(cache.clips, rows)
    path = cache.clips.parent / "toy.pack"
    result = invoke(pack_detector, cache.clips, "-o", path, "--cache", cache.folder, "--size", 64, *settings())
    assert result.exception is None, result.output
    assert f"{path}: 96 crops of 48 clips, 0." in result.stdout
    return cache.clips, path


def test_a_pack_is_trained_on_in_pieces_and_finished_where_the_clips_are(packed, tmp_path) -> None:
    clips, path = packed
    run = tmp_path / "run"
    arguments = ["-o", run, *GPU, "--resume", *settings()]
    for step in (1, 2):
        result = invoke(train_detector, path, *arguments, "--piece", "1e-9")
        assert result.exception is None, result.output
        assert f"{step} steps; validation AUC: none yet" in result.stderr and "--resume goes on" in result.stderr
    result = invoke(train_detector, path, *arguments)
    assert "100% of the run is done; --resume with the clips calibrates" in result.stderr
    assert json.loads((run / "options.json").read_text())["config"]["train"]["precision"] == "bf16"
    assert not (run / "weights").exists()
    result = invoke(train_detector, clips, *arguments, "--cache", clips.parent / "crops")
    assert result.exception is None, result.output
    assert json.loads((run / "weights" / "detector.json").read_text())["training"]["step"] == 4


def test_a_pack_is_good_for_training_alone(packed, tmp_path) -> None:
    for option in (["--prepare-only"], ["--calibrate-only", tmp_path], ["--heads-only", tmp_path]):
        result = invoke(train_detector, packed[1], "-o", tmp_path / "run", *option)
        assert "is a pack" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_written_or_read_is_refused(packed, tmp_path) -> None:
    clips, path = packed
    named = ["--cache", clips.parent / "crops"]
    assert isinstance(invoke(pack_detector, clips, "-o", tmp_path / "a.zip", *named).exception, UsageError)
    assert isinstance(invoke(pack_detector, clips, "-o", path, *named).exception, OutputError)
    Path(tmp_path / "bad.pack").write_bytes(b"no pack")
    assert isinstance(invoke(train_detector, tmp_path / "bad.pack", "-o", tmp_path / "run").exception, MediaError)
