"""`sfumato train detector`, from clips.jsonl to a folder that judges: one run through everything, on drawn people."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from detector.commands.train import train_detector
from detector.config import HEADS, LAYER_HEADS
from detector.inference.bundle import load_shipped
from sfumato.errors import CheckpointError, MediaError, MissingPartError, OutputError, UsageError
from sfumato.media.clips import write_clips
from tests.detector_fixtures import clip_row, face_picture

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = [
    "model.backbone=test_resnet", "model.size=48", "model.pretrained=none", "model.dropout=0.0",
    "samples.frames_per_clip=2",
    "samples.stored_side=96", "degrade.h264=0.0", "train.steps=30", "train.pairs=6", "train.rate=3e-3", "train.ema=0.8",
    "train.validation_pairs=16", "train.validations=1", "train.device=cpu", "train.frozen=0",
    "calibration.alphas=[0.1, 0.01]",
]  # fmt: skip


def run(clips, out, *more: str):
    arguments = [str(clips), "--output", str(out), "--cache", str(clips.parent / "crops")]
    for setting in SETTINGS:
        arguments += ["--set", setting]
    return CliRunner().invoke(train_detector, [*arguments, *more], standalone_mode=False)


def renewed(trained, out, *settings: str):
    """Calibrates what was trained anew."""
    clips, folder, _ = trained
    changed = [part for setting in settings for part in ("--set", setting)]
    return run(clips, out, "--calibrate-only", str(folder / "weights"), *changed)


@pytest.fixture(scope="module")
def trained(shared_toy):
    """The list of clips, the run folder and what the command said: one training for all that only read it."""
    rows, cache = shared_toy
    write_clips(cache.clips, rows)
    folder = cache.clips.parent / "run"
    result = run(cache.clips, folder)
    assert result.exception is None, result.output
    return cache.clips, folder, result


def record_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "weights" / "detector.json").read_text())


def test_from_clips_to_a_calibrated_detector(trained) -> None:
    clips, folder, result = trained
    assert result.stdout.strip() == str(folder / "weights")
    shipped = load_shipped(folder / "weights")
    assert list(shipped.thresholds.logits) == [0.1]  # twelve reals cannot carry a hundredth
    record = record_of(folder)
    assert record["calibration"]["n_real"] == 12
    assert record["calibration"]["left_out"] == [0.01]
    assert record["calibration"]["split"] == "calibration"
    assert record["video_calibration"]["n_real"] == 12
    assert record["video_calibration"]["stack"] == record["calibration"]["stack"]
    assert record["video_calibration"]["sha256"] != record["calibration"]["sha256"]
    assert record["training"]["families"] == ["blend", "reenact"]
    assert record["test"]["untouched"]["auc"]["toy"] > 0.9
    assert set(record["test"]["untouched"]["auc"]) == {"self-blend", "lip-sync", "swap-alpha", "swap-poisson", "toy"}
    assert 0 <= record["probabilities"]["ece"] <= 1
    assert len(record["training"]["learnt_from"]) == 8 * 2 * 36  # three splits of twelve people with a real file each
    assert str(folder.parent) not in json.dumps(record)
    schema = json.loads((ROOT / "docs" / "schemas" / "detector-record.schema.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(record)] == []
    assert record["training"]["heads"] == {"layers": True, "motion": False, "methods": ["toy"]}
    assert shipped.scorer([np.asarray(face_picture(1, 48))]).shape == (1, 4)
    assert shipped.stack.heads == (*HEADS, *LAYER_HEADS)
    assert shipped.stack.scale[2] == 0 < shipped.stack.scale[3]  # nobody's blends taught a head on all layers
    assert f"sfumato scan FILE --model {folder / 'weights'} --fpr 0.1" in result.stderr
    assert (
        f"Pictures (12 people): flagged above a score of {1 / (1 + np.exp(-shipped.thresholds.logits[0.1])):.3f} at 0.1"
        in result.stderr
    )
    again = run(clips, folder)
    assert isinstance(again.exception, OutputError)
    with pytest.raises(MissingPartError) as near:
        load_shipped(folder)
    assert str(folder / "weights") in str(near.value.advice)


@pytest.mark.parametrize("kept", [8, 0])
def test_too_few_people_for_a_threshold_are_refused_before_the_training(toy, tmp_path, kept: int) -> None:
    """Eight people cannot carry one false alarm in ten; nor can, without that split, what a fit leaves of twelve."""
    rows, cache = toy
    people = sorted({row.identity for row in rows if row.split == "calibration"})[:kept]
    write_clips(cache.clips, [row for row in rows if row.split != "calibration" or row.identity in people])
    result = run(cache.clips, tmp_path / "run", "--set", "calibration.fit_share=0.6")
    assert isinstance(result.exception, UsageError)
    assert "takes 9 people" in str(result.exception)
    assert not (tmp_path / "run").exists()  # nor was anything cut


def test_people_without_a_usable_face_do_not_count(toy, tmp_path) -> None:
    rows, cache = toy
    people = sorted({row.identity for row in rows if row.split == "calibration"})[:8]
    kept = [row for row in rows if row.split != "calibration" or row.identity in people]
    write_clips(cache.clips, [*kept, clip_row("nowhere", split="calibration")])
    result = run(cache.clips, tmp_path / "run")
    assert isinstance(result.exception, UsageError)
    assert "here are 8" in str(result.exception)
    assert not (tmp_path / "run" / "log.jsonl").exists()


def test_a_detector_that_is_only_compared_is_not_tested(trained, tmp_path) -> None:
    result = renewed(trained, tmp_path / "again", "calibration.test=false", "calibration.copies=0")
    assert result.exception is None, result.output
    record = record_of(tmp_path / "again")
    assert record["test"] == {} and record["probabilities"] == {}
    assert record["calibration"]["stack"]["norm"] is None
    assert load_shipped(tmp_path / "again" / "weights").stack.norm is None


def test_an_exported_detector_is_calibrated_anew_without_training(trained, tmp_path) -> None:
    """On the same list: the same thresholds and test, from the network that was there."""
    result = renewed(trained, tmp_path / "again")
    assert result.exception is None, result.output
    before, after = record_of(trained[1]), record_of(tmp_path / "again")
    assert after["network"]["sha256"] == before["network"]["sha256"]
    assert after["training"] == before["training"]
    assert after["test"] == before["test"] and after["calibration"]["thresholds"] == before["calibration"]["thresholds"]
    assert not (tmp_path / "again" / "log.jsonl").exists()


def test_further_heads_are_learnt_anew_without_training(trained, tmp_path) -> None:
    """Without the fakes that taught them there are none; with those again, the same network as after the training."""
    clips, folder, _ = trained
    quick = ("--set", "calibration.test=false", "--set", "calibration.copies=0")
    without = ("--heads-only", str(folder / "weights"), *quick, "--set", "samples.leave_out=['toy']")
    assert run(clips, tmp_path / "a", *without).exception is None
    record = record_of(tmp_path / "a")
    assert record["training"]["heads"] == {"layers": False, "motion": False, "methods": []}
    assert load_shipped(tmp_path / "a" / "weights").stack.heads == HEADS
    assert run(clips, tmp_path / "b", "--heads-only", str(tmp_path / "a" / "weights"), *quick).exception is None
    before, after = record_of(folder), record_of(tmp_path / "b")
    assert after["training"] == before["training"]
    faces = [face_picture(i, 48) for i in range(3)]
    found, known = (load_shipped(place / "weights").scorer(faces) for place in (tmp_path / "b", folder))
    assert found == pytest.approx(known, abs=1e-3)


def test_calibrating_alone_and_learning_heads_are_not_asked_at_once(trained, tmp_path) -> None:
    place = str(trained[1] / "weights")
    result = run(trained[0], tmp_path / "again", "--calibrate-only", place, "--heads-only", place)
    assert isinstance(result.exception, click.UsageError)
    assert not (tmp_path / "again").exists()


def test_a_detector_is_calibrated_on_crops_cut_as_its_own_were(shared_toy, trained, tmp_path) -> None:
    """Whatever the call's settings are: they cut a second time otherwise, and other frames."""
    crops = shared_toy[1].folder
    cut = set(crops.iterdir())
    again = renewed(trained, tmp_path / "again", "calibration.test=false", "samples.frames_per_clip=1")
    assert again.exception is None
    assert set(crops.iterdir()) == cut


