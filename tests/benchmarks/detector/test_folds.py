"""Leave-one-method-out in folds: who is held out, what is left out, one training after another, and going on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import click
import pytest
import torch
from click.testing import CliRunner

from benchmarks.commands.others import folds as command
from benchmarks.detector.folds import (
    check_start,
    fold_config,
    held_out,
    methods_left_out,
    plan,
    read_folds,
)
from detector.datasets.sample import clips_samples
from detector.evaluation.leakage import hashed_names
from detector.models.checkpoint import load_detector, save_weights
from detector.models.net import DetectorNet
from sfumato.config import to_dict
from sfumato.errors import CheckpointError, OutputError, UsageError
from sfumato.media.clips import ClipRow, check_disjoint, file_digest, write_clips
from tests.detector_fixtures import TINY, clip_row, drawn_people, write_shipped

CONFIG = replace(
    TINY,
    train=replace(TINY.train, steps=2, validation_pairs=16),
    calibration=replace(TINY.calibration, alphas=(0.1,), copies=0),
)


def collection(people: int = 8, split: str = "train") -> list[ClipRow]:
    """Of each person a real and a fake by each of two methods; and footage of one's own."""
    rows = []
    for i in range(people):
        real = replace(clip_row(f"r{i}.mp4", split=split, identity=f"p{i}"), dataset="lab")
        rows.append(real)
        for method in ("Lips", "Lips HD"):
            fake = clip_row(f"{method}{i}.mp4", "fake", split, pair_of=real.path, identity=f"p{i}")
            rows.append(replace(fake, method=method, dataset="lab"))
    rows += [clip_row(f"own{i}.mp4", split=split) for i in range(4)]
    return rows


def test_each_method_is_a_fold_and_variants_are_one() -> None:
    rows = [*collection(1), clip_row("ours.mp4", "fake")]
    assert methods_left_out(rows) == {"Lips": ("Lips",), "Lips HD": ("Lips HD",)}
    assert methods_left_out(rows, {"lips": "Lips*"}) == {"lips": ("Lips", "Lips HD")}
    with pytest.raises(UsageError, match="Mouth"):
        methods_left_out(rows, {"lips": "Mouth*"})
    with pytest.raises(UsageError, match="collection"):
        methods_left_out([clip_row("ours.mp4", "fake")])


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize("split", ["train", "test"])
def test_everybody_of_a_collection_is_held_out_once(parts, split) -> None:
    rows = collection(9, split)
    divided = [held_out(rows, part, parts) for part in range(parts)]
    for part in divided:
        check_disjoint(part)
        assert [replace(row, split=split) for row in part] == rows
        tested = {row.identity for row in part if row.split == "test" and row.dataset}
        assert 9 // parts <= len(tested) <= 9 // parts + 1
    times = [sum(part[i].split == "test" for part in divided) for i, row in enumerate(rows) if row.dataset]
    assert set(times) == {1}


def test_ones_own_footage_keeps_its_split_and_so_does_who_is_tied_to_it() -> None:
    rows = collection()
    rows[0] = replace(rows[0], source_ids=("own0.mp4",))
    for part in range(2):
        divided = held_out(rows, part, 2)
        assert all(row.split == "train" for row in divided if row.dataset is None or row.identity == "p0")


def test_few_people_of_each_kind_are_dealt_in_turn() -> None:
    """Eight methods with two people each: no part gets all of the first ones."""
    rows = [replace(clip_row(f"{m}{i}.mp4", "fake"), method=f"m{m}", dataset="lab") for m in range(8) for i in range(2)]
    tested = [row for row in held_out(rows, 0, 2) if row.split == "test"]
    assert {row.method for row in tested} == {f"m{m}" for m in range(8)} and len(tested) == 8


def test_one_part_is_the_lists_own_split() -> None:
    rows = collection()
    assert held_out(rows, 0, 1) == rows


def test_a_fold_tests_its_methods_and_all_reals_of_its_people() -> None:
    rows = collection()
    planned = plan(rows, 2)
    assert len(planned) == 4 and len({fold.name for fold, _ in planned}) == 4
    for fold, divided in planned:
        tested = {row.path: row for row in divided if row.split == "test"}
        assert set(fold.test) == {p for p, row in tested.items() if row.label == "real" or row.method in fold.methods}
    with pytest.raises(UsageError, match="No fold"):
        plan(collection(split="train"), 1)


def test_a_fold_goes_on_from_the_start_without_its_methods(tmp_path) -> None:
    fold = plan(collection(), 2, {"lips": "Lips*"})[0][0]
    config = fold_config(replace(CONFIG, samples=replace(CONFIG.samples, leave_out=("swap",))), fold, tmp_path, 7)
    assert config.samples.leave_out == ("swap", "Lips", "Lips HD")
    assert (config.train.start, config.train.steps, config.calibration.test) == (tmp_path, 7, False)


def start(folder, validation=("self-blend",), record=None):
    """A finished run, whose record says what it was chosen with and learnt from."""
    torch.manual_seed(0)
    folder.mkdir(exist_ok=True)
    path = folder / "detector.safetensors"
    save_weights(path, DetectorNet(CONFIG.model), CONFIG, {"step": 1, "validation": dict.fromkeys(validation, 0.5)})
    if record is not None:
        (folder / "weights").mkdir(exist_ok=True)
        (folder / "weights" / "detector.json").write_text(json.dumps(record))
        (folder / "weights" / "detector.onnx").touch()
    return path


