"""The commands of fakes: crops for the autoencoder come from the training split alone, and requests that cannot be
served are refused.
"""

import itertools

import cv2
import numpy as np
import pytest

from sfumato.app.cli.fakes import _KINDS, fakes
from sfumato.app.cli.main import main
from sfumato.app.fakes.crops import crop_batches
from sfumato.app.fakes.plan import KINDS
from sfumato.media.clips import write_clips
from sfumato.media.faces import Face
from tests.detector_fixtures import clip_row


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Three people to train on, white, and three for validation, black."""

    class Detector:
        def detect(self, image):
            return [Face((40, 40, 60, 70), 1.0, np.zeros((5, 2), np.float32))] if image.mean() > 1 else []

    monkeypatch.setattr("sfumato.media.faces.FaceDetector", Detector)
    rows = [clip_row(f"{split}{i}.png", split=split) for split in ("train", "validation") for i in range(3)]
    for row in rows:
        cv2.imwrite(str(tmp_path / row.path), np.full((150, 150, 3), 200 if row.split == "train" else 0, np.uint8))
    write_clips(tmp_path / "clips.jsonl", rows)
    return tmp_path / "clips.jsonl", rows


def test_pieces_come_from_the_training_split(clips) -> None:
    batches = list(itertools.islice(crop_batches(*clips, seed=0), 4))
    assert all(piece.shape == (96, 96, 3) and piece.min() == 200 for batch in batches for piece in batch)


def test_no_face_ends_the_stream(clips) -> None:
    path, rows = clips
    assert list(crop_batches(path, [row for row in rows if row.split != "train"], 0)) == []
    cv2.imwrite(str(path.parent / "train0.png"), np.zeros((150, 150, 3), np.uint8))
    assert list(crop_batches(path, rows[:1], 0)) == []


def test_an_autoencoder_is_trained_and_used(clips, capfd) -> None:
    path, _ = clips
    file = path.parent / "a.safetensors"
    assert run("train", "autoencoder", path, "--output", file, "--minutes", "0.01") == 0
    assert file.is_file()
    assert run("train", "autoencoder", path, "--output", path.parent / "a.pt") == 2
    assert "safetensors" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "autoencoder", "--output", "x.jsonl"), "--autoencoder"),
        (("--kind", "swap", "--output", "folder/x.jsonl"), "beside"),
        (("--kind", "swap", "--output", "clips.jsonl"), "CLIPS itself"),
        (("--kind", "poem", "--output", "x.jsonl"), "poem"),
        (("--kind", "swap", "--output", "x.jsonl", "--set", "frames=1"), "frames"),
    ],
)
def test_requests_that_cannot_be_served(clips, capfd, arguments, words) -> None:
    assert run("fakes", clips[0], *arguments) == 2
    assert words in capfd.readouterr().err


def test_a_list_whose_files_cannot_be_read_is_an_error(clips, tmp_path_factory, capfd) -> None:
    path, rows = clips
    for row in rows:
        moved = tmp_path_factory.mktemp("elsewhere") / row.path
        (path.parent / row.path).rename(moved)
        (path.parent / row.path).symlink_to(moved)
    assert run("fakes", path, "--kind", "swap", "--output", "x.jsonl") == 2
    assert "leads outside" in capfd.readouterr().err and not (path.parent / "x.jsonl").exists()
    assert run("train", "autoencoder", path, "--output", path.parent / "a.safetensors") == 3
    assert "leads outside" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [((), ["portrait-256"]), (("--kind", "swap"), []), (("--checkpoint", "paper-128"), ["paper-128"])],
)
def test_the_checkpoint_is_that_of_animate_unless_another_is_named(
    clips, monkeypatch, arguments: tuple[str, ...], asked: list[str]
) -> None:
    loaded: list[str] = []

    class Enough(Exception):
        pass

    def stop(*_: object) -> None:
        raise Enough

    monkeypatch.setattr("generator.networks.checkpoint.checkpoint_path", lambda name: name)
    monkeypatch.setattr("generator.networks.checkpoint.load_checkpoint", lambda name: loaded.append(name))
    monkeypatch.setattr("sfumato.app.fakes.makers.TakeMaker.__init__", stop)
    with pytest.raises(Enough):
        fakes.main([str(clips[0]), "-o", "x.jsonl", *arguments], standalone_mode=False)
    assert loaded == asked


def test_an_autoencoder_must_be_one(clips, capfd) -> None:
    assert run("fakes", clips[0], "--kind", "autoencoder", "--autoencoder", clips[0], "--output", "x.jsonl") == 2
    assert "autoencoder" in capfd.readouterr().err


def test_the_commands_know_the_kinds_of_the_plan() -> None:
    assert _KINDS == KINDS


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])
