"""`sfumato scan`: one record a file, exit codes, escaped names, folders, refusals."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from provenance.durable.repository import open_repository
from provenance.pki.keys import development_keys
from sfumato.app.cli.scan import scan
from sfumato.app.scan.verdict import VERDICTS
from sfumato.errors import MissingFileError, OutputError, UsageError
from tests.durable_fixtures import sealed_video
from tests.media_fixtures import make_video
from tests.provenance.mutations import CREATED
from tests.provenance.stamping import issue, sign_as, signer


@pytest.fixture
def model(shipped_detector: Path) -> Path:
    return shipped_detector


def run(*arguments: object):
    return CliRunner().invoke(scan, [str(argument) for argument in arguments], standalone_mode=False)


def records(result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_record_of_a_video_without_a_face(model, tmp_path) -> None:
    make_video(tmp_path / "bars.mp4")
    result = run("--json", "--model", model, tmp_path / "bars.mp4")
    assert result.return_value == 0
    (record,) = records(result)
    assert record["schema_version"] == 2
    assert record["status"] == "abstain"
    assert record["verdict"] == "not-evaluable"
    assert record["reasons"][0]["code"] == "no_face"
    assert record["provenance"]["outcome"] == "none"
    assert record["file"]["size"] == (tmp_path / "bars.mp4").stat().st_size
    assert len(record["file"]["sha256"]) == 64
    assert {"score", "threshold", "timeline", "tracks", "media", "model", "timing", "meaning"} <= set(record)


def test_unreadable_file_gives_a_record_and_exit_code_3(model, tmp_path) -> None:
    (tmp_path / "a.mp4").write_text("text")
    (tmp_path / "b.mp4").write_bytes(b"")
    make_video(tmp_path / "c.mp4")
    result = run("--json", "--model", model, tmp_path)
    assert result.return_value == 3
    assert [record["status"] for record in records(result)] == ["error", "error", "abstain"]


@pytest.fixture
def faces(monkeypatch) -> None:
    from sfumato.media.faces import Face, FaceDetector

    monkeypatch.setattr(
        FaceDetector, "detect", lambda self, image: [Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))]
    )


def test_face_is_scored(model, tmp_path, faces) -> None:
    make_video(tmp_path / "a.mp4", width=160, height=120)
    (record,) = records(run("--json", "--model", model, "--frames", "6", tmp_path / "a.mp4"))
    assert record["status"] == "ok"
    assert 0 <= record["score"] <= 1
    assert record["threshold"]["fpr"] == 0.01
    assert record["threshold"]["score"] == record["threshold"]["0.01"]
    assert len(record["timeline"]) == 6
    assert record["tracks"][0]["frames"][0]["box"] == [40.0, 20.0, 60.0, 70.0]
    assert record["verdict"] in VERDICTS


def test_block_for_people_has_the_meaning_and_escapes_names(model, tmp_path) -> None:
    name = tmp_path / "a\x1b[31m\u202egpj.mp4"
    make_video(name)
    result = run("--model", model, name)
    assert VERDICTS["not-evaluable"] in result.stdout
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "\\x1b" in result.stdout


def test_no_file_is_a_usage_error() -> None:
    assert CliRunner().invoke(scan, []).exit_code == 2


def test_missing_trust_list_is_a_missing_file(model, tmp_path) -> None:
    result = CliRunner().invoke(scan, ["--trust", str(tmp_path / "none.pem"), "a.mp4"])
    assert isinstance(result.exception, MissingFileError)


def test_score_comes_with_words(model, tmp_path, faces) -> None:
    make_video(tmp_path / "a.mp4", width=160, height=120)
    (record,) = records(run("--json", "--model", model, "--frames", "6", tmp_path / "a.mp4"))
    told = record["explain"]
    assert set(told) == {"words", "heads"}
    assert set(told["heads"]) == {"blend", "synthesis"}
    highest = sorted(record["tracks"][0]["frames"], key=lambda frame: -frame["score"])[:2]
    assert told["heads"]["blend"]["evidence"] == pytest.approx(np.mean([frame["blend"] for frame in highest]), abs=1e-3)
    assert f"  {told['words']}" in run("--model", model, "--frames", "6", tmp_path / "a.mp4").stdout


def test_copies_are_judged_once_and_say_so(model, tmp_path, faces, monkeypatch) -> None:
    from detector.inference.video_detector import VideoDetector

    make_video(tmp_path / "a.mp4", width=160, height=120)
    for name in ("b.mp4", "c.mp4"):
        shutil.copy(tmp_path / "a.mp4", tmp_path / name)
    judge, asked = VideoDetector.predict, []

    def predict(self, path, *arguments):
        asked.append(path.name)
        return judge(self, path, *arguments)

    monkeypatch.setattr(VideoDetector, "predict", predict)
    found = records(run("--json", "--model", model, "--frames", "4", tmp_path))
    assert asked == ["a.mp4"]
    assert [Path(record["file"]["path"]).name for record in found] == ["a.mp4", "b.mp4", "c.mp4"]
    assert len({(record["verdict"], record["score"], record["file"]["sha256"]) for record in found}) == 1
    told = [[note for note in record["notes"] if note.startswith("Judged once")] for record in found]
    assert told == [[], *[[f"Judged once, with the same content at {tmp_path / 'a.mp4'}."]] * 2]


def test_explain_writes_a_sheet_for_each_scored_file(model, tmp_path, faces) -> None:
    (tmp_path / "in" / "b").mkdir(parents=True)
    for name in ("a\u202e.mp4", "b/a\u202e.mp4"):
        make_video(tmp_path / "in" / name, width=160, height=120, frames=8 + len(name))
    (tmp_path / "in" / "c.mp4").write_text("text")
    found = records(run("--json", "--model", model, "--explain", tmp_path / "out" / "maps", tmp_path / "in"))
    sheets = [record["explain"]["sheet"] for record in found[:2]]
    assert found[2]["explain"] is None
    assert sorted(sheets) == sorted(str(path) for path in (tmp_path / "out" / "maps").iterdir())
    assert len(set(sheets)) == 2
    for record in found[:2]:
        told = record["explain"]
        assert len(told["frames"]) == 3
        assert sum(told["areas"].values()) == pytest.approx(1)
        assert told["regions"] is None or sum(told["regions"].values()) == pytest.approx(1)


def test_explain_is_refused_before_anything_is_scanned(model, tmp_path) -> None:
    import onnx

    from detector.inference.bundle import read_parts
    from sfumato.errors import CheckpointError

    network, _, record = read_parts(model)
    graph = onnx.load_from_string(network)
    del graph.graph.output[1]
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "detector.onnx").write_bytes(graph.SerializeToString())
    record["network"]["sha256"] = hashlib.sha256(graph.SerializeToString()).hexdigest()
    (tmp_path / "d" / "detector.json").write_text(json.dumps(record))
    make_video(tmp_path / "a.mp4")
    refused = run("--model", tmp_path / "d", "--explain", tmp_path / "out", tmp_path / "a.mp4").exception
    assert isinstance(refused, CheckpointError)
    assert "cannot show where it looks" in str(refused)
    assert not (tmp_path / "out").exists()
    assert run("--model", tmp_path / "d", tmp_path / "a.mp4").return_value == 0


def test_explain_needs_a_folder_that_can_be_made(model, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    make_video(tmp_path / "a.mp4")
    assert isinstance(
        run("--model", model, "--explain", tmp_path / "file" / "x", tmp_path / "a.mp4").exception, OutputError
    )


def test_backend_is_chosen_and_recorded(model, tmp_path) -> None:
    pytest.importorskip("openvino")
    make_video(tmp_path / "a.mp4")
    assert records(run("--json", "--model", model, tmp_path / "a.mp4"))[0]["model"]["backend"] == "onnxruntime"
    assert (
        records(run("--json", "--model", model, "--backend", "openvino", tmp_path / "a.mp4"))[0]["model"]["backend"]
        == "openvino"
    )
    assert isinstance(run("--model", model, "--backend", "none", tmp_path / "a.mp4").exception, UsageError)


def test_a_folder_is_searched_in_order_and_what_was_passed_over_is_told(model, tmp_path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b/x.png", "a.mp4", ".hidden/c.mp4", "notes.te\x1bxt"):
        (tmp_path / name).write_text("no media")
    result = run("--json", "--model", model, tmp_path)
    assert [Path(record["file"]["path"]).name for record in records(result)] == ["a.mp4", "x.png"]
    assert result.stderr.splitlines()[0] == "Passed over in folders: 1 .te\\x1bxt, 1 hidden"


def test_a_folder_without_media_is_refused(model, tmp_path) -> None:
    refusal = run("--model", model, tmp_path).exception
    assert isinstance(refusal, UsageError) and "No video or picture" in refusal.message


def test_a_signer_on_an_allowed_list_is_trusted_and_the_record_says_why(model, tmp_path) -> None:
    make_video(tmp_path / "plain.mp4")
    root = issue("Root", authority=True)
    leaf = signer("Ada", root)
    sign_as(leaf, [], tmp_path / "plain.mp4", tmp_path / "signed.mp4", {"assertions": [CREATED]})
    (tmp_path / "friends.pem").write_bytes(leaf.pem)
    for given, outcome in (([], "untrusted"), (["--allowed-list", tmp_path / "friends.pem"], "trusted")):
        (record,) = records(run("--json", "--model", model, tmp_path / "signed.mp4", *given))
        assert record["provenance"]["outcome"] == outcome
        assert record["provenance"]["allowed_list"] is bool(given)


def test_the_repository_of_watermarks_is_the_one_that_was_named(model, tmp_path) -> None:
    own, other = tmp_path / "own.sqlite3", tmp_path / "other.sqlite3"
    sealed = sealed_video(tmp_path / "sealed.mp4", development_keys(tmp_path / "keys"), own)
    copy = sealed.copy(tmp_path / "copy.mp4")
    open_repository(other).close()
    for place, verdict, finding in ((own, "synthetic-recovered", "recovered"), (other, "suspicious", "unknown")):
        result = run("--json", "--model", model, "--repository", place, copy)
        (record,) = records(result)
        assert (record["verdict"], record["watermark"]["finding"], result.return_value) == (verdict, finding, 0)
    missing = run("--model", model, "--repository", tmp_path / "none.sqlite3", copy).exception
    assert isinstance(missing, UsageError) and "no repository" in missing.message
