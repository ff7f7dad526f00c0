"""The sound of another file in a generated video: copied, cut to its length, or refused."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from sfumato.errors import MediaError
from sfumato.media.video import VideoReader
from tests.media_fixtures import make_sound, make_video
from tests.writer_fixtures import write, writer

pytestmark = pytest.mark.usefixtures("own_temporary_folder")


def sound_of(path: Path) -> tuple[str, float, float]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        samples = np.concatenate([frame.to_ndarray().reshape(-1).astype(float) for frame in container.decode(stream)])
        crossings = np.count_nonzero(np.diff(np.signbit(samples[len(samples) // 4 : -len(samples) // 4])))
        return stream.codec_context.name, len(samples) / stream.rate, crossings / (len(samples) / 2 / stream.rate) / 2


@pytest.mark.parametrize(
    ("name", "codec", "result"),
    [
        ("a.mp4", "aac", "aac"),
        ("a.mkv", "libmp3lame", "mp3float"),
        ("a.mkv", "pcm_s16le", "aac"),
        ("a.mpg", "mp2", "aac"),
        ("a.ts", "aac", "aac"),
    ],
)
def test_sound_is_copied_and_cut_to_the_video(tmp_path: Path, name: str, codec: str, result: str) -> None:
    source = make_video(
        tmp_path / name, codec="mpeg2video" if name == "a.mpg" else "libx264", rate=25, frames=75, sound=codec
    )
    got, seconds, pitch = sound_of(write(tmp_path / "out.mp4", frames=50, audio_from=source))
    assert got in (result, "mp3")
    assert seconds == pytest.approx(2, abs=0.06)
    assert pitch == pytest.approx(440, rel=0.02)
    with VideoReader(tmp_path / "out.mp4") as video:
        assert len(list(video)) == 50


def test_sound_shorter_than_the_video_and_sound_alone(tmp_path: Path) -> None:
    assert sound_of(write(tmp_path / "out.mp4", frames=50, audio_from=make_sound(tmp_path / "a.m4a", 1)))[
        1
    ] == pytest.approx(1, abs=0.06)
    wav = make_sound(tmp_path / "a.wav", 1, "pcm_s16le")
    assert sound_of(write(tmp_path / "out.mp4", frames=50, audio_from=wav))[1] == pytest.approx(1, abs=0.06)


def test_a_source_without_sound_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="has no sound"):
        write(tmp_path / "out.mp4", audio_from=make_video(tmp_path / "mute.mp4"))
    with pytest.raises(MediaError, match="does not exist"):
        writer(tmp_path / "out.mp4", audio_from=tmp_path / "none.mp4")
    assert not (tmp_path / "out.mp4").exists()