def test_a_start_that_knows_what_is_left_out_is_refused(tmp_path) -> None:
    rows = collection()
    write_clips(tmp_path / "clips.jsonl", rows)
    samples, folds = clips_samples(tmp_path / "clips.jsonl"), [fold for fold, _ in plan(rows, 2)]
    check_start(start(tmp_path / "a"), folds, samples)
    with pytest.raises(CheckpointError, match="Lips HD"):
        check_start(start(tmp_path / "b", ("Lips HD",)), folds, samples)
    learnt = {"training": {"learnt_from": hashed_names(rows[:3])}}
    with pytest.raises(CheckpointError, match="held out"):
        check_start(start(tmp_path / "c", record=learnt), folds, samples)
    own = {"training": {"learnt_from": hashed_names([row for row in rows if row.dataset is None])}}
    check_start(start(tmp_path / "d", record=own), folds, samples)


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Drawn people, all of whom a collection has, their crops, and a detector to go on from."""
    folder = tmp_path_factory.mktemp("folds")
    rows = [replace(row, dataset="lab") for row in drawn_people(folder)]
    write_clips(folder / "clips.jsonl", rows)
    return rows, folder / "clips.jsonl", start(folder / "start")


def run(listed, steps: int = 2):
    _, clips, begin = listed
    settings = [
        f"{section}.{name}={json.dumps(value, default=str)}"
        for section, values in to_dict(CONFIG).items()
        for name, value in values.items()
        if value is not None and (section, name) not in (("samples", "mix"), ("train", "start"))
    ]
    arguments = [str(clips), "-o", str(clips.parent / "out"), "--start", str(begin), "--steps", str(steps)]
    arguments += ["--cache", str(clips.parent / "crops"), "--parts", "1"]
    for setting in settings:
        arguments += ["--set", setting]
    return CliRunner().invoke(command, arguments, standalone_mode=False)


@pytest.fixture(scope="module")
def trained(listed):
    """What the command said, and the folder: one training for all that read it."""
    result = run(listed)
    assert result.exception is None, result.output
    return result, listed[1].parent / "out"


def test_the_command_trains_and_says_how_to_measure(trained) -> None:
    result, out = trained
    assert "without toy" in result.stderr and f"--folds {out}" in result.stderr


def test_a_fold_is_a_detector_that_went_on_without_its_method(listed, trained) -> None:
    (fold,), (planned,) = read_folds(trained[1]), plan(listed[0], 1)
    assert fold == planned[0]
    place = trained[1] / fold.name
    record = json.loads((place / "weights" / "detector.json").read_text())
    assert record["training"]["methods"] == ["self-blend", "swap-alpha", "swap-poisson"]
    assert record["training"]["started_from"] == file_digest(listed[2])
    assert load_detector(place / "detector.safetensors")[2]["step"] == 2
    assert not (place / "checkpoint.safetensors").exists()


def test_nothing_is_trained_twice_and_other_settings_are_refused(listed, trained) -> None:
    again = run(listed)
    assert again.exception is None and "without toy" not in again.stderr
    assert isinstance(run(listed, steps=3).exception, OutputError)


@pytest.fixture
def exported(tmp_path, listed, tiny_network):
    """The same people, the fakes that are learnt from by another method; and a detector's folder that knows none."""
    rows = [replace(row, method="taught") if (row.label, row.split) == ("fake", "train") else row for row in listed[0]]
    clips = listed[1].parent / "exported.jsonl"
    write_clips(clips, rows)
    folder = write_shipped(tmp_path / "start", tiny_network)
    record = json.loads((folder / "detector.json").read_text())
    record["training"] = {"families": ["blend"], "methods": ["self-blend"], "learnt_from": ""}
    (folder / "detector.json").write_text(json.dumps(record))
    return clips, folder


def run_exported(exported, out, *more: str):
    clips, folder = exported
    settings = ("--set", "calibration.alphas=[0.1]", "--set", "calibration.copies=0")
    arguments = [str(clips), "-o", str(out), "--start", str(folder), "--cache", str(clips.parent / "crops")]
    return CliRunner().invoke(command, [*arguments, "--parts", "1", *settings, *more], standalone_mode=False)


def test_of_an_exported_detector_a_fold_learns_further_heads_alone(exported, tmp_path) -> None:
    result = run_exported(exported, tmp_path / "out")
    assert result.exception is None, result.output
    (fold,) = read_folds(tmp_path / "out")
    assert fold.methods == ("toy",)
    place = tmp_path / "out" / fold.name
    training = json.loads((place / "weights" / "detector.json").read_text())["training"]
    assert training["heads"] == {"layers": True, "motion": False, "methods": ["taught"]}
    assert training["methods"] == ["self-blend"]
    assert not (place / "detector.safetensors").exists()
    again = run_exported(exported, tmp_path / "out")
    assert again.exception is None and "without toy" not in again.stderr
    assert isinstance(run_exported(exported, tmp_path / "out", "--set", "heads.frames=3").exception, OutputError)


def test_steps_of_an_exported_detector_are_refused(exported, tmp_path) -> None:
    result = run_exported(exported, tmp_path / "out", "--steps", "3")
    assert isinstance(result.exception, click.UsageError) and "--steps" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_start_with_a_garbled_record_is_refused(exported, tmp_path) -> None:
    path = exported[1] / "detector.json"
    record = json.loads(path.read_text())
    del record["training"]
    path.write_text(json.dumps(record))
    assert isinstance(run_exported(exported, tmp_path / "out").exception, CheckpointError)


def test_folds_that_are_not_trained_yet_are_told(trained, tmp_path) -> None:
    shutil.copy(trained[1] / "folds.json", tmp_path)
    with pytest.raises(UsageError, match="not trained yet"):
        read_folds(tmp_path)


def test_a_folder_without_folds_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="no folds"):
        read_folds(tmp_path)
    (tmp_path / "folds.json").write_text('{"format": "sfumato-folds-1", "folds": [{"name": "../x"}]}')
    with pytest.raises(UsageError, match="no folds"):
        read_folds(tmp_path)
