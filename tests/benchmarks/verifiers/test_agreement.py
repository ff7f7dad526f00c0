"""A small part of the measurement through the real command: what three verifiers say, and what is written of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from benchmarks.commands.verifiers import verifiers as command
from benchmarks.rows.verifiers import VERIFIERS
from benchmarks.verifiers.agreement import AgreementConfig
from provenance.formats.containers import FORMATS
from sfumato.errors import MissingPartError, UsageError

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "result.schema.json"
ASKED = ("jpg", "mp4 with sidecar"), ("P-256", "Ed25519", "RSA")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, list[dict[str, str]]]:
    """What the command gave for two formats and three kinds of key, and the lines that it wrote."""
    pytest.importorskip("encypher_c2pa", reason="needs encypher-c2pa (pip install -e '.[dev]')")
    out = tmp_path_factory.mktemp("record") / "verifiers.jsonl"
    formats, keys = (
        [word for name in names for word in (option, name)]
        for option, names in zip(("--format", "--key"), ASKED, strict=True)
    )
    result = CliRunner().invoke(command, [*formats, *keys, "-o", str(out)], standalone_mode=False)
    return result, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_every_file_is_put_to_every_verifier(asked: tuple[Result, list[dict[str, str]]]) -> None:
    every = [(name, key, verifier) for name in ASKED[0] for key in ASKED[1] for verifier in VERIFIERS]
    assert [(line["format"], line["key"], line["verifier"]) for line in asked[1]] == every


def test_all_trust_what_is_whole_and_none_what_is_changed(asked: tuple[Result, list[dict[str, str]]]) -> None:
    assert {(line["whole"], line["changed"]) for line in asked[1]} == {("trusted", "invalid")}
    assert asked[0].return_value == 0


def test_every_line_fits_the_schema(asked: tuple[Result, list[dict[str, str]]]) -> None:
    check = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [line for line in asked[1] if not check.is_valid(line)] == []


def test_the_table_is_printed(asked: tuple[Result, list[dict[str, str]]]) -> None:
    assert "| jpg | all three | all three | all three |" in asked[0].stdout


def test_a_name_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="no kind of key 'RSB'"):
        AgreementConfig(keys=("RSB",))


def test_every_suffix_is_asked_about_unless_told_otherwise() -> None:
    assert {suffix[1:] for suffix in FORMATS} <= set(AgreementConfig().formats)


def test_without_the_other_verifier_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "encypher_c2pa", None)
    with pytest.raises(MissingPartError) as refused:
        CliRunner().invoke(command, ["--format", "jpg"], standalone_mode=False, catch_exceptions=False)
    assert "pip install -e '.[dev]'" in refused.value.advice
