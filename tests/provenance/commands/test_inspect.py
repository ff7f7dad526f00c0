"""`sfumato inspect`: the whole tree for people and as JSON, ingredients nested, no word about trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance.commands.inspect import inspect
from provenance.manifests.codes import MEANINGS, meaning
from provenance.verifying.tree import read_tree
from sfumato.errors import MediaError


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(inspect, [str(argument) for argument in arguments])


def test_people_see_assertions_signature_and_checks(sealed: Path) -> None:
    lines = [line.strip() for line in _run(sealed).output.splitlines()]
    assert any(line.startswith("title: Mona Lisa, calm") for line in lines)
    assert any(line.startswith("assertion: org.sfumato.generation (") and "zakharov2019-warp" in line for line in lines)
    assert any(line.startswith("signed by: ") and "sfumato development signer with es256" in line for line in lines)
    assert "held: claimSignature.validated: the signature fits the claim" in lines
    assert any(line.startswith("ingredient: portrait [inputTo, image/jpeg]: no credential") for line in lines)
    assert not any("trusted" in line and "nobody trusted" not in line for line in lines)


def test_json_holds_the_same(sealed: Path) -> None:
    result = _run(sealed, "--json")
    assert result.exit_code == 0
    record = json.loads(result.output)
    assert record["schema_version"] == 1
    by_label = {assertion["label"]: assertion for assertion in record["active"]["assertions"]}
    assert by_label["org.sfumato.generation"]["data"]["seed"] == 7
    assert by_label["org.sfumato.generation"]["created"] is True
    assert all(assertion["size"] > 0 for assertion in by_label.values())
    assert sum(assertion["size"] for assertion in by_label.values()) < record["active"]["size"]
    assert record["active"]["claim_version"] == 2


def test_ingredients_nest(
    sealed: Path, sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path
) -> None:
    film = sign_anything(tmp_path / "film.mp4", {"title": "collage", "assertions": [created]}, ingredient=sealed)
    tree = read_tree(film)
    (below,) = tree.active.ingredients
    assert (tree.active.title, below.title, below.state) == ("collage", "sealed.mp4", "valid")
    assert below.manifest is not None
    assert (below.manifest.title, below.manifest.ingredients[0].title) == ("Mona Lisa, calm", "portrait")
    lines = _run(film).output.splitlines()
    depths = {
        name: next(len(line) - len(line.lstrip()) for line in lines if f"title: {name}" in line)
        for name in ("collage", "Mona Lisa")
    }
    assert depths["Mona Lisa"] > depths["collage"]


def test_a_bad_ingredient_is_shown(
    sealed: Path,
    sign_anything: Callable[..., Path],
    created: dict[str, Any],
    tmp_path: Path,
    flip_media_byte: Callable[[Path, Path], Path],
) -> None:
    bad = flip_media_byte(sealed, tmp_path / "bad.mp4")
    film = sign_anything(tmp_path / "film.mp4", {"assertions": [created]}, ingredient=bad)
    assert [(each.state, each.codes) for each in read_tree(film).active.ingredients] == [
        ("invalid", ("assertion.bmffHash.mismatch",))
    ]
    assert "FAILED: assertion.bmffHash.mismatch: the media changed after signing" in _run(film).output


def test_a_changed_manifest_is_shown_as_failed(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "edited.mp4").write_bytes(sealed.read_bytes().replace(b"Mona Lisa, calm", b"Mona Lisa, real"))
    result = _run(tmp_path / "edited.mp4")
    assert (result.exit_code, "FAILED: claimSignature.mismatch" in result.output) == (0, True)


@pytest.mark.parametrize("content", [None, b"", b"no media at all, in many words"])
def test_what_holds_no_credential_is_said_so(unsealed: Path, tmp_path: Path, content: bytes | None) -> None:
    path = unsealed if content is None else tmp_path / "film.mp4"
    if content is not None:
        path.write_bytes(content)
    result = _run(path)
    assert isinstance(result.exception, MediaError)
    assert result.exception.exit_code == 3
    assert isinstance(_run(tmp_path / "gone.mp4").exception, MediaError)


def test_codes_are_explained() -> None:
    assert meaning("assertion.dataHash.mismatch") == "the media changed after signing"
    assert meaning("com.example.thing.mismatch") == "something is not what was signed"
    assert meaning("com.example.thing") == ""
    assert all(text and text[0].islower() and not text.endswith(".") for text in MEANINGS.values())
