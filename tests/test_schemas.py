"""The schemas of docs/schemas: real records fit them, each key is described, and each described key is written."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from detector.comparison.judged import Judged
from detector.comparison.run import compare
from detector.config import HEADS, LAYER_HEADS, MOTION, HeadsConfig
from detector.evaluation import intervals
from detector.evaluation.run import EvaluationConfig, evaluate
from detector.inference.bundle import load_shipped
from detector.inference.explain import HeadFacts
from detector.inference.fusion import Lines, Stack
from detector.inference.prediction import TrackFrame, TrackScore
from detector.inference.quality_norm import QUANTITIES
from detector.inference.thresholds import KeyframeRule, Source
from detector.motion.features import FEATURES
from detector.motion.head import MotionHead
from detector.training.own_footage import Real, recalibrate
from provenance.commands.audit import decide
from sfumato.app.cli.scan import scan
from sfumato.app.scan.cascade import Stages
from sfumato.app.sets.check.run import check_set
from sfumato.app.study.answers import Answer, Sheet
from sfumato.app.study.score import score
from sfumato.app.study.told import record_of
from sfumato.config import to_dict
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.images import write_image
from sfumato.text import json_line
from tests.comparison_fixtures import pair
from tests.detector_fixtures import toy_explanation
from tests.evaluation_fixtures import crowd, scored
from tests.media_fixtures import make_video, picture
from tests.scan_fixtures import FACTS, explanation_record, mark_facts, scan_record
from tests.set_fixtures import packed_set  # noqa: F401 (a fixture)
from tests.study_fixtures import toy_key

ROOT = Path(__file__).resolve().parent.parent
EVERY = {path.name: json.loads(path.read_text("utf-8")) for path in (ROOT / "docs/schemas").glob("*.schema.json")}
# A result line has a test of its own, tests/benchmarks/test_result_schema.py: it is one of many kinds.
SCHEMAS = {name: schema for name, schema in EVERY.items() if name != "result.schema.json"}
SCAN, ROW, DETECTOR = "scan-record.schema.json", "evaluation-row.schema.json", "detector-record.schema.json"
AUDIT, COMPARISON = "audit-line.schema.json", "comparison-row.schema.json"
CHECK, SCORE = "set-check.schema.json", "study-score.schema.json"
SECTIONS = ("model", "samples", "degrade", "train", "heads", "calibration")  # one dataclass each
OPEN = {("config", part) for part in SECTIONS}


def parts(schema: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every schema within a schema, and the names that lead there; "*" stands for what has no name of its own."""
    yield place, schema
    for name, inner in schema.get("properties", {}).items():
        yield from parts(inner, (*place, name))
    loose = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties"), schema.get("items")]
    for inner in loose:
        if isinstance(inner, dict):
            yield from parts(inner, (*place, "*"))
    for inner in schema.get("anyOf", []):
        yield from parts(inner, place)


