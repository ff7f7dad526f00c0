"""A small clips.jsonl of pairs, for the benchmarks of the detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.attacks.reencoding import encode
from sfumato.media.clips import ClipRow, file_digest, write_clips
from tests.portrait_fixtures import portrait_picture

PEOPLE = 3  # of each split


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people a split, each with a real video of one painting and a fake of it, which is the same more strongly
    compressed.
    """
    folder = tmp_path_factory.mktemp("set")
    picture, rows = portrait_picture(200), []
    width, height = picture.shape[1] // 2 * 2, 200
    for number, split in enumerate(("validation", "test")):
        for person in range(PEOPLE * number, PEOPLE * (number + 1)):
            for label, crf in (("real", 10), ("fake", 30)):
                name = f"{label}{person}.mp4"
                encode(
                    folder / name,
                    [(np.roll(picture, person + i, axis=1)[:height, :width], i / 25) for i in range(6)],
                    crf,
                    25,
                )
                fake = label == "fake"
                rows.append(ClipRow(
                    path=name, label=label, method=("landmark-warp", "swap-alpha")[person % 2] if fake else "twin",
                    family="reenact" if fake else "real", identity=f"p{person}", sha256=file_digest(folder / name),
                    pair_of=f"real{person}.mp4" if fake else None, split=split,
                ))  # type: ignore[arg-type]  # fmt: skip
    write_clips(folder / "clips.jsonl", rows)
    return folder / "clips.jsonl"
