"""The sound of another file in a generated video: copied, cut to its length, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from sfumato.errors import MediaError
from sfumato.media.video import VideoReader
from tests.media_fixtures import make_sound, make_video
from tests.sound_fixtures import beeps_of, joined, make_beeping
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


def follow(path: Path, source: Path) -> list[float]:
    """Writes a video that is as long as `source`, with its sound, and says when it beeps."""
    with VideoReader(source) as video:
        times = [frame.time for frame in video]
    return beeps_of(write(path, frames=len(times), times=times, audio_from=source))


def test_the_default_sound_is_taken(tmp_path: Path) -> None:
    source = make_beeping(tmp_path / "a.mp4", 2, other_sound=True)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0, 1], abs=0.03)


CHANNEL_ORDERS = [
    ("5.1", 122 << 16 | 6),  # tags of QuickTime: MPEG 5.1 B and D, 7.1 A to C, Emagic 7.1, hexagonal, octagonal, a cube
    ("5.1", 124 << 16 | 6),
    ("5.1", 110 << 16 | 6),
    ("7.1", 126 << 16 | 8),
    ("7.1", 127 << 16 | 8),
    ("7.1", 128 << 16 | 8),
    ("7.1", 129 << 16 | 8),
    ("7.1", 111 << 16 | 8),
    ("7.1", 112 << 16 | 8),
]


@pytest.mark.parametrize(("layout", "tag"), CHANNEL_ORDERS)
def test_an_order_of_channels_of_the_files_own_is_mixed(tmp_path: Path, layout: str, tag: int) -> None:
    source = make_beeping(tmp_path / "a.mov", 1.2, sound="pcm_s16le", layout=layout, sample_rate=8000)
    data = bytearray(source.read_bytes())
    place = data.index(b"chan") + 8
    data[place : place + 4] = tag.to_bytes(4, "big")
    source.write_bytes(bytes(data))
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0, 1], abs=0.03)


@pytest.mark.parametrize(
    ("name", "sound", "layout", "rate"),
    [
        ("a.mov", "pcm_s16le", "hexadecagonal", 8000),
        ("a.mov", "pcm_s16le", "ambisonic 1", 8000),
        ("a.mov", "pcm_s16le", "9 channels", 8000),
        ("a.mkv", "pcm_f32le", "5 channels", 11025),
        ("a.mov", "pcm_s16le", "22.2", 8000),
        ("a.avi", "pcm_s16le", "mono", 8000),
        ("a.ts", "ac3", "5.1(side)", 48000),
        ("a.mkv", "flac", "7.1", 48000),
        ("a.mp4", "aac", "5.1", 48000),
    ],
)
def test_sound_of_unusual_channels_is_mixed(tmp_path: Path, name: str, sound: str, layout: str, rate: int) -> None:
    source = make_beeping(tmp_path / name, 1.2, sound=sound, layout=layout, sample_rate=rate)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0, 1], abs=0.03)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"layout": "mono"}),
        ({"layout": "mono"}, {}),
        ({}, {"sample_rate": 32_000}),
        ({"sample_rate": 22_050, "layout": "mono"}, {"layout": "5.1"}),
    ],
)
def test_a_format_that_changes_midway(tmp_path: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    parts = make_beeping(tmp_path / "a.ts", 2, **first), make_beeping(tmp_path / "b.ts", 2, start=2, **second)
    source = joined(tmp_path / "all.ts", *parts)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0, 1, 2, 3], abs=0.045)
    with VideoReader(tmp_path / "out.mp4") as video:
        assert [frame.time for frame in video][-1] == pytest.approx(3.96, abs=0.01)


@pytest.mark.parametrize("starts", [(0, 1000), (1000, 0), (0, 0), (0, 1.9)])
def test_sound_keeps_beside_the_picture_where_the_clock_jumps(tmp_path: Path, starts: tuple[float, float]) -> None:
    parts = [make_beeping(tmp_path / f"{i}.ts", 2, start=start, late_sound=0.3) for i, start in enumerate(starts)]
    source = joined(tmp_path / "all.ts", *parts)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0.3, 1.3, 2.3, 3.3], abs=0.045)


def test_sound_is_in_time_with_a_stream_that_begins_between_key_frames(tmp_path: Path) -> None:
    whole = make_beeping(tmp_path / "whole.ts", 4, key_every=30).read_bytes()
    source = tmp_path / "cut.ts"
    source.write_bytes(whole[len(whole) // 5 // 188 * 188 :])
    with VideoReader(source) as video:
        first = video.info.start
    with av.open(str(tmp_path / "whole.ts")) as container:
        zero = float(container.streams.video[0].start_time * container.streams.video[0].time_base)
    assert 0.2 < first - zero < 3
    expected = [second - (first - zero) for second in range(4) if second > first - zero]
    assert follow(tmp_path / "out.mp4", source)[-len(expected) :] == pytest.approx(expected, abs=0.045)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.flv", "a.ts"])
def test_sound_is_in_time_with_a_video_that_starts_late(tmp_path: Path, name: str) -> None:
    source = make_beeping(tmp_path / name, 3, late_video=0.7, sample_rate=44_100)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0.3, 1.3], abs=0.045)


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
def test_sound_is_in_time_with_the_default_video_of_two(tmp_path: Path, sound: str) -> None:
    source = make_beeping(tmp_path / "a.mkv", 3, late_video=0.7, still=True, sound=sound)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0.3, 1.3], abs=0.045)


@pytest.mark.parametrize(("name", "sound"), [("a.mp4", "aac"), ("a.mkv", "pcm_s16le")])
def test_sound_that_starts_late_stays_late(tmp_path: Path, name: str, sound: str) -> None:
    source = make_beeping(tmp_path / name, 2, late_sound=0.6, sound=sound)
    assert follow(tmp_path / "out.mp4", source) == pytest.approx([0.6, 1.6], abs=0.03)


def test_sound_of_no_channels_is_one_clear_error(tmp_path: Path) -> None:
    wav = make_sound(tmp_path / "a.wav", 1, "pcm_s16le")
    data = bytearray(wav.read_bytes())
    place = data.index(b"fmt ") + 10
    data[place : place + 2] = b"\0\0"
    wav.write_bytes(bytes(data))
    with pytest.raises(MediaError, match=r"no sound|not a video"):
        write(tmp_path / "out.mp4", audio_from=wav)
    assert not (tmp_path / "out.mp4").exists()


def test_sound_that_ends_before_the_picture_begins_is_one_clear_error(tmp_path: Path) -> None:
    source = make_beeping(tmp_path / "a.mkv", 1, late_video=3)
    with pytest.raises(MediaError, match="beside its picture"):
        write(tmp_path / "out.mp4", audio_from=source)
