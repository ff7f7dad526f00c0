"""What streams declare: words and numbers that a rule may go by."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato.app.sets.check.looking.container import stream_facts
from sfumato.errors import MediaError
from tests.media_fixtures import make_sound, make_video


def test_without_and_with_sound(tmp_path: Path) -> None:
    silent = stream_facts(make_video(tmp_path / "a.mp4", options={"g": "5"}))
    assert (silent["pixels"], silent["profile"], silent["keyframes"]) == ("yuv420p", "High", 4)
    assert "loudness" not in silent
    loud = stream_facts(make_video(tmp_path / "b.mp4", sound="aac"))
    assert (loud["sound_codec"], loud["sound_rate"], loud["sound_layout"]) == ("aac", 44100, "mono")
    assert loud["loudness"] == pytest.approx(120 - 15.25, abs=0.5)  # a sine of 8000 / 32768: -12.25 dB, less 3


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        stream_facts(make_sound(tmp_path / "a.m4a"))
