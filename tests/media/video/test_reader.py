"""The streaming reader: times, rotation, damage, truncation, and a clear error for every file that is no video."""

from __future__ import annotations

import os
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sfumato.errors import MediaError
from sfumato.media.images import write_image
from sfumato.media.video import VideoReader
from tests.media_fixtures import FRAMES, HEIGHT, RATE, WIDTH, cut_off, damage, make_sound, make_video, picture


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.ts", "libx264"),
        ("a.webm", "libvpx-vp9"),
        ("a.h264", "libx264"),
    ],
)
def test_every_frame_comes_out_at_its_time(tmp_path: Path, name: str, codec: str) -> None:
    with VideoReader(make_video(tmp_path / name, codec=codec, rate=25)) as video:
        frames = list(video)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(FRAMES)], abs=0.0015)
    assert video.decoded_frames == FRAMES
    assert (video.damaged_packets, video.truncated) == (0, False)
    own = [difference(frame.image, picture(frame.index)) for frame in frames]
    assert max(own) < 12
    assert difference(frames[5].image, picture(9)) > 2 * own[5]


def test_what_the_container_declares(tmp_path: Path) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4", sound="aac")) as video:
        info = video.info
    assert (info.width, info.height, info.rotation) == (WIDTH, HEIGHT, 0)
    assert info.declared_frames == FRAMES
    assert info.duration == pytest.approx(FRAMES / RATE)
    assert info.rate == pytest.approx(RATE)
    assert info.codec == "h264"
    assert "mp4" in info.container
    assert info.has_audio


@pytest.mark.parametrize("bframes", ["0", "3"])
def test_a_variable_rate_is_kept(tmp_path: Path, bframes: str) -> None:
    times = [i * i * 0.01 for i in range(FRAMES)]
    with VideoReader(make_video(tmp_path / "a.mkv", times=times, options={"bf": bframes})) as video:
        assert [frame.time for frame in video] == pytest.approx(times, abs=0.0011)


def test_times_start_at_the_first_frame(tmp_path: Path) -> None:
    times = [5 + i * 0.1 for i in range(FRAMES)]
    with VideoReader(make_video(tmp_path / "a.mkv", times=times)) as video:
        assert [frame.time for frame in video][:2] == pytest.approx([0, 0.1], abs=0.0011)


@pytest.mark.parametrize(("rotation", "turns"), [(90, 3), (180, 2), (270, 1)])
def test_a_phones_rotation_is_applied(tmp_path: Path, rotation: int, turns: int) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4", rotation=rotation)) as video:
        frames = list(video)
    upright = np.rot90(picture(0), turns)
    assert (video.info.height, video.info.width) == frames[0].image.shape[:2] == upright.shape[:2]
    assert video.info.rotation == rotation
    assert difference(frames[0].image, upright) < 12
    assert frames[0].image.flags.c_contiguous


def test_colours_are_right(tmp_path: Path) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), (200, 40, 90), np.uint8)
    with VideoReader(make_video(tmp_path / "a.mp4", images=[flat] * 3, frames=3, options={"crf": "1"})) as video:
        assert np.abs(next(iter(video)).image.astype(int) - flat).max() <= 3


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv422p10le", "gray"])
def test_other_pixel_formats(tmp_path: Path, pixels: str) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4", pixels=pixels)) as video:
        image = next(iter(video)).image
    assert (image.shape, image.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)


def test_pixels_become_square(tmp_path: Path) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4", aspect=Fraction(2, 1))) as video:
        assert next(iter(video)).image.shape == (HEIGHT, 2 * WIDTH, 3)
    with VideoReader(make_video(tmp_path / "b.mp4", aspect=Fraction(100, 1))) as video:
        assert next(iter(video)).image.shape == (HEIGHT, WIDTH, 3)


