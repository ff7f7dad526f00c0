"""SARIF: what the standard requires of a run, whatever a file is called, and never a word that clears a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.app.scan.outputs.sarif import LEVELS, uri, write_sarif
from sfumato.app.scan.verdict import VERDICTS
from tests.app.scan.outputs.test_csv_file import ANY_TEXT, named
from tests.scan_fixtures import FACTS, scan_record

KINDS = {"notApplicable", "pass", "fail", "review", "open", "informational"}  # SARIF 2.1.0, 3.27.9
FACES = [{"id": 0, "t0": 0.5, "t1": 1.0, "n": 1, "size_px": 50.0, "score": 0.9, "logit": 2.0, "frames": []}]


def written(path: Path, records: list[dict[str, Any]], code: int = 0) -> dict[str, Any]:
    write_sarif(path, lambda: records, code)
    return json.loads(path.read_text(encoding="ascii"))


def one_run(log: dict[str, Any]) -> dict[str, Any]:
    """The run of a log, once the rules of the standard (its section beside each) hold for it."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"  # 3.13.2
    (run,) = log["runs"]
    driver = run["tool"]["driver"]  # 3.14.6, 3.18.2
    assert driver["name"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(set(rules)) == len(rules)  # 3.19.23
    for result in run["results"]:
        assert result["message"]["text"]  # 3.27.11
        assert result["kind"] in KINDS
        assert result["level"] in ("none", "note", "warning", "error")  # 3.27.10
        assert (result["kind"] == "fail") == (result["level"] != "none")
        assert rules[result["ruleIndex"]] == result["ruleId"]  # 3.27.6
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]  # 3.4.5
        urlsplit(place["uri"])
        assert place["uri"].isascii()
        assert not set(place["uri"]) & set(' "<>\\^`{|}')  # RFC 3986
        assert all(isinstance(value, str) for value in result.get("partialFingerprints", {}).values())  # 3.27.17
    assert len({json.dumps(artifact) for artifact in run["artifacts"]}) == len(run["results"])  # 3.14.15: none twice
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)  # 3.20.14
        for told in invocation["toolExecutionNotifications"]:
            assert told["message"]["text"]  # 3.58.5
    return run


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("review", [True, False])
def test_each_verdict_is_a_result_and_none_passes(tmp_path: Path, verdict: str, review: bool) -> None:
    record = scan_record(verdict).as_json() | {"review": review}
    (result,) = one_run(written(tmp_path / "out.sarif", [record]))["results"]
    assert result["ruleId"] == verdict
    assert result["message"]["text"].startswith(VERDICTS[verdict])
    assert result["level"] == LEVELS.get(verdict, "none")
    assert result["kind"] != "pass"
    if verdict not in LEVELS and verdict not in ("inconclusive", "not-evaluable"):
        assert result["kind"] == ("review" if review else "informational")


def test_a_result_says_where_when_by_what_and_how_sure(tmp_path: Path) -> None:
    record = replace(scan_record(), scan=FACTS).as_json() | {"tracks": FACES}
    run = one_run(written(tmp_path / "out.sarif", [record], 6))
    (result,) = run["results"]
    told = result["properties"]["sfumato"]
    assert (told["score"], told["threshold"], told["fpr"]) == (0.8, record["threshold"]["score"], 0.01)
    assert (told["scanned"], told["program"], told["model"]) == ("2026-01-31T12:30:00Z", "9.9", "b" * 64)
    assert told["trust"] == [{"purpose": "signers", "sha256": "d" * 64}]
    assert told["faces"] == [{"id": 0, "t0": 0.5, "t1": 1.0, "size_px": 50.0, "score": 0.9}]
    assert result["partialFingerprints"] == {"contentSha256/v1": "a" * 64}
    (artifact,) = run["artifacts"]
    assert (artifact["location"], artifact["length"]) == ({"uri": "a.mp4"}, 1000)
    assert artifact["hashes"] == {"sha-256": "a" * 64}
    assert run["invocations"][0]["exitCode"] == 6
    assert run["invocations"][0]["toolExecutionNotifications"] == []


def test_a_file_that_could_not_be_read_is_told_to_whoever_runs_it_too(tmp_path: Path) -> None:
    lost = scan_record("not-evaluable", file=replace(scan_record().file, sha256=None, size=None), status="error")
    run = one_run(written(tmp_path / "out.sarif", [named("b.mp4"), lost.as_json()], 3))
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["level"] == "error"
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a.mp4"
    assert not {"length", "hashes"} & set(run["artifacts"][1])
    assert "partialFingerprints" not in run["results"][1]
    assert [result["locations"][0]["physicalLocation"]["artifactLocation"]["index"] for result in run["results"]] == [
        0,
        1,
    ]


@given(st.lists(ANY_TEXT, max_size=3), ANY_TEXT)
def test_whatever_files_are_called_and_say_the_standard_holds(names: list[str], text: str) -> None:
    records = [named(name) | {"reasons": [{"code": "x", "detail": text}]} for name in names]
    with TemporaryDirectory() as folder:
        run = one_run(written(Path(folder) / "out.sarif", records))
    assert len(run["results"]) == len(names)
    for result in run["results"]:
        assert all(line.isprintable() or "\u202e" not in line for line in result["message"]["text"].split("\n"))


@given(ANY_TEXT.filter(lambda text: "://" not in text and not text.startswith("/")))
def test_a_path_comes_back_from_its_uri(name: str) -> None:
    whole = name.encode("utf-8", "replace").decode()
    assert unquote(uri(name)) == whole
    assert unquote(uri(f"/{name}")) == f"file:///{whole}"
    assert urlsplit(uri(name)).scheme == ""


def test_an_address_is_its_own_uri() -> None:
    assert uri("https://example.com/a b?redacted=01234567") == "https://example.com/a%20b?redacted=01234567"


def test_no_record_is_a_run_without_results(tmp_path: Path) -> None:
    assert one_run(written(tmp_path / "out.sarif", []))["results"] == []
