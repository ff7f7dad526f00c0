"""What is no file, or far more than one: every command that takes files says so in one line, and waits for nobody."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sfumato.app.cli.main import main
from tests.portrait_fixtures import make_checkpoint, make_motion

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
PIPE = "PIPE"
COMMANDS = [
    ["animate", PIPE, "--motion", "NOD", "-o", "OUT.mp4", "--consent", "a test", "--checkpoint", "NET"],
    ["animate", "mona-lisa", "--motion", PIPE, "-o", "OUT.mp4", "--checkpoint", "NET"],
    ["animate", "mona-lisa", "--motion", "NOD", "-o", "OUT.mp4", "--checkpoint", PIPE],
    ["learn", PIPE, "-o", "OUT.person", "--consent", "a test", "--checkpoint", "NET"],
    ["motion", PIPE, "-o", "OUT.motion"],
    ["sign", PIPE, "--kind", "edited", "-o", "OUT.mp4"],
    ["inspect", PIPE],
    ["recover", PIPE],
    ["verify", "--trust", PIPE, "FILE"],
    ["verify", "--trust-list", PIPE, "FILE"],
    ["verify", "--policy", PIPE, "FILE"],
    ["verify", "--sidecar", PIPE, "FILE"],
    ["fakes", PIPE, "--kind", "reenact", "-o", "OUT"],
    ["train", "detector", PIPE, "-o", "OUT"],
    ["train", "generator", PIPE, "-o", "OUT"],
    ["train", "autoencoder", PIPE, "-o", "OUT.safetensors"],
    ["train", "detector", "FILE", "-o", "OUT", "--config", PIPE],
    ["evaluate", PIPE],
    ["export", "generator", PIPE, "-o", "OUT.onnx"],
    ["bench", "detection", PIPE],
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    os.mkfifo(folder / "pipe")
    (folder / "a.mp4").write_text("no video")
    make_checkpoint(folder / "net.safetensors")
    make_motion(folder / "nod.motion", frames=2)
    return folder


def words(line: list[str], place: Path, pipe: str) -> list[str]:
    named = {PIPE: pipe, "NOD": place / "nod.motion", "NET": place / "net.safetensors", "FILE": place / "a.mp4"}
    return [str(named.get(word, place / word if word.startswith("OUT") else word)) for word in line]


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: " ".join(word for word in line if "OUT" not in word))
@pytest.mark.parametrize("pipe", ["a pipe", "/dev/zero"])
def test_a_pipe_is_refused_in_one_line(line: list[str], pipe: str, place: Path, capfd: Any) -> None:
    named = str(place / "pipe") if pipe == "a pipe" else pipe
    code = main(words(line, place, named))
    errors = [said for said in capfd.readouterr().err.splitlines() if said.startswith("Error: ")]
    assert code not in (0, 70), errors
    assert len(errors) == 1


def test_judges_give_a_record_of_it_and_go_on(place: Path, shipped_detector: Path, capfd: Any) -> None:
    (place / "link.mp4").symlink_to(place / "pipe")
    for command in (["verify"], ["scan", "--model", str(shipped_detector)]):
        assert (
            main([*command, "--json", str(place / "pipe"), "/dev/zero", str(place / "link.mp4"), str(place / "a.mp4")])
            == 3
        )
        records = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert len(records) == 4
        assert {record.get("outcome", record.get("status")) for record in records} <= {"unreadable", "error"}


def test_in_a_folder_it_is_passed_over(tmp_path: Path, shipped_detector: Path, capfd: Any) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "a.mp4").write_text("no video")
    assert main(["scan", "--json", "--model", str(shipped_detector), str(tmp_path)]) == 3
    shown = capfd.readouterr()
    assert len(shown.out.splitlines()) == 1
    assert "1 not a regular file" in shown.err
