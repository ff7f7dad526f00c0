"""The stripped copy: the same clip without its credential, gone afterwards."""

from pathlib import Path

import numpy as np
import pytest

from provenance.signing.seal import C2paSeal
from provenance.verifying.verify import verify
from sfumato.app.review.stripped import judge_without_credential
from sfumato.media.video import GeneratedFacts, GeneratedVideoWriter, VideoReader
from tests.media_fixtures import picture


def seal_video(path: Path, frames: int = 20) -> Path:
    facts = GeneratedFacts("toy", "toy", "a" * 64, 0, (), "b" * 64)
    with GeneratedVideoWriter(path, width=64, height=48, rate=10, seal=C2paSeal(), facts=facts) as video:
        for index in range(frames):
            video.write(picture(index))
    return path


def test_stripped_copy_is_the_same_clip_without_credential(tmp_path) -> None:
    sealed = seal_video(tmp_path / "a.mp4", frames=8)
    seen: list[Path] = []

    def look(copy: Path) -> str:
        seen.append(copy)
        with VideoReader(copy) as video, VideoReader(sealed) as original:
            for ours, theirs in zip(video, original, strict=True):
                assert ours.time == pytest.approx(theirs.time, abs=1e-3)
                assert np.abs(ours.image.astype(int) - theirs.image).mean() < 12
        return verify(copy).outcome

    assert judge_without_credential(sealed, look) == "none"
    assert not seen[0].exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
