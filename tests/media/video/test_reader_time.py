"""Time in files as they are: joined, late, slow, with ticks that have no picture, with several streams."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sfumato.media.video import VideoReader
from tests.media_fixtures import WIDTH, make_video, picture
from tests.sound_fixtures import joined, make_beeping


def times_of(path: Path) -> tuple[list[float], VideoReader]:
    with VideoReader(path) as video:
        return [frame.time for frame in video], video


WRAP = 2**33 / 90_000  # seconds after which the clock of an MPEG stream begins anew


@pytest.mark.parametrize(
    ("suffix", "starts"),
    [
        ("ts", (0, 1000)),
        ("ts", (1000, 0)),
        ("ts", (0, 0)),
        ("ts", (0, 500, 20)),
        ("ts", (WRAP - 50, 3)),
        ("mpg", (0, 500)),
    ],
)
def test_a_joined_recording_goes_on_where_its_clock_jumps(
    tmp_path: Path, suffix: str, starts: tuple[float, ...]
) -> None:
    kind = {"codec": "mpeg2video", "sound": "mp2"} if suffix == "mpg" else {}
    parts = [make_beeping(tmp_path / f"{i}.{suffix}", 1, start=start, **kind) for i, start in enumerate(starts)]
    found, video = times_of(joined(tmp_path / f"all.{suffix}", *parts))
    assert found == pytest.approx([i / 25 for i in range(25 * len(starts))], abs=0.002)
    assert video.clock_jumps == len(starts) - 1
    assert "jumps" in " ".join(video.remarks())


def test_parts_that_overlap_by_a_few_frames_are_whole(tmp_path: Path) -> None:
    parts = [make_beeping(tmp_path / "a.ts", 1), make_beeping(tmp_path / "b.ts", 1, start=0.9)]
    found, _ = times_of(joined(tmp_path / "all.ts", *parts))
    assert found == pytest.approx([i / 25 for i in range(50)], abs=0.002)


def test_a_clock_that_runs_over_goes_on(tmp_path: Path) -> None:
    found, video = times_of(make_beeping(tmp_path / "a.ts", 3, start=WRAP - 2.9))
    assert found == pytest.approx([i / 25 for i in range(75)], abs=0.002)
    assert not video.truncated


def test_a_gap_is_held(tmp_path: Path) -> None:
    parts = [make_beeping(tmp_path / "a.ts", 1), make_beeping(tmp_path / "b.ts", 1, start=5)]
    found, video = times_of(joined(tmp_path / "all.ts", *parts))
    assert found[25] - found[24] == pytest.approx(4.04, abs=0.1)
    assert video.clock_jumps == 0


@pytest.mark.parametrize("rate", [Fraction(1, 10), Fraction(1), Fraction(1000)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_slow_and_fast_clips_keep_their_rate(tmp_path: Path, name: str, rate: Fraction) -> None:
    found, video = times_of(make_video(tmp_path / name, rate=float(rate), frames=5))
    assert found == pytest.approx([float(i / rate) for i in range(5)], abs=0.0011)
    assert (video.clock_jumps, video.truncated) == (0, False)


@pytest.mark.parametrize("bframes", ["0", "2"])
def test_an_avi_whose_second_tick_is_always_empty(tmp_path: Path, bframes: str) -> None:
    """As H.264 with interlaced ticks is stored: the header says 50 a second, a packet comes at every other tick."""
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=50, options={"bf": bframes})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(100):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = 2 * index, Fraction(1, 50)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found, video = times_of(path)
    assert found == pytest.approx([i / 25 for i in range(100)], abs=0.001)
    assert (video.info.rate, video.info.declared_frames, video.truncated) == (pytest.approx(25, rel=0.02), 100, False)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.flv", "a.ts"])
def test_a_video_that_starts_late_is_not_cut_off(tmp_path: Path, name: str) -> None:
    found, video = times_of(make_beeping(tmp_path / name, 2, late_video=1.5, sample_rate=44_100))
    assert (len(found), found[-1]) == (50, pytest.approx(1.96, abs=0.002))
    assert not video.truncated
    assert video.info.start == pytest.approx(1.5, abs=0.15)
    assert video.info.duration in (None, pytest.approx(2, abs=0.05))


def test_the_default_video_is_read_not_a_still_before_it(tmp_path: Path) -> None:
    found, video = times_of(make_beeping(tmp_path / "a.mkv", 1, still=True, late_video=0.5))
    assert (len(found), video.info.codec, video.info.width) == (25, "h264", WIDTH)
    assert video.info.start == pytest.approx(0.5, abs=0.01)


def test_a_video_of_one_picture(tmp_path: Path) -> None:
    found, video = times_of(make_beeping(tmp_path / "a.mp4", 0.04))
    assert found == [0.0]
    assert not video.truncated


def test_frames_of_a_joined_recording_are_counted_not_guessed(tmp_path: Path) -> None:
    parts = [make_beeping(tmp_path / "a.ts", 1), make_beeping(tmp_path / "b.ts", 1, start=1000)]
    with VideoReader(joined(tmp_path / "all.ts", *parts)) as video:
        assert video.count_frames() == 50


def test_frames_whose_stamps_are_used_twice_stay_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index in range(20):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture(index)), format="rgb24")
            frame = frame.reformat(format="yuvj420p")
            frame.pts = index
            for packet in stream.encode(frame):
                packet.pts = packet.dts = index - index % 2
                container.mux(packet)
    found, video = times_of(path)
    assert len(found) == 20
    assert found[::2] == pytest.approx([i * 0.08 for i in range(10)], abs=0.002)
    assert video.clock_jumps == 0
