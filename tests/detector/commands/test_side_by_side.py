"""Detectors side by side from the command line: the same videos for all, names that are told apart, one page."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from detector.commands import evaluate as commands
from detector.commands.side_by_side import split_name
from detector.evaluation import intervals
from sfumato.errors import MediaError, MissingFileError, UsageError
from sfumato.media.clips import write_clips
from sfumato.media.faces import Face, FaceDetector
from tests.detector_fixtures import clip_row
from tests.media_fixtures import make_video

MODULE = """
def judge(path):
    if path.stem == "f3":
        raise ValueError("no frame <b>")
    return 0.9 if path.stem.startswith("f") else 0.2
"""


def run(*arguments: object):
    words = [str(argument) for argument in arguments]
    result = CliRunner().invoke(commands.evaluate, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(intervals, "DRAWS", 50)


@pytest.fixture
def made(tmp_path, monkeypatch) -> Path:
    """A set with a split that is not judged; a module; two files of scores."""
    rows = []
    rng = np.random.default_rng(0)
    lines = {"a": ["path,score"], "b": ["path,score"]}
    (tmp_path / "set").mkdir()
    for i in range(12):
        for name, label in ((f"r{i}", "real"), (f"f{i}", "fake")):
            (tmp_path / "set" / f"{name}.mp4").write_text(name)
            split = "train" if i == 11 else "test"
            rows.append(clip_row(f"{name}.mp4", label, split, identity=f"person {i}"))
            value = rng.random() * 0.6 + 0.4 * (label == "fake")
            lines["a"].append(f"{name}.mp4,{value:.4f}")
            if name != "r5":
                lines["b"].append(f"{name}.mp4,{rng.random():.4f}")
    write_clips(tmp_path / "set" / "clips.jsonl", rows)
    for name, text in lines.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(text))
    (tmp_path / "side_by_side_module.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    sys.modules.pop("side_by_side_module", None)
    return tmp_path


def test_own_code_and_scores_on_the_same_videos(made) -> None:
    found = run(
        "set", "--detector", "side_by_side_module:judge", "--predictions", "a.csv", "--predictions", "other=b.csv",
        "--html", "page.html", "-o", "out.jsonl",
    )  # fmt: skip
    assert found.return_value == 0
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    told = {line["name"]: line for line in lines if line["record"] == "judged"}
    assert {name: (line["judged"], line["failed"]) for name, line in told.items()} == {
        "side_by_side_module:judge": (21, 1), "a": (22, 0), "other": (21, 1),
    }  # fmt: skip
    assert all(line["common"] == 20 and line["of"] == 22 for line in told.values())  # without f3 and r5
    whole = next(line for line in lines if line["record"] == "comparison")
    assert whole["videos"] == {"real": 10, "fake": 10}
    assert whole["detectors"][0]["metrics"]["auc"] == 1.0
    assert [each["name"] for each in whole["differences"]] == ["a", "other"]
    assert "no frame &lt;b&gt;" in Path("page.html").read_text()
    assert "1 failed" in found.stderr


def test_a_second_run_asks_again_about_failures_alone(made) -> None:
    words = ("set", "--detector", "side_by_side_module:judge", "--predictions", "a.csv", "-o", "out.jsonl", "--json")
    first = run(*words)
    asked = []
    sys.modules["side_by_side_module"].judge = lambda path: asked.append(path.stem) or 0.5
    second = run(*words)
    assert asked == ["f3"]
    assert '"common": 21' in first.stdout and '"common": 22' in second.stdout


def test_the_clips_file_is_the_set_too(made) -> None:
    words = ("--predictions", "a.csv", "--predictions", "b.csv", "--json")
    assert run("set", *words).stdout == run("set/clips.jsonl", *words).stdout


def test_a_page_of_one_detector(made) -> None:
    run("set", "--predictions", "a.csv", "--html", "one.html")
    assert "<h1>set</h1>" in Path("one.html").read_text()
    Path("alone.csv").write_text("path,label,score\nx,real,0.1\ny,fake,0.9\n")
    run("alone.csv", "--html", "alone.html")
    assert "Too few for intervals" in Path("alone.html").read_text()


def test_ours_beside_scores(made, shipped_detector, monkeypatch) -> None:
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image: [face])
    rows = []
    (made / "few").mkdir()
    for i in range(2):
        for name, label in ((f"r{i}", "real"), (f"f{i}", "fake")):
            make_video(made / "few" / f"{name}.mp4", width=160, height=120, frames=4)
            rows.append(clip_row(f"{name}.mp4", label, "test", identity=f"person {i}"))
    write_clips(made / "few" / "clips.jsonl", rows)
    Path("few.csv").write_text("path,score\n" + "\n".join(f"{row.path},0.5" for row in rows))
    weights = made / "run" / "weights"
    weights.parent.mkdir()
    weights.symlink_to(shipped_detector)
    found = run("few", "--detector", "mine=run/weights", "--frames", 2, "--predictions", "few.csv", "--json")
    told = {line["name"]: line for line in map(json.loads, found.stdout.splitlines()) if line["record"] == "judged"}
    assert set(told) == {"mine", "few"}
    assert told["mine"]["model"]["name"] == "toy" and told["mine"]["judged"] == 4


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("--predictions", "a.csv", "--predictions", "set/../a.csv"), UsageError, "Two detectors are called 'a'"),
        (("--predictions", "a.csv", "--predictions", "no.csv"), MissingFileError, "no.csv"),
        (("--predictions", "a.csv", "--predictions", "x=no.csv"), MissingFileError, "no.csv"),
        (("--detector", "nowhere/at/all"), UsageError, "names no detector"),
        (("--detector", "not_there_at_all:judge"), UsageError, "cannot be loaded"),
        (("--detector", "side_by_side_module:judge", "--frames", "3"), UsageError, "--frames says nothing"),
        (("--detector", "shipped", "--model", "set"), UsageError, "--model says nothing here: write --detector"),
        (("--predictions", "a.csv", "--predictions", "b.csv", "--frames", "3"), UsageError, "--frames says nothing"),
        (("--predictions", "a.csv", "--predictions", "b.csv", "--threshold", "1"), UsageError, "--threshold says"),
        (("--predictions", "a.csv", "--predictions", "b.csv", "--level", "track"), UsageError, "--level says nothing"),
    ],
)
def test_what_cannot_be_compared_is_refused(made, words, error, message) -> None:
    with pytest.raises(error, match=message):
        run("set", *words)


def test_a_file_of_scores_for_another_set_is_refused(made) -> None:
    Path("odd.csv").write_text("path,score\nnobody.mp4,0.5\n")
    with pytest.raises(MediaError, match="is no file of the set"):
        run("set", "--predictions", "a.csv", "--predictions", "odd.csv")


def test_a_name_is_what_stands_before_the_sign_unless_a_file_is_called_so(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert split_name("a=b.csv") == ("a", "b.csv")
    assert split_name("=b.csv") == ("", "=b.csv")
    Path("a=b.csv").write_text("")
    assert split_name("a=b.csv") == ("", "a=b.csv")
