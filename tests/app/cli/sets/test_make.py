"""The command: it says what was made and how fast, and asks for rights before anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest

from sfumato.app.cli.main import main
from sfumato.app.sets.making import make_set as made
from tests.app.sets.making.test_make_set import drawn

RECIPE = """
name = "paintings"
description = "Three paintings."
version = "1"
licence = "CC0-1.0"
frames = 3
sizes = [64]
candidates = 2
[[sources]]
portraits = ["mona-lisa", "la-velata", "lady-agnew"]
[[fakes]]
kind = "swap"
pairs = 2
"""


def stopped(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def run(*arguments: object) -> int:
    return main(["datasets", "make", *map(str, arguments)])


def test_a_set_is_made_told_and_verified(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    with drawn():
        assert run(tmp_path / "recipe.toml", "-o", tmp_path / "SET", "--timings", tmp_path / "t.json") == 0
    told = capfd.readouterr()
    assert told.out.strip() == str(tmp_path / "SET")
    assert "Making pairs: 2" in told.err
    assert f"digest {json.loads((tmp_path / 'SET' / 'set.json').read_text())['digest']}" in told.err
    values = json.loads((tmp_path / "t.json").read_text())
    assert (values["clips"], values["workers"], set(values["shares"])) == (4, 1, {"render", "encode", "seal"})
    assert main(["verify", str(tmp_path / "SET")]) == 1  # by a development key
    out = capfd.readouterr().out
    assert "9 files are as their sums say" in out
    assert "clips.jsonl" not in out
    assert run(tmp_path / "recipe.toml", "-o", tmp_path / "SET") == 0
    assert "whole already" in capfd.readouterr().err


def test_a_call_that_only_had_the_end_to_do_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    call = (tmp_path / "recipe.toml", "-o", tmp_path / "SET", "--timings", tmp_path / "t.json")
    with drawn(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_finish", stopped)
        assert run(*call) != 0
    capfd.readouterr()
    assert main(["datasets", "check", str(tmp_path / "SET")]) == 3
    assert "once `sfumato datasets make` is through" in capfd.readouterr().err
    assert main(["datasets", "write", str(tmp_path / "SET"), "-o", str(tmp_path / "OUT"), "--as", "parquet"]) == 3
    assert "make the same call again first" in capfd.readouterr().err
    with drawn():
        assert run(*call) == 0
    told = capfd.readouterr().err
    assert "All pairs were made before; the set was finished" in told
    assert "an hour" not in told
    assert json.loads((tmp_path / "t.json").read_text())["clips"] == 0


def test_footage_without_rights_makes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = RECIPE.replace('portraits = ["mona-lisa", "la-velata", "lady-agnew"]', 'clips = "clips.jsonl"')
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    assert run(tmp_path / "recipe.toml", "-o", tmp_path / "SET") == 2
    assert "names no record of rights" in capfd.readouterr().err
    assert not (tmp_path / "SET").exists()


def test_a_folder_of_other_things_is_not_filled(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "SET").mkdir()
    (tmp_path / "SET" / "thesis.tex").write_text("all my work")
    assert run(tmp_path / "recipe.toml", "-o", tmp_path / "SET") == 2
    assert "thesis.tex" in capfd.readouterr().err
