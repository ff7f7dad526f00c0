"""Answers are the same words for every verifier, and asking leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.rows.verifiers import VERIFIERS
from benchmarks.verifiers.asking import TELEMETRY, Verifier, every_verifier
from benchmarks.verifiers.specimens import formats, write_specimen
from provenance.pki.keys import development_keys


@pytest.fixture
def every(tmp_path: Path) -> list[Verifier]:
    pytest.importorskip("encypher_c2pa", reason="needs encypher-c2pa (pip install -e '.[dev]')")
    return every_verifier(development_keys(tmp_path / "keys").root_pem())


def test_they_are_those_that_a_record_knows(every: list[Verifier]) -> None:
    assert tuple(verifier.name for verifier in every) == VERIFIERS


def test_none_is_what_they_say_of_an_unsigned_file(every: list[Verifier], tmp_path: Path) -> None:
    write_specimen(formats()["png"], tmp_path / "plain.png")
    assert {verifier.ask(tmp_path / "plain.png", "image/png", None).verdict for verifier in every} == {"none"}


def test_what_is_not_read_comes_with_their_own_words(every: list[Verifier], tmp_path: Path) -> None:
    (tmp_path / "notes.xyz").write_text("words")
    answers = [verifier.ask(tmp_path / "notes.xyz", "application/x-notes", None) for verifier in every]
    assert [(answer.verdict, bool(answer.said)) for answer in answers] == [("not read", True)] * 3


@pytest.mark.parametrize("before", ["on", None])
def test_the_users_choice_about_telemetry_stays(
    every: list[Verifier], before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TELEMETRY, raising=False)
    if before is not None:
        monkeypatch.setenv(TELEMETRY, before)
    write_specimen(formats()["png"], tmp_path / "plain.png")
    every[1].ask(tmp_path / "plain.png", "image/png", None)
    assert os.environ.get(TELEMETRY) == before
