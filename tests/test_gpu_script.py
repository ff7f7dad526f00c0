"""The script for machines with a GPU, on this one without: a piece of a training from a pack, and files in parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from generator.data.dataset import pack_dataset
from generator.networks.checkpoint import load_checkpoint
from tests.generator.test_commands import TINY
from tests.generator_fixtures import dataset

ROOT = Path(__file__).resolve().parent.parent


def script(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1", **variables}
    call = ["sh", str(ROOT / "configs" / "gpu.sh"), *(str(word) for word in words)]
    return subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_a_generator_is_trained_from_a_pack_piece_by_piece(tmp_path: Path) -> None:
    pack_dataset(dataset(), tmp_path / "a.pack", 32, 24, 90)
    small = [setting for setting in TINY if not setting.startswith("steps=")]
    changes = [*small, "steps=2", "workers=0", "held_out=1", "loss.adversary_from=0", "loss.lite0=0"]
    settings = [word for change in changes for word in ("--set", change)]
    for step in (1, 2):
        done = script("generator", tmp_path / "a.pack", tmp_path / "run", *settings, MINUTES="1e-9")
        assert done.returncode == 0, done.stderr
        assert f"{step} steps on 5 people, 1 held out" in done.stdout
        assert ("50% of the run is done; --resume goes on" in done.stderr) == (step == 1)
    half = tmp_path / "half.safetensors"
    assert script("half", tmp_path / "run" / "model.safetensors", half).returncode == 0
    assert load_checkpoint(half).record["steps"] == 2
    assert half.stat().st_size < 0.7 * (tmp_path / "run" / "model.safetensors").stat().st_size
    options = json.loads((tmp_path / "run" / "options.json").read_text())
    assert (options["config"]["precision"], options["config"]["model"]["family"]) == ("bf16", "zakharov2019")


def test_files_go_in_parts_that_make_the_whole(tmp_path: Path) -> None:
    whole = os.urandom(2**24)
    (tmp_path / "model.safetensors").write_bytes(whole)
    assert script("parts", tmp_path / "model.safetensors", tmp_path / "parts").returncode == 0
    parts = sorted((tmp_path / "parts").iterdir())
    assert [part.name for part in parts] == ["model.safetensors.00", "model.safetensors.01"]
    assert b"".join(part.read_bytes() for part in parts) == whole
    assert max(part.stat().st_size for part in parts) < 2**24


def test_other_words_are_refused() -> None:
    asked = script("teach")
    assert (asked.returncode, asked.stderr) == (2, "check, detector, generator, half or parts, not teach\n")