@pytest.mark.parametrize(
    ("setting", "told", "cut"),
    [("samples.mix={swop=0.5,swap=0.5}", "swop", True), ("samples.autoencoder=none.bin", "none.bin", False)],
)
def test_a_slip_in_what_is_learnt_from_is_refused(toy, tmp_path, setting: str, told: str, cut: bool) -> None:
    rows, cache = toy
    write_clips(cache.clips, rows)
    result = run(cache.clips, tmp_path / "run", "--set", setting)
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)
    assert (tmp_path / "run").exists() is cut


@pytest.mark.parametrize("shuffled", [True, False])
def test_a_control_is_neither_chosen_nor_joined_by_true_labels(
    toy, trained, tmp_path, monkeypatch, shuffled: bool
) -> None:
    from detector.training import package as release
    from detector.training import train

    joined: list[int] = []
    exported = (trained[1] / "weights" / "detector.onnx").read_bytes()
    monkeypatch.setattr(release, "export_onnx", lambda net: exported)  # which net it is does not matter here
    monkeypatch.setattr(release, "relabelled", lambda clips: joined.append(len(clips)) or list(clips))
    falling = iter([0.9, 0.8, 0.7, 0.6])
    monkeypatch.setattr(train, "validate", lambda *_: {"all": next(falling)})
    rows, cache = toy
    write_clips(cache.clips, rows)
    settings = (
        "train.steps=4", "train.validations=2", f"samples.shuffled={str(shuffled).lower()}",
        "calibration.test=false", "calibration.copies=0",
    )  # fmt: skip
    result = run(cache.clips, tmp_path / "run", *(part for setting in settings for part in ("--set", setting)))
    assert result.exception is None, result.output
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["kept"] for line in lines if "kept" in line] == [True, shuffled]  # the second was worse
    assert bool(joined) is shuffled


