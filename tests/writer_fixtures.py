"""A generated video that is written on the spot, every setting of which can be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter
from tests.media_fixtures import FRAMES, HEIGHT, WIDTH, mark_seal, picture

FACTS = GeneratedFacts("A portrait", "zakharov2019", "0" * 64, 7, (), "motion", {"frames": FRAMES})


def writer(path: Path, **changes: Any) -> GeneratedVideoWriter:
    return GeneratedVideoWriter(
        path, **{"width": WIDTH, "height": HEIGHT, "rate": 25, "seal": mark_seal, "facts": FACTS, **changes}
    )


def write(path: Path, frames: int = FRAMES, times: list[float] | None = None, **changes: Any) -> Path:
    with writer(path, **changes) as video:
        for index in range(frames):
            video.write(picture(index), times[index] if times else None)
    return path
