"""`sfumato evaluate` and `sfumato datasets` from the command line, on drawn videos and a tiny detector."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from detector.commands import evaluate as commands
from detector.inference.bundle import load_shipped
from sfumato.errors import UsageError
from sfumato.execution.journal import Journal
from sfumato.media.clips import file_digest, read_clips, write_clips
from sfumato.media.faces import Face, FaceDetector
from tests.dataset_fixtures import tree
from tests.detector_fixtures import clip_row
from tests.evaluation_fixtures import crowd
from tests.media_fixtures import make_video


def run(command, *arguments: object):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


@pytest.fixture
def predictions(tmp_path):
    path = tmp_path / "p.csv"
    rows = [f"{i.sample.video_id},{i.sample.label},{i.frames().mean():.4f},{i.sample.method}" for i in crowd(20)]
    path.write_text("\n".join(["path,label,score,method", *rows]))
    return path


def test_a_csv_of_any_detector(predictions, tmp_path) -> None:
    result = run(commands.evaluate, predictions, "--threshold", 0.5, "--output", tmp_path / "r.jsonl")
    assert result.return_value == 0
    assert "generator warp" in result.stdout
    assert "Threshold score 0.5: FPR" in result.stdout
    records = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert records[0]["model"] == {"name": "predictions", "file": "p.csv"}
    shown = run(commands.evaluate, predictions, "--threshold", 0.5, "--json")
    assert [json.loads(line) for line in shown.stdout.splitlines()] == records


def test_one_generator_only(predictions) -> None:
    rows = [
        json.loads(line)
        for line in run(commands.evaluate, predictions, "--method", "warp", "--json").stdout.splitlines()
    ]
    whole = next(row for row in rows if row["record"] == "metrics")
    assert whole["videos"] == {"real": 20, "fake": 10}


def test_reals_of_another_set(tmp_path) -> None:
    tree(
        tmp_path, {f"DF40/simswap/ff/00{i}_01{i}/1.png": "" for i in range(3)} | {"splits/test.json": [["000", "010"]]}
    )
    tree(tmp_path, {f"original_sequences/youtube/c23/videos/{n}.mp4": "" for n in ("000", "010", "020")})
    (tmp_path / "s.csv").write_text("path,score\n000_010,0.1\n001_011,0.7\n002_012,0.8\n000,0.5\n010,0.6\n")
    arguments = (tmp_path / "DF40", "--adapter", "df40", "--predictions", tmp_path / "s.csv", "--json")
    result = run(commands.evaluate, *arguments, "--reals", f"faceforensics={tmp_path}")
    whole = next(row for row in map(json.loads, result.stdout.splitlines()) if row["record"] == "metrics")
    assert whole["videos"] == {"real": 2, "fake": 3}  # 020 is in no pair of the test split
    with pytest.raises(UsageError, match="NAME=PATH"):
        run(commands.evaluate, *arguments, "--reals", "faceforensics")


def test_our_detector_on_clips_with_a_journal_and_a_leak(shipped_detector, tmp_path) -> None:
    rows = []
    for name, label in (("a", "real"), ("b", "real"), ("c", "fake"), ("d", "fake")):
        make_video(tmp_path / f"{name}.mp4", frames=4)
        row = clip_row(f"{name}.mp4", label, "test")
        rows.append(row)
    write_clips(tmp_path / "clips.jsonl", rows)
    write_clips(tmp_path / "learnt.jsonl", [clip_row("t.mp4", identity="a.mp4")])
    arguments = (tmp_path, "--model", shipped_detector, "--frames", 2, "--output", tmp_path / "r.jsonl")
    with pytest.raises(Exception, match=r"Nothing has a score \(no_face\)"):  # bars have no face
        run(commands.evaluate, *arguments)
    judging = load_shipped(shipped_detector).judging
    with Journal(tmp_path / "r.scores.sqlite3", judging, 2) as journal:
        assert len(list(journal.entries())) == 1  # four files, one content
    scores = "\n".join(["path,score", "a.mp4,0.1", "b.mp4,0.4", "c.mp4,0.3", "d.mp4,0.9"])
    (tmp_path / "s.csv").write_text(scores)
    joined = (tmp_path, "--predictions", tmp_path / "s.csv", "--trained-on", tmp_path / "learnt.jsonl")
    result = run(commands.evaluate, *joined)
    assert "0.750" in result.stdout
    assert "Leak: 1 shared (person or source): a.mp4" in result.stdout
    assert result.return_value == 0
    assert run(commands.evaluate, *joined, "--check-leaks").return_value == 1


@pytest.fixture
def set_with_12(shipped_detector, tmp_path) -> Path:
    """A detector whose thresholds of videos were set with 12 frames; a real and a fake lie beside it."""
    model = shutil.copytree(shipped_detector, tmp_path / "model")
    record = json.loads((model / "detector.json").read_text())
    record["video_calibration"]["frames"] = 12
    (model / "detector.json").write_text(json.dumps(record))
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        make_video(tmp_path / label / "a.mp4", width=160, height=120)
    return model


def test_another_number_of_frames_than_the_thresholds_were_set_with_is_told_once(set_with_12, tmp_path) -> None:
    told = {}
    for frames in (2, 12):
        arguments = [str(tmp_path), "--adapter", "folder", "--model", str(set_with_12), "--frames", str(frames)]
        told[frames] = CliRunner().invoke(commands.evaluate, arguments).stderr  # bars have no face, and no score
    assert told[2].count("The thresholds were set with 12 frames a video, and 2 were asked for.") == 1
    assert "The thresholds were set" not in told[12]


def test_as_many_frames_are_looked_at_as_the_thresholds_were_set_with(set_with_12, tmp_path, monkeypatch) -> None:
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [face])
    found = run(commands.evaluate, tmp_path, "--adapter", "folder", "--model", set_with_12, "--json")
    protocols = [row for row in map(json.loads, found.stdout.splitlines()) if row["record"] == "protocol"]
    assert {row["means"]["frames"] for row in protocols} == {12}
    assert "The thresholds were set" not in found.stderr


def test_datasets_list_names_every_adapter() -> None:
    from detector.datasets import REGISTRY

    lines = run(commands.list_datasets).stdout.splitlines()
    assert [line.split()[0] for line in lines] == REGISTRY.names()
    assert all(len(line.split()) > 3 for line in lines)


def test_datasets_verify_says_what_is_missing(tmp_path) -> None:
    tree(tmp_path, {"Celeb-real/id1_0001.mp4": "", "List_of_testing_videos.txt": "1 Celeb-real/id2_0001.mp4\n"})
    result = run(commands.verify, "celeb-df-v2", tmp_path)
    assert result.return_value == 1
    assert "1 of 590" in result.stdout
    assert "Celeb-real/id2_0001.mp4" in result.stdout


def test_datasets_clips_can_be_trained_on(tmp_path) -> None:
    names = ["original_sequences/youtube/c23/videos/071.mp4", "manipulated_sequences/Deepfakes/c23/videos/071_054.mp4",
             "original_sequences/youtube/c23/videos/100.mp4"]  # fmt: skip
    tree(tmp_path, {name: name for name in names} | {"splits/train.json": [["071", "054"]]})
    result = run(commands.write_clips_of, "faceforensics", tmp_path)
    assert result.stdout.strip() == str(tmp_path / "clips.jsonl")
    assert "1 without a split" in result.stderr
    real, fake = read_clips(tmp_path / "clips.jsonl")
    assert fake.pair_of == real.path == names[0]
    assert (fake.split, fake.family, fake.compression, fake.dataset) == ("train", "blend", "c23", "FaceForensics++")
    assert fake.sha256 == file_digest(tmp_path / names[1])


def test_datasets_deepfakebench(tmp_path) -> None:
    tree(
        tmp_path,
        {f"{kind}/{clip}/{n:03}.png": "" for kind, clip in (("real", "x"), ("fake/warp", "y")) for n in (1, 2)},
    )
    run(commands.export_deepfakebench, "folder", tmp_path, "--output", tmp_path / "d.json")
    (listed,) = json.loads((tmp_path / "d.json").read_text()).values()
    assert [len(v["frames"]) for label in listed.values() for split in label.values() for v in split.values()] == [2, 2]