def test_what_is_no_detector_is_not_calibrated(toy, tmp_path) -> None:
    rows, cache = toy
    write_clips(cache.clips, rows)
    (tmp_path / "empty").mkdir()
    assert isinstance(
        run(cache.clips, tmp_path / "again", "--calibrate-only", str(tmp_path / "empty")).exception, MissingPartError
    )
    (tmp_path / "empty" / "detector.json").write_text('{"format": "another"}')
    (tmp_path / "empty" / "detector.onnx").write_bytes(b"net")
    assert isinstance(
        run(cache.clips, tmp_path / "again2", "--calibrate-only", str(tmp_path / "empty")).exception, CheckpointError
    )


def test_a_norm_is_kept_with_the_detector_and_moves_its_logits(trained, tmp_path, monkeypatch) -> None:
    _, folder, said = trained
    assert "no quality norm" in said.stderr and load_shipped(folder / "weights").stack.norm is None
    monkeypatch.setattr("detector.training.calibrate.NORM_PEOPLE", 12)
    assert renewed(trained, tmp_path / "again", "calibration.test=false", "calibration.copies=7").exception is None
    stack = load_shipped(tmp_path / "again" / "weights").stack
    assert stack.norm is not None
    assert stack.at(np.array(stack.norm.mean)).gain != 1.0


def test_person_in_two_splits_is_refused(toy, tmp_path) -> None:
    rows, cache = toy
    leak = clip_row("leak.mp4", split="test", identity=rows[0].identity)
    write_clips(cache.clips, [*rows, leak])
    assert isinstance(run(cache.clips, tmp_path / "run").exception, MediaError)


@pytest.mark.parametrize("setting", ["train.hours=3", "train.minutes=-1.0"])
def test_bad_setting_is_refused_before_anything_is_written(toy, tmp_path, setting) -> None:
    rows, cache = toy
    write_clips(cache.clips, rows)
    result = run(cache.clips, tmp_path / "run", "--set", setting)
    assert result.exception is not None
    assert not (tmp_path / "run").exists()
