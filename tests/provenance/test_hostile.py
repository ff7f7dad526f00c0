"""Hostile manifests: shown escaped and bounded, or refused; no socket is made, whatever a file names."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance.commands.inspect import inspect
from provenance.commands.verify import verify
from provenance.pki.remote import Remote
from provenance.verifying.verify import verify as verify_file
from tests.provenance.stamping import issue, serve, sign_as, signer

HOSTILE = (
    "\x1b[2J\x1b[31mtrusted\r\n\u202eevil\u2066\u200b\x07<script>alert(1)</script>\x9b31m\u0301\u0301\u0301\u0301\u0301"
)
PROGRAM = Path(__file__).parent / "seccomp.py"
linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="needs seccomp, which only Linux has",
)


def _hostile_manifest(text: str, created: dict[str, Any]) -> dict[str, Any]:
    actions = json.loads(json.dumps(created))
    actions["data"]["actions"][0] |= {"when": text, "reason": text, "parameters": {text[:200]: text}}
    facts = {
        "label": "org.sfumato.generation",
        "data": {"model_name": text, "seed": text, text[:200]: [text, {text[:200]: text}]},
    }
    other = {"label": "org.example.note", "data": {"note": text, text[:100]: 1}}
    return {
        "title": text,
        "claim_generator_info": [{"name": text, "version": text}],
        "assertions": [actions, facts, other],
        "ingredients": [{"title": text, "format": "image/jpeg", "relationship": "componentOf", "description": text}],
    }


def _is_clean(output: str) -> bool:
    return not [character for character in output if not character.isprintable() and character != "\n"]


@pytest.mark.parametrize("command", [verify, inspect], ids=["verify", "inspect"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "json"])
def test_nothing_foreign_steers_a_terminal(
    sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path, command: Any, form: list[str]
) -> None:
    film = sign_anything(tmp_path / "film.mp4", _hostile_manifest(HOSTILE, created))
    output = CliRunner().invoke(command, [str(film), *form]).output
    assert "evil" in output
    assert _is_clean(output)
    assert "\u0301" * 4 not in output
    starts = ("    ", str(tmp_path), "{")
    assert all(line.startswith(starts) for line in output.splitlines())


def _stretched(store: bytes, letter: bytes, size: int) -> bytes:
    """A manifest store in which the text of 100,000 such letters has `size` of them: the library itself signs none so
    long.
    """
    at = store.index(b"\x7a" + (100_000).to_bytes(4, "big") + letter * 100_000)  # CBOR: text, its length in four bytes
    enclosing, position, end = [], 0, len(store)
    while position + 8 <= end:
        box, kind = int.from_bytes(store[position : position + 4], "big"), store[position + 4 : position + 8]
        if position <= at < position + box:
            enclosing.append((position, box))
            if kind != b"jumb":
                break
            position, end = position + 8, position + box
        else:
            position += box
    longer = bytearray(store)
    longer[at + 1 : at + 5 + 100_000] = size.to_bytes(4, "big") + letter * size
    for position, box in enclosing:
        longer[position : position + 4] = (box + size - 100_000).to_bytes(4, "big")
    return bytes(longer)


@pytest.mark.parametrize("command", [verify, inspect], ids=["verify", "inspect"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "json"])
def test_ten_megabytes_of_text_are_cut(
    sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path, command: Any, form: list[str]
) -> None:
    facts = {"label": "org.sfumato.generation", "data": {"model_name": "m" * 100_000}}
    film = sign_anything(
        tmp_path / "film.mp4",
        {"title": "t" * 100_000, "assertions": [created, facts]},
        remote_url="http://example.com/x",
    )
    store = _stretched((tmp_path / "film.mp4.manifest").read_bytes(), b"m", 10_000_000)
    (tmp_path / "film.c2pa").write_bytes(_stretched(store, b"t", 10_000_000))
    start = time.process_time()
    result = CliRunner().invoke(command, [str(film), *form])
    assert time.process_time() - start < 20
    assert "mmmm" in result.output
    assert "characters more" in result.output
    assert len(result.output) < 100_000
    assert result.exit_code == (5 if command is verify else 0)


@pytest.mark.parametrize("command", [verify, inspect], ids=["verify", "inspect"])
@pytest.mark.parametrize("shape", ["dictionaries", "lists", "wide"])
def test_depth_and_width_have_an_end(
    sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path, command: Any, shape: str
) -> None:
    deep: Any = {"leaf": 1}
    for _ in range(100):
        deep = {"in": deep} if shape == "dictionaries" else [deep]
    data = {f"key {number}": [number] * 50 for number in range(3000)} if shape == "wide" else {"in": deep}
    film = sign_anything(
        tmp_path / "film.mp4", {"assertions": [created, {"label": "org.sfumato.generation", "data": data}]}
    )
    result = CliRunner().invoke(command, [str(film), "--json"])
    assert json.loads(result.output)
    assert len(result.output) < 200_000


def test_a_chain_of_ingredients_has_an_end(
    sign_anything: Callable[..., Path], created: dict[str, Any], tmp_path: Path, unsealed: Path
) -> None:
    film = unsealed
    for number in range(12):
        film = sign_anything(
            tmp_path / f"{number}.mp4", {"title": f"layer {number}", "assertions": [created]}, ingredient=film
        )
    found = verify_file(film)
    assert max(ingredient.depth for ingredient in found.ingredients) < 10
    assert CliRunner().invoke(inspect, [str(film)]).exit_code == 0


def _run(what: str, film: Path, root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), what, str(film), str(root)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    if done.returncode == 77:
        pytest.skip("this machine allows no seccomp filter")
    return done


@pytest.fixture
def root_file(root: bytes, tmp_path: Path) -> Path:
    (tmp_path / "root.pem").write_bytes(root)
    return tmp_path / "root.pem"


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    with serve(lambda path, body: (404, {}, b"")) as place:
        yield place


@linux
def test_the_library_left_to_itself_makes_a_socket(
    listener: tuple[str, list[str]],
    sign_anything: Callable[..., Path],
    created: dict[str, Any],
    tmp_path: Path,
    root_file: Path,
) -> None:
    """The control: without it the next test could not fail."""
    film = sign_anything(tmp_path / "film.mp4", {"assertions": [created]}, remote_url=f"{listener[0]}/manifest.c2pa")
    assert _run("library", film, root_file).returncode == -signal.SIGSYS


@linux
@pytest.mark.parametrize("what", ["verify", "inspect"])
@pytest.mark.parametrize("names", ["a manifest", "a responder", "an ingredient"])
def test_no_socket_is_made_whatever_a_file_names(
    listener: tuple[str, list[str]],
    unsealed: Path,
    sign_anything: Callable[..., Path],
    created: dict[str, Any],
    tmp_path: Path,
    root_file: Path,
    what: str,
    names: str,
) -> None:
    address = f"{listener[0]}/x"
    manifest: dict[str, Any] = {"assertions": [created]}
    if names == "a manifest":
        film = sign_anything(tmp_path / "film.mp4", manifest, remote_url=address)
    elif names == "a responder":
        authority = issue("Root", authority=True)
        root_file.write_bytes(authority.pem)
        leaf = signer("Ada", authority, responder=address)
        film = sign_as(leaf, [], unsealed, tmp_path / "film.mp4", manifest)
    else:
        below = sign_anything(tmp_path / "below.mp4", manifest, remote_url=address)
        film = sign_anything(tmp_path / "film.mp4", manifest, ingredient=below)
        assert re.search(rb"127\.0\.0\.1", below.read_bytes())
    done = _run(what, film, root_file)
    assert done.returncode == 0, done.stderr
    assert listener[1] == []
    if what == "verify":
        expected = {"a manifest": "none", "a responder": "trusted", "an ingredient": "trusted"}[names]
        assert json.loads(done.stdout)["outcome"] == expected
        assert json.loads(done.stdout)["remote_manifest"] == (address if names == "a manifest" else None)


def test_a_remote_manifest_is_fetched_from_a_named_host_only(
    sign_anything: Callable[..., Path], created: dict[str, Any], root: bytes, tmp_path: Path
) -> None:
    content: list[bytes] = []
    with serve(lambda path, body: (200, {"Content-Type": "application/c2pa"}, content[0])) as (address, seen):
        film = sign_anything(tmp_path / "film.mp4", {"assertions": [created]}, remote_url=f"{address}/manifest.c2pa")
        content.append((tmp_path / "film.mp4.manifest").read_bytes())
        refused = verify_file(film, [root], remote=Remote(["http://example.com"]))
        assert (refused.outcome, seen) == ("none", [])
        assert "not allowed" in refused.reason
        found = verify_file(film, [root], remote=Remote([address]))
        assert (found.outcome, found.manifest_from, seen) == ("trusted", f"{address}/manifest.c2pa", ["/manifest.c2pa"])
        content[0] = b"no manifest at all"
        assert verify_file(film, [root], remote=Remote([address])).outcome in ("invalid", "none")