def test_max_side_downsizes_and_never_enlarges(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", rotation=90)
    with VideoReader(path, max_side=32) as video:
        assert next(iter(video)).image.shape == (32, 24, 3)
        assert (video.info.width, video.info.height) == (24, 32)
    with VideoReader(path, max_side=1000) as video:
        assert next(iter(video)).image.shape == (WIDTH, HEIGHT, 3)


@pytest.mark.parametrize("frames", [1, 3])
def test_short_videos(tmp_path: Path, frames: int) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4", frames=frames)) as video:
        assert len(list(video)) == frames
        assert not video.truncated


def test_reading_twice_starts_again(tmp_path: Path) -> None:
    with VideoReader(
        damage(make_video(tmp_path / "a.mp4", frames=60, options={"g": "10"}), tmp_path / "b.mp4")
    ) as video:
        first = [frame.time for frame in video]
        damaged = video.damaged_packets
        assert [frame.time for frame in video] == first
        assert video.damaged_packets == damaged
    with pytest.raises(ValueError, match="closed"):
        iter(video)


def test_damaged_packets_are_skipped_and_counted(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "a.mp4", frames=60, options={"g": "5"})
    with VideoReader(damage(whole, tmp_path / "b.mp4")) as video:
        times = [frame.time for frame in video]
    assert video.damaged_packets > 0
    assert 60 - video.damaged_packets <= len(times) < 60
    assert times[-1] == pytest.approx(5.9)
    assert times == sorted(set(times))
    assert not video.truncated


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_a_cut_off_video_is_reported_as_truncated(tmp_path: Path, name: str, codec: str) -> None:
    options = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    whole = make_video(tmp_path / name, codec=codec, frames=60, options={"g": "10"}, container_options=options)
    with VideoReader(whole) as video:
        assert len(list(video)) == 60
        assert not video.truncated
    with VideoReader(cut_off(whole, tmp_path / f"cut{whole.suffix}", 0.65)) as video:
        assert 0 < len(list(video)) < 60
        assert video.truncated


def test_stopping_early_is_no_truncation(tmp_path: Path) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4")) as video:
        for frame in video:
            if frame.index == 2:
                break
        assert not video.truncated


def _no_video(folder: Path, fault: str) -> Path:
    path = folder / "a.mp4"
    if fault == "folder":
        return folder
    if fault == "sound only":
        return make_sound(folder / "a.m4a")
    if fault == "cut off before its index":
        return cut_off(make_video(folder / "whole.mp4"), path)
    if fault == "pipe":
        os.mkfifo(path)
    if fault == "picture":
        write_image(folder / "a.png", picture(0))
        (folder / "a.png").rename(path)
    if fault == "frames of noise":
        return damage(make_video(folder / "whole.mkv", codec="ffv1", frames=3), path, start=0.25, stop=0.95)
    if fault == "too wide":
        return make_video(path, width=8194, height=16, frames=1)
    if fault == "unknown codec":
        path.write_bytes(
            make_video(folder / "whole.mp4").read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC")
        )
    contents = {"empty": b"", "text": b"not a video at all\n" * 50, "noise": np.random.default_rng(1).bytes(5000)}
    if fault in contents:
        path.write_bytes(contents[fault])
    return path


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing", "does not exist"),
        ("folder", "is a folder"),
        ("pipe", "not a regular file"),
        ("empty", "0 bytes"),
        ("text", "not a video"),
        ("noise", "not a video"),
        ("picture", "not a video"),
        ("sound only", "sound but no video"),
        ("cut off before its index", "cut off"),
        ("frames of noise", "no frame|not a video"),
        ("too wide", "8194 x 16"),
        ("unknown codec", "unknown kind"),
    ],
)
def test_a_file_that_is_no_video_is_one_clear_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], fault: str, words: str
) -> None:
    path = _no_video(tmp_path, fault)
    capfd.readouterr()
    with pytest.raises(MediaError, match=words) as caught:
        VideoReader(path)
    assert caught.value.advice
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert capfd.readouterr() == ("", "")


PLAYLISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
    "a.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
    "a.ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP "
    "96\na=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_cannot_name_another_file(tmp_path: Path, name: str) -> None:
    target = make_video(tmp_path / "secret.ts")
    (tmp_path / name).write_text(PLAYLISTS[name].format(target=target.name))
    with pytest.raises(MediaError, match="not a video"):
        VideoReader(tmp_path / name)


def test_a_name_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "concat:a|b %03d.mp4"
    make_video(tmp_path / "a.mp4").rename(path)
    monkeypatch.chdir(tmp_path)
    with VideoReader(Path(path.name)) as video:
        assert len(list(video)) == FRAMES


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", frames=120, width=320, height=240)
    tracemalloc.start()
    with VideoReader(path) as video:
        for _ in video:
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 320 * 240 * 3


def test_nonsense_arguments(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    for wrong in ({"max_side": 0}, {"threads": 0}):
        with pytest.raises(ValueError):
            VideoReader(path, **wrong)


@pytest.mark.footage
def test_development_footage_decodes_whole(footage: Path) -> None:
    for path in sorted(footage.iterdir())[::10]:
        with VideoReader(path, max_side=128, threads=2) as video:
            count = sum(1 for _ in video)
        assert (video.damaged_packets, video.truncated) == (0, False), path
        assert count > 20, path
