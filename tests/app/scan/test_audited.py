"""What a scan says in an audit log: every verdict with all digests, each of them one that can be computed again."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from click.testing import CliRunner, Result

from detector.inference.bundle import load_shipped
from provenance.audit.check import check_log
from provenance.audit.line import Line, read_line
from provenance.audit.trust import Trust
from provenance.pki.keys import development_keys
from sfumato.app.cli.scan import scan
from sfumato.app.scan.audited import verdict_body
from sfumato.errors import UsageError
from sfumato.text import json_line
from sfumato.version import __version__
from tests.media_fixtures import make_video
from tests.provenance.stamping import issue
from tests.scan_fixtures import scan_record


def run(*arguments: object) -> Result:
    return CliRunner().invoke(scan, [str(argument) for argument in arguments], standalone_mode=False)


def lines(log: Path, kind: str) -> list[Line]:
    return [line for line in map(read_line, log.read_bytes().splitlines()) if line.kind == kind]


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    make_video(folder / "a.mp4")
    make_video(folder / "b.mp4", frames=2)
    (folder / "c\n.mp4").write_text("no video")
    return folder


def test_every_verdict_is_in_the_log_with_the_digest_of_its_record(
    shipped_detector: Path, videos: Path, tmp_path: Path
) -> None:
    result = run("--json", "--model", shipped_detector, "--audit", tmp_path / "log", videos)
    assert result.return_value == 3
    records = [json.loads(line) for line in result.stdout.splitlines()]
    verdicts = lines(tmp_path / "log", "verdict")
    assert [line.body["record"] for line in verdicts] == [
        hashlib.sha256(rfc8785.dumps(record)).hexdigest() for record in records
    ]
    for name in ("file", "verdict", "review", "status", "score"):
        assert [line.body[name] for line in verdicts] == [record[name] for record in records]
    root = development_keys().root_pem()
    assert check_log(tmp_path / "log", Trust([root], (), datetime.now(UTC))).outcome == "whole"


def test_all_that_a_verdict_follows_from_is_named_by_digest(
    shipped_detector: Path, videos: Path, tmp_path: Path
) -> None:
    (tmp_path / "root.pem").write_bytes(issue("Root", authority=True).pem)
    (tmp_path / "allowed.txt").write_text("a" * 64)
    lists = ("--trust", tmp_path / "root.pem", "--allowed-list", tmp_path / "allowed.txt")
    run("--model", shipped_detector, *lists, "--audit", tmp_path / "log", videos / "a.mp4")
    (opened,), (verdict,) = lines(tmp_path / "log", "open"), lines(tmp_path / "log", "verdict")
    body = verdict.body
    bundle = load_shipped(shipped_detector)
    assert body["program"] == f"sfumato {__version__}"
    assert body["model"] == bundle.digest
    calibration = {name: bundle.record.get(name) for name in ("calibration", "video_calibration", "motion")}
    assert body["calibration"] == hashlib.sha256(rfc8785.dumps(json.loads(json.dumps(calibration)))).hexdigest()
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("root.pem", "allowed.txt")]
    assert body["trust"] == [
        {"purpose": purpose, "sha256": digest} for purpose, digest in zip(("signers", "allowed"), digests, strict=True)
    ]
    asked = opened.body["about"]["asked"]
    assert asked == {
        "backend": None, "explain": False, "fpr": 0.01, "frames": bundle.frames(), "repository": None,
    }  # fmt: skip
    assert body["options"] == hashlib.sha256(rfc8785.dumps(asked)).hexdigest()


def test_other_options_and_another_list_are_other_digests(shipped_detector: Path, videos: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(issue("Root", authority=True).pem)
    for more in ((), ("--frames", "6"), ("--fpr", "0.1"), ("--trust", tmp_path / "root.pem")):
        run("--model", shipped_detector, *more, "--audit", tmp_path / "log", videos / "a.mp4")
    told = [(line.body["options"], json.dumps(line.body["trust"])) for line in lines(tmp_path / "log", "verdict")]
    assert len(set(told)) == 4


def test_a_log_that_cannot_be_written_stops_the_scan_before_it_begins(
    shipped_detector: Path, videos: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = run("--model", shipped_detector, "--audit", tmp_path / "thesis.txt", videos / "a.mp4")
    assert isinstance(result.exception, UsageError)
    assert result.stdout == ""
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_scan_that_is_stopped_leaves_a_signed_log(
    shipped_detector: Path, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sfumato.app.scan.scanner import Scanner

    scan_file, seen = Scanner.scan_file, []

    def scanned(self: Scanner, path: Path, **more: Any) -> Any:
        if seen:
            raise KeyboardInterrupt
        seen.append(path)
        return scan_file(self, path, **more)

    monkeypatch.setattr(Scanner, "scan_file", scanned)
    run("--model", shipped_detector, "--audit", tmp_path / "log", videos)
    last = read_line((tmp_path / "log").read_bytes().splitlines()[-1])
    assert (last.kind, len(lines(tmp_path / "log", "verdict"))) == ("head", 1)


def test_the_body_is_that_of_what_is_printed() -> None:
    record = scan_record(text="half \ud800 a character")
    plain = json.loads(json_line(record.as_json()))
    body = verdict_body(plain)
    assert body["record"] == hashlib.sha256(rfc8785.dumps(plain)).hexdigest()
    assert body["reasons"] == ["detector_flagged", "credential_untrusted"]
    assert body["threshold"] == record.flagging_score
