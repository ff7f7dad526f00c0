"""Killed at any moment, the program leaves no frame that plays and says nothing of itself; the next run tidies up.

A few kills by default. `SFUMATO_KILLS=200` kills as often, and kills `animate` too; with SFUMATO_KILLS_WIDTH=960,
SFUMATO_KILLS_HEIGHT=720 and SFUMATO_KILLS_FRAMES=120 the video is one of 100 MB, sealed in pieces without a lowered
threshold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KILLS = int(os.environ.get("SFUMATO_KILLS", "0"))
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children made by fork")


def killed(work: str, folder: Path, kills: int) -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SFUMATO_KEYS": str(folder / "keys"),
        "SFUMATO_REPOSITORY": str(folder / "repository.sqlite3"),
    }
    command = [sys.executable, "-m", "tests.provenance.kill_driver", work, str(folder), str(kills)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(found)
    return found


def require_tidy(found: dict[str, Any]) -> None:
    assert found["exposed"] == []
    assert (found["first"], found["last"], found["left"], found["outcome"]) == (0, 0, ["out/gen.mp4"], "untrusted")
    assert found["killed"] > 0


def test_sealing_that_is_killed(tmp_path: Path) -> None:
    require_tidy(killed("seal", tmp_path, KILLS or 5))


@pytest.mark.skipif(not KILLS, reason="takes minutes: SFUMATO_KILLS=200")
def test_animate_that_is_killed(tmp_path: Path) -> None:
    require_tidy(killed("animate", tmp_path, KILLS))