def named(schema: dict[str, Any], value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The described keys that a record has, as `parts` names them."""
    if "anyOf" in schema:
        for inner in schema["anyOf"]:
            if Draft202012Validator(inner).is_valid(value):
                yield from named(inner, value, place)
    elif isinstance(value, list):
        for item in value:
            yield from named(schema.get("items", {}), item, (*place, "*"))
    elif isinstance(value, dict):
        for name, item in value.items():
            inner, loose = schema.get("properties", {}).get(name), loose_schema(schema, name)
            if inner is not None:
                yield (*place, name)
                yield from named(inner, item, (*place, name))
            elif loose is not None:
                yield from named(loose, item, (*place, "*"))


def loose_schema(schema: dict[str, Any], name: str) -> dict[str, Any] | None:
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            return inner
    given = schema.get("additionalProperties")
    return given if isinstance(given, dict) else None


def faults(name: str, record: Any) -> list[str]:
    return [f"{list(error.path)}: {error.message}" for error in Draft202012Validator(SCHEMAS[name]).iter_errors(record)]


@pytest.fixture(scope="module")
def scans(shipped_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `sfumato scan --explain --json` prints of a video and a picture with a face, and of what it cannot read."""
    folder = tmp_path_factory.mktemp("files")
    make_video(folder / "a.mp4", width=160, height=120)
    write_image(folder / "b.png", picture(0, 160, 120))
    (folder / "c.mp4").write_text("no video")
    make_video(folder / "d.mp4", frames=2)
    patch = pytest.MonkeyPatch()
    face = Face((40.0, 20.0, 60.0, 70.0), 0.9, np.zeros((5, 2), np.float32))
    patch.setattr(FaceDetector, "detect", lambda self, image: [face])
    arguments = ["--json", "--frames", "6", "--model", shipped_detector, "--explain", folder / "maps", folder]
    found = CliRunner().invoke(scan, [str(argument) for argument in arguments], standalone_mode=False)
    patch.undo()
    assert found.return_value == 3
    somewhere = scan_record(explanation=explanation_record(toy_explanation()))  # a random net sees it nowhere
    sources = (Source("a", 99, {0.1: 0.1}),)
    known = replace(somewhere, threshold=replace(somewhere.threshold, sources=sources, frames=32))
    frame = TrackFrame(0.0, (1.0, 2.0, 30.0, 40.0), 0.5, 0.0, 1.0, -1.0, layers=(2.0, -2.0))
    heads = {**somewhere.explanation.heads, "motion": HeadFacts(1.0, 1.5, "raised", 0.9, "")}
    told = replace(somewhere.explanation, heads=heads)
    moved = replace(somewhere, tracks=(TrackScore(0, 0.5, 0.0, (frame,), motion=1.0),), explanation=told)
    spared = Stages({"credential": 0.01, "watermark": 0.02, "keyframes": 0.1}, "keyframes", True)
    moved = replace(moved, mark=mark_facts(), scan=FACTS, stages=spared)
    made_up = [record.as_json() for record in (somewhere, known, moved)]
    return [*(json.loads(line) for line in found.stdout.splitlines()), *made_up]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Rows of probabilities from two data sets with abstentions, of raw scores, and of fakes alone."""
    mixed = [*crowd(30), *crowd(30, seed=1, dataset="other", compression="c23"), *crowd(1100, seed=2)]
    mixed += [scored(f"n{i}", "fake", dataset="fakes only", flagged={"0.01": True}) for i in range(9)]
    raw = [scored(f"v{i}", ("real", "fake")[i % 2], float(i)) for i in range(40)]
    models = ({"name": "toy", "version": "0", "sha256": "a" * 64}, {"name": "predictions", "file": "scores.csv"})
    configs = (EvaluationConfig(threshold=0.5), EvaluationConfig(frames=0))
    found = []
    patch = pytest.MonkeyPatch()
    patch.setattr(intervals, "DRAWS", 40)
    for scores, config, model in zip((mixed, raw), configs, models, strict=True):
        lines = [json.loads(line) for line in evaluate(scores, config).lines(model)]
        found += [line for line in lines if line["record"] == "metrics"]
    patch.undo()
    return found


@pytest.fixture(scope="module")
def comparisons() -> list[dict[str, Any]]:
    """Rows of two detectors on enough people of two data sets, on too few, and on fakes alone."""
    patch = pytest.MonkeyPatch()
    patch.setattr(intervals, "DRAWS", 40)
    parts = zip(pair(count=100), pair(count=6, dataset="other"), strict=True)
    many = [Judged(one.name, [*one.scored, *other.scored]) for one, other in parts]
    found = [
        json.loads(line)
        for judged in (many, pair(count=3))
        for line in compare(judged, EvaluationConfig(frames=0)).lines()
    ]
    patch.undo()
    return [line for line in found if line["record"] == "comparison"]


@pytest.fixture(scope="module")
def detectors() -> list[dict[str, Any]]:
    """The record that ships, the same after a calibration on somebody's own footage, a part of it a group, and the same
    with further heads.
    """
    shipped = load_shipped().record
    seen = dict.fromkeys(QUANTITIES, 9.0)
    reals = [
        Real(kind, f"person {i}", f"{kind} {i}", float(i), group="b" * (i < 25), seen=seen, codec=codec)
        for kind, codec in (("picture", None), ("video", "h264"))
        for i in range(125)
    ]
    wider = json.loads(json.dumps(shipped))
    wider["config"]["heads"] = to_dict(HeadsConfig())
    for kind in ("calibration", "video_calibration"):
        five = Lines((1.0,) * 5, (0.0,) * 5)
        heads = (*HEADS, *LAYER_HEADS, MOTION)
        wider[kind]["stack"] = Stack(five.scale, five.offset, heads=heads, pictures=five).as_json()
    ones = (1.0,) * len(FEATURES)
    line = MotionHead(ones, ones, ones, ones, ones, 0.0)
    wider["motion"] = replace(line, acted=line).as_json()
    rule = KeyframeRule(4, {0.1: (-1.0, 2.0), 0.01: (1.0, 4.0)}, 0.02, {"real": 99, "fake": 60})
    wider["video_calibration"]["keyframes"] = rule.as_json()
    wider["training"]["heads"] = {"layers": True, "motion": True, "methods": ["toy"]}
    return json.loads(json.dumps([shipped, recalibrate(shipped, reals, True, frames=32).record, wider]))


@pytest.fixture(scope="module")
def audits(shipped_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The lines of a log: a scan by a list of signers, a crash, a decision."""
    folder = tmp_path_factory.mktemp("audit")
    make_video(folder / "a.mp4")
    (folder / "b.mp4").write_text("no video")
    (folder / "allowed.txt").write_text("a" * 64)
    log = folder / "log.jsonl"
    lists = ["--allowed-list", folder / "allowed.txt", "--model", shipped_detector, "--audit", log]
    arguments = [*lists, folder / "a.mp4", folder / "b.mp4"]
    assert CliRunner().invoke(scan, [str(each) for each in arguments], standalone_mode=False).return_value == 3
    whole = len(log.read_bytes())
    with log.open("ab") as file:
        file.write(b'{"body":{"cal')
    texts = ["--decision", "removed", "--who", "Ada", "--why", "a fake"]
    assert CliRunner().invoke(decide, [str(log), str(folder / "a.mp4"), *texts]).exit_code == 0
    written = log.read_bytes()
    piece = written.index(b"\n", whole) + 1
    return [json.loads(line) for line in (written[:whole] + written[piece:]).splitlines()]


@pytest.fixture(scope="module")
def set_checks(packed_set: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:  # noqa: F811
    """Of a set that lacks a file and has one too many, of a mere list, and of one in which there are two people."""
    folder = tmp_path_factory.mktemp("sets")
    with tarfile.open(fileobj=io.BytesIO(packed_set)) as archive:
        archive.extractall(folder, filter="data")
    clips = folder / "set" / "clips.jsonl"
    rows = [json.loads(line) for line in clips.read_text("utf-8").splitlines()]
    few = [{**row, "identity": "ab"[number // 2 % 2], "split": "test"} for number, row in enumerate(rows)]
    for name, listed in (("some.jsonl", rows), ("few.jsonl", few)):
        (folder / "set" / name).write_text("".join(json.dumps(row) + "\n" for row in listed))
    (folder / "set" / "set.json").unlink()
    lists = (clips.parent, clips.with_name("some.jsonl"), clips.with_name("few.jsonl"))
    found = [check_set(path, journal=folder / "seen.sqlite3").as_json() for path in lists]
    return [json.loads(json_line(record)) for record in found]


@pytest.fixture(scope="module")
def scores() -> list[dict[str, Any]]:
    """Of many participants, one of whom is careless and one of whom saw nothing; of two; and of one."""
    key = toy_key(questions=10, people=4, methods=("a", "b"), same=(1,))
    right = [Answer(question, question.number % 2 == 0, question.number % 3 + 1, 4.0) for question in key.questions]
    quick = [replace(answer, seconds=0.1) for answer in right]
    unseen = [replace(answer, right=None, place=None) for answer in right]
    sheets = [Sheet(f"{code:016x}", tuple(given)) for code, given in enumerate((*[right] * 6, quick, unseen))]
    return [json.loads(json_line(record_of(score(key, part)))) for part in (sheets, sheets[:2], sheets[:1])]


@pytest.fixture
def records(request: pytest.FixtureRequest, name: str) -> list[dict[str, Any]]:
    fixtures = {
        SCAN: "scans", ROW: "rows", DETECTOR: "detectors", AUDIT: "audits", COMPARISON: "comparisons",
        CHECK: "set_checks", SCORE: "scores",
    }  # fmt: skip
    found: list[dict[str, Any]] = request.getfixturevalue(fixtures[name])
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_real_records_fit_their_schema(name, records) -> None:
    assert [fault for record in records for fault in faults(name, record)] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_that_is_described_is_written(name, records) -> None:
    described = {place for place, _ in parts(SCHEMAS[name]) if place and place[-1] != "*"}
    assert described - {place for record in records for place in named(SCHEMAS[name], record)} == set()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_object_is_closed(name) -> None:
    objects = [(place, part) for place, part in parts(SCHEMAS[name]) if is_object(part)]
    loose = {place for place, part in objects if "additionalProperties" not in part}
    assert loose == (OPEN if name == DETECTOR else set())


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_says_what_it_means(name) -> None:
    places = {place for place, _ in parts(SCHEMAS[name]) if place and place[-1] != "*"}
    assert places - {place for place, part in parts(SCHEMAS[name]) if part.get("description")} == set()


def is_object(part: dict[str, Any]) -> bool:
    kinds = part.get("type", [])
    return "object" in ([kinds] if isinstance(kinds, str) else kinds)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_key_of_nobodys_is_refused(name, records) -> None:
    assert faults(name, records[0] | {"surprise": 1}) != []


@pytest.mark.parametrize("name", EVERY)
def test_a_schema_is_one_and_is_listed(name) -> None:
    Draft202012Validator.check_schema(EVERY[name])
    assert f"(schemas/{name})" in (ROOT / "docs/records.md").read_text("utf-8")
