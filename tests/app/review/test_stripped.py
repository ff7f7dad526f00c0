"""The stripped copy: the same clip without its credential, gone afterwards."""

from pathlib import Path

import numpy as np
import pytest

from provenance.verifying.verify import verify
from sfumato.app.review.stripped import judge_without_credential
from sfumato.media.video import VideoReader
from tests.signing_fixtures import seal_video


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
