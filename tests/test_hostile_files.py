"""Hostile files of many kinds: one answer each, in a few seconds, in less than a gigabyte (docs/limits.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile_files import MEDIA

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MEGABYTES = 5.0, 1000
# What is read in spite of its size, since it is within the limits: a second or more each, so they are tried apart.
LARGE = (
    "grey16-149-megapixels.png",
    "rgb-laced-100-megapixels.png",
    "strip-of-140-megapixels.tif",
    "progressive-100-megapixels.jpg",
    "3000-frames-of-5000-a-side.gif",
)
ANSWERS = {"verify": ("none:", "unreadable:", "invalid:"), "scan": ("error:", "abstain:")}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs processes that copy")


def measure(folder: Path, detector: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """What `tests.hostile_run` says of each file and command, "verify a.png"."""
    for name in names:
        (folder / name).write_bytes(MEDIA[name]())
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_run", str(detector), *(str(folder / name) for name in names)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {f"{each['command']} {each['file']}": each for each in found}


def faults(found: dict[str, dict[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    """Those without an answer, or that took too much."""
    assert found.keys() == {f"{command} {name}" for command in ANSWERS for name in names}
    return {
        key: each
        for key, each in found.items()
        if not each["said"].startswith(ANSWERS[each["command"]])
        or each["signal"]
        or each["seconds"] > SECONDS
        or each["megabytes"] > MEGABYTES
    }


def test_each_file_gets_one_answer_within_bounds(tmp_path: Path, shipped_detector: Path) -> None:
    names = [name for name in MEDIA if name not in LARGE]
    assert faults(measure(tmp_path, shipped_detector, names), names) == {}


@pytest.mark.slow
def test_pictures_of_a_hundred_megapixels_are_read_within_bounds(tmp_path: Path, shipped_detector: Path) -> None:
    found = measure(tmp_path, shipped_detector, list(LARGE))
    assert faults(found, list(LARGE)) == {}
    assert found["scan grey16-149-megapixels.png"]["said"].startswith("abstain: No face")


def test_the_page_names_the_set() -> None:
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    assert f"makes {len(MEDIA)} media files" in page
