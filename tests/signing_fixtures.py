"""A clip that carries its credential, and what a command printed, as the JSON that it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provenance.signing.seal import C2paSeal
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter
from tests.media_fixtures import picture


def json_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def seal_video(path: Path, frames: int = 20) -> Path:
    facts = GeneratedFacts("toy", "toy", "a" * 64, 0, (), "b" * 64)
    with GeneratedVideoWriter(path, width=64, height=48, rate=10, seal=C2paSeal(), facts=facts) as video:
        for index in range(frames):
            video.write(picture(index))
    return path
