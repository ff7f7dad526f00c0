"""`sfumato audit`: begin, decide, sign, head, verify; each outcome has its exit code, and foreign text is escaped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance.audit.check import OUTCOMES
from provenance.audit.line import read_line
from provenance.commands import audit
from sfumato.errors import ConfigError, MissingFileError, SealError, UsageError
from tests.audit_fixtures import Newsroom, lines_of

COMMANDS = {name: getattr(audit, name) for name in ("begin", "decide", "sign", "head", "verify")}


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(COMMANDS[command], [str(argument) for argument in arguments])


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path / "newsroom")


@pytest.fixture
def log(newsroom: Newsroom, tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    made = run("begin", path, "--signer", f"pem:{newsroom.key}", "--chain", newsroom.chain, "--every-lines", 2)
    assert made.exit_code == 0, made.output
    assert run("decide", path, "ab" * 32, "--decision", "re\x1bmoved", "--who", "Ada", "--why", "a fake").exit_code == 0
    return path


def test_every_outcome_has_an_exit_code() -> None:
    assert set(audit.EXIT_CODES) == set(OUTCOMES)


def test_a_log_that_holds_says_by_whom(log: Path, newsroom: Newsroom) -> None:
    result = run("verify", log, "--trust", newsroom.root_file)
    assert result.exit_code == 0
    assert ": whole: 6 lines hold together" in result.output
    assert "covered: lines 1 to 6, by Newsroom, 20" in result.output


def test_a_log_of_an_unknown_signer_is_not_covered(log: Path) -> None:
    result = run("verify", log)
    assert result.exit_code == 1
    assert "not covered by a trusted signature: lines 1 to 6" in result.output
    assert "not trusted: Newsroom, who signed up to line 6: no root is given" in result.output


def test_the_first_broken_line_is_named(log: Path, newsroom: Newsroom) -> None:
    lines = lines_of(log)
    log.write_bytes(b"".join([*lines[:4], lines[4].replace(b"Ada", b"Eve"), *lines[5:]]))
    result = run("verify", log, "--trust", newsroom.root_file)
    assert result.exit_code == 5
    assert "broken at line 5: its content is not what its digest says" in result.output
    assert "covered: lines 1 to 3" in result.output


def test_the_report_is_plain_values_too(log: Path, newsroom: Newsroom) -> None:
    whole = json.loads(run("verify", log, "--json", "--trust", newsroom.root_file).output)
    assert (whole["schema_version"], whole["outcome"], whole["covered"], whole["broken"]) == (1, "whole", 6, None)
    assert whole["covered_by"]["name"] == "Newsroom"
    assert whole["signatories"][0]["line"] == 6
    log.write_bytes(b"".join(lines_of(log)[1:]))
    broken = json.loads(run("verify", log, "--json").output)
    assert (broken["outcome"], broken["broken"]["line"], broken["covered_by"]) == ("broken", 1, None)


def test_a_head_is_kept_elsewhere_and_finds_a_cut(log: Path, newsroom: Newsroom, tmp_path: Path) -> None:
    kept = tmp_path / "head.json"
    assert run("head", log, "-o", kept).exit_code == 0
    assert kept.read_bytes() == lines_of(log)[-1] == run("head", log).output.encode()
    trust = ("--trust", newsroom.root_file)
    assert "the kept head is line 6" in run("verify", log, *trust, "--head", kept).output
    assert run("verify", log, *trust, "--head", read_line(kept.read_bytes()).sha256).exit_code == 0
    log.write_bytes(b"".join(lines_of(log)[:3]))
    assert run("verify", log, *trust).exit_code == 0
    for head in (kept, read_line(kept.read_bytes()).sha256):
        cut = run("verify", log, *trust, "--head", head)
        assert cut.exit_code == 5
        assert "broken at line 4: the kept head" in cut.output


def test_a_crash_is_told_until_somebody_signs_again(log: Path, newsroom: Newsroom) -> None:
    lines = lines_of(log)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:50])
    result = run("verify", log, "--trust", newsroom.root_file)
    assert result.exit_code == 1
    assert "line 6 is a piece of one" in result.output
    assert run("sign", log).exit_code == 0
    result = run("verify", log, "--trust", newsroom.root_file)
    assert result.exit_code == 0
    assert "1 pieces of lines that crashes left are kept" in result.output
    assert "1 times a program found unsigned lines" in result.output


def test_foreign_text_is_escaped(log: Path, tmp_path: Path) -> None:
    assert "\x1b" not in run("decide", log, "ab" * 32, "--decision", "a\x1b[31m", "--who", "A", "--why", "b").output
    stranger = Newsroom(tmp_path / "stranger", "Ev\x1b[31mil")
    other = tmp_path / "other\x1b.jsonl"
    assert "\x1b" not in run("begin", other, "--signer", f"pem:{stranger.key}", "--chain", stranger.chain).output
    shown = run("verify", other).output
    assert "\x1b" not in shown
    assert "Ev\\x1b[31mil" in shown


def test_names_of_files_beside_the_command_are_written_whole(newsroom: Newsroom, tmp_path: Path, monkeypatch) -> None:
    """A later command may run in another folder."""
    monkeypatch.chdir(newsroom.key.parent)
    arguments = ("--signer", f"pem:{newsroom.key.name}", "--chain", newsroom.chain.name)
    assert run("begin", tmp_path / "a.jsonl", *arguments).exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert run("sign", tmp_path / "a.jsonl").exit_code == 0


def test_wrong_requests_are_refused(log: Path, newsroom: Newsroom, tmp_path: Path) -> None:
    assert isinstance(run("begin", log).exception, UsageError)
    for arguments in (("--signer", "pem:x"), ("--chain", newsroom.chain), ("--algorithm", "ps256")):
        assert isinstance(run("begin", tmp_path / "fresh", *arguments).exception, UsageError)
    for minutes in ("inf", "nan"):
        assert isinstance(run("begin", tmp_path / "fresh", "--every-minutes", minutes).exception, ConfigError)
    gone = run("begin", tmp_path / "fresh", "--signer", "pem:gone", "--chain", newsroom.chain)
    assert isinstance(gone.exception, SealError)
    assert not list(tmp_path.glob("fresh*"))
    assert isinstance(run("sign", tmp_path / "gone").exception, MissingFileError)
    assert isinstance(run("verify", log, "--head", tmp_path / "gone").exception, MissingFileError)
