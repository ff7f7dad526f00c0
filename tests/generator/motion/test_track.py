"""Motions: files that come back, hostile ones refused, and a tracked face."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file

from generator.motion import track as module
from generator.motion.retarget import canonical_face
from generator.motion.track import (
    FORMAT,
    Motion,
    camera_index,
    find_neutral,
    motion_path,
    read_motion,
    shipped_motions,
    track_video,
    with_neutral,
    write_motion,
)
from sfumato.errors import MediaError, MissingFileError, NoFaceError, OutputError, UsageError
from sfumato.media.landmarks import load_backend
from tests.generator_fixtures import astronaut, close_up, motion, moving
from tests.media_fixtures import make_video
from tests.sound_fixtures import joined

FACE = canonical_face()
Tensors = dict[str, NDArray[np.generic]]
NOBODY = np.full((256, 256, 3), 90, np.uint8)


def track(count: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (FACE + 0.02 * rng.normal(size=(count, 68, 2))).astype(np.float32)


def test_a_motion_comes_back(tmp_path: Path) -> None:
    made = motion(list(track(5)), neutral=3)
    write_motion(tmp_path / "x.motion", made)
    read = read_motion(tmp_path / "x.motion")
    assert np.array_equal(read.landmarks, made.landmarks) and np.array_equal(read.times, made.times)
    assert (read.neutral, read.backend, read.name) == (3, "mesh", "x")
    assert read.depth is None and read.gaze is None


def with_depth_and_gaze(count: int, seed: int = 0) -> Motion:
    rng = np.random.default_rng(seed)
    depth, gaze = (0.1 * rng.normal(size=(count, *shape)).astype(np.float32) for shape in ((68,), (2, 2)))
    return replace(motion(list(track(count))), depth=depth, gaze=gaze)


@pytest.mark.parametrize("left_out", ["", "depth", "gaze"])
def test_depth_and_gaze_come_back(tmp_path: Path, left_out: str) -> None:
    made = with_depth_and_gaze(5)
    made = replace(made, **{left_out: None}) if left_out else made
    write_motion(tmp_path / "x.motion", made)
    read = read_motion(tmp_path / "x.motion")
    for part, other in ((read.depth, made.depth), (read.gaze, made.gaze)):
        assert np.array_equal(part, other) if other is not None else part is None


def write_tensors(path: Path, version: int, tensors: Tensors) -> None:
    facts = json.dumps({"neutral": 0, "backend": "mesh"})
    whole = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    save_file(whole, path, metadata={"format": f"sfumato-motion-{version}", "facts": facts})


def test_a_file_of_the_first_version_has_neither_depth_nor_gaze(tmp_path: Path) -> None:
    points = track(4)
    write_tensors(tmp_path / "x.motion", 1, {"landmarks": points, "times": np.arange(4) / 25, "depth": points[:, :, 0]})
    read = read_motion(tmp_path / "x.motion")
    assert np.array_equal(read.landmarks, points)
    assert read.depth is None and read.gaze is None


@pytest.mark.parametrize("name", ["serene", "cheerful", "eloquent"])
def test_the_shipped_motions_are_read(name: str) -> None:
    shipped = read_motion(motion_path(name))
    assert len(shipped) > 25 and shipped.depth is not None and shipped.gaze is not None


def test_the_same_motion_is_the_same_file(tmp_path: Path) -> None:
    made = with_depth_and_gaze(5)
    for index in range(8):  # the library orders its header by chance
        write_motion(tmp_path / f"{index}.motion", made)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_a_pose_between_two_frames_lies_between_them_in_every_part() -> None:
    made = with_depth_and_gaze(3)
    assert made.depth is not None and made.gaze is not None
    pose, first = made.between(1, 2, 0.25), made.pose(1)
    assert np.allclose(pose.landmarks, 0.75 * made.landmarks[1] + 0.25 * made.landmarks[2])
    assert pose.depth is not None and np.allclose(pose.depth, 0.75 * made.depth[1] + 0.25 * made.depth[2])
    assert pose.gaze is not None and np.allclose(pose.gaze, 0.75 * made.gaze[1] + 0.25 * made.gaze[2])
    assert np.array_equal(first.landmarks, made.landmarks[1]) and np.array_equal(first.gaze, made.gaze[1])


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.motion"):
        write_motion(tmp_path / "x.mp4", motion(list(track(2))))


def test_a_folder_that_does_not_exist_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_motion(tmp_path / "none" / "x.motion", motion(list(track(2))))


@pytest.mark.parametrize("content", [b"", b"no motion", b"\xff" * 100])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.motion").write_bytes(content)
    with pytest.raises(MediaError, match="missing or damaged"):
        read_motion(tmp_path / "x.motion")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="missing or damaged"):
        read_motion(tmp_path / "x.motion")


def longer(tensors: Tensors) -> Tensors:
    count = 200_001
    return {"landmarks": np.zeros((count, 68, 2), np.uint8), "times": np.arange(count) / 25}


def long_depth(tensors: Tensors) -> Tensors:
    return {**tensors, "depth": np.zeros((200_001, 68), np.uint8)}


HOSTILE: dict[str, Callable[[Tensors], Tensors]] = {
    "no landmarks": lambda t: {"times": t["times"]},
    "wrong points": lambda t: {**t, "landmarks": np.zeros((4, 67, 2), np.float32)},
    "flat": lambda t: {**t, "landmarks": np.zeros((4, 136), np.float32)},
    "scalar": lambda t: {**t, "landmarks": np.zeros((), np.float32)},
    "empty": lambda t: {"landmarks": np.zeros((0, 68, 2), np.float32), "times": np.zeros(0)},
    "NaN": lambda t: {**t, "landmarks": np.full((4, 68, 2), np.nan, np.float32)},
    "far away": lambda t: {**t, "landmarks": np.full((4, 68, 2), 1e6, np.float32)},
    "NaN times": lambda t: {**t, "times": np.full(4, np.nan)},
    "times of two axes": lambda t: {**t, "times": np.zeros((4, 1))},
    "backwards": lambda t: {**t, "times": np.arange(4)[::-1] / 25},
    "standing still": lambda t: {**t, "times": np.zeros(4)},
    "too few times": lambda t: {**t, "times": np.arange(3) / 25},
    "for ever": lambda t: {**t, "times": np.array([0, 1, 2, 1e300])},
    "too long": longer,
    "depth of two numbers": lambda t: {**t, "depth": np.zeros((4, 68, 2), np.float32)},
    "depth of too few frames": lambda t: {**t, "depth": np.zeros((3, 68), np.float32)},
    "depth too long": long_depth,
    "NaN depth": lambda t: {**t, "depth": np.full((4, 68), np.nan, np.float32)},
    "deep": lambda t: {**t, "depth": np.full((4, 68), -1e6, np.float32)},
    "endless depth": lambda t: {**t, "depth": np.full((4, 68), 1e300)},
    "scalar depth": lambda t: {**t, "depth": np.zeros((), np.float32)},
    "gaze of one eye": lambda t: {**t, "gaze": np.zeros((4, 1, 2), np.float32)},
    "gaze of too few frames": lambda t: {**t, "gaze": np.zeros((3, 2, 2), np.float32)},
    "NaN gaze": lambda t: {**t, "gaze": np.full((4, 2, 2), np.nan, np.float32)},
    "gaze out of the head": lambda t: {**t, "gaze": np.full((4, 2, 2), 3.0, np.float32)},
}  # fmt: skip


@pytest.mark.parametrize("fault", HOSTILE)
def test_hostile_numbers_are_refused(tmp_path: Path, fault: str) -> None:
    good: Tensors = {"landmarks": track(4), "times": np.arange(4) / 25}
    write_tensors(tmp_path / "x.motion", 2, HOSTILE[fault](good))
    with pytest.raises(MediaError, match="motion"):
        read_motion(tmp_path / "x.motion")


@pytest.mark.parametrize(
    "facts",
    ["", "{", "[]", "{}", '{"neutral": 9, "backend": "mesh"}', '{"neutral": 1e999, "backend": ""}', "[" * 9000, "null"],
)
def test_hostile_facts_are_refused(tmp_path: Path, facts: str) -> None:
    save_file(
        {"landmarks": track(4), "times": np.arange(4) / 25},
        tmp_path / "x.motion",
        metadata={"format": FORMAT, "facts": facts},
    )
    with pytest.raises(MediaError):
        read_motion(tmp_path / "x.motion")


def test_another_format_is_refused(tmp_path: Path) -> None:
    save_file({"landmarks": track(4)}, tmp_path / "x.motion", metadata={"format": "sfumato-motion-9"})
    with pytest.raises(MediaError, match="version"):
        read_motion(tmp_path / "x.motion")


def test_the_neutral_frame_can_be_chosen() -> None:
    made = motion(list(track(5)))
    assert with_neutral(made, 0.09).neutral == 2
    assert with_neutral(made, 0.16).neutral == 4
    for seconds in (-0.1, 0.3):
        with pytest.raises(UsageError, match=r"0\.16 s long"):
            with_neutral(made, seconds)


@pytest.mark.parametrize(
    ("name", "index"), [("0", 0), ("camera:12", 12), ("camera:", None), ("x", None), ("-1", None), ("00001", None)]
)
def test_a_camera_is_named_by_its_index(
    name: str, index: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert camera_index(name) == index
    (tmp_path / name).touch()
    assert camera_index(name) is None  # a file of that name is meant


def test_the_neutral_frame_has_its_mouth_shut_its_eyes_open_and_looks_where_it_mostly_does() -> None:
    frames = np.repeat(FACE[None], 4, axis=0)
    frames[0, 65:68, 1] += 0.1  # talks
    frames[1, [37, 38, 43, 44]] = frames[1, [41, 40, 47, 46]]  # blinks
    frames[2] += 0.2  # looks away,
    frames[2, 66] = frames[2, 62]  # with the lips pressed together: its mouth alone would make it the calmest
    assert find_neutral(frames) == 3
    away = np.zeros((len(frames), 2, 2), np.float32)
    away[3] = 0.3
    assert find_neutral(frames, away) != 3  # and looks ahead


def test_shipped_names_are_found_and_unknown_ones_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "motions").mkdir()
    (tmp_path / "motions" / "calm.motion").write_bytes(b"x")
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    assert shipped_motions() == ["calm"]
    assert motion_path("calm").name == "calm.motion"
    for name in ("wild", "../calm", "/etc/passwd.motion"):
        with pytest.raises(MissingFileError, match="calm"):
            motion_path(name)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Motion, list[float]]:
    path = tmp_path_factory.mktemp("motion") / "driver.mp4"
    make_video(path, frames=8, width=256, height=256, images=moving(close_up(), 8, 40))
    counted: list[float] = []
    return track_video(path, load_backend("mesh"), advance=counted.append), counted


def test_a_video_becomes_a_motion(tracked: tuple[Motion, list[float]]) -> None:
    made, counted = tracked
    assert len(made) == 8 and sum(counted) == 8 and made.name == "driver" and made.backend == "mesh"
    assert np.abs(made.landmarks).max() < 1  # within the crop
    assert made.rate == pytest.approx(10)
    assert made.gaze is not None and np.abs(made.gaze).max() < 0.5  # within the eyes


def test_the_motion_follows_the_head(tracked: tuple[Motion, list[float]]) -> None:
    way = np.diff(tracked[0].landmarks.mean(1)[:, 0])
    assert (way > 0).all()


def test_seconds_end_the_motion(tmp_path: Path) -> None:
    path = make_video(tmp_path / "d.mp4", frames=8, width=256, height=256, images=moving(close_up(), 8))
    assert len(track_video(path, load_backend("mesh"), seconds=0.25)) == 3


def test_a_face_that_appears_late_rests_until_then(tmp_path: Path) -> None:
    images = [NOBODY] * 3 + moving(close_up(), 5, 40)
    made = track_video(
        make_video(tmp_path / "late.mp4", frames=8, width=256, height=256, images=images), load_backend("mesh")
    )
    assert len(made) == 8 and made.times[0] == 0  # as long as the video, or its sound would not fit
    assert np.abs(np.diff(made.landmarks[:3], axis=0)).max() < 0.01


def test_a_face_that_is_gone_ends_the_motion(tmp_path: Path) -> None:
    images = moving(close_up(), 4) + [NOBODY] * 8 + moving(close_up(), 4)
    made = track_video(
        make_video(tmp_path / "gone.mp4", frames=16, width=256, height=256, images=images), load_backend("mesh")
    )
    assert len(made) == 4


def test_a_face_that_is_gone_for_less_than_half_a_second_is_bridged(tmp_path: Path) -> None:
    images = moving(close_up(), 4) + [NOBODY] * 3 + moving(close_up(), 4)
    made = track_video(
        make_video(tmp_path / "blink.mp4", frames=11, width=256, height=256, images=images), load_backend("mesh")
    )
    assert np.allclose(made.times, [0, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 1.0])


def follow(path: Path, images: list[NDArray[np.uint8]], rate: float) -> Motion:
    height, width = images[0].shape[:2]
    video = make_video(path, frames=len(images), rate=rate, width=width, height=height, images=images)
    return track_video(video, load_backend("mesh"))


@pytest.mark.parametrize(("name", "rate"), [("slow.mp4", 1), ("slower.mp4", 0.1), ("slow.mkv", 1.5)])
def test_a_slow_clip_is_a_whole_motion(tmp_path: Path, name: str, rate: float) -> None:
    made = follow(tmp_path / name, moving(astronaut(), 5, 120), rate)
    assert made.times == pytest.approx([i / rate for i in range(5)], abs=0.002)
    assert made.remarks == ()


def test_a_slow_moving_picture_is_a_whole_motion(tmp_path: Path) -> None:
    path = tmp_path / "slow.gif"
    frames = [Image.fromarray(np.ascontiguousarray(image[::2, ::2])) for image in moving(astronaut(), 4, 60)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000)
    assert track_video(path, load_backend("mesh")).times == pytest.approx([0, 1, 2, 3])


def test_a_picture_that_is_held_does_not_end_the_motion(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 2.2, 2.3, 9.0]
    video = make_video(
        tmp_path / "a.mkv", frames=6, times=times, width=256, height=256, images=moving(close_up(), 6, 40)
    )
    assert track_video(video, load_backend("mesh")).times == pytest.approx(times, abs=0.002)


@pytest.mark.parametrize(("hidden", "reaches"), [(0.3, True), (0.45, True), (0.7, False)])
def test_a_face_is_bridged_by_seconds_not_by_frames(tmp_path: Path, hidden: float, reaches: bool) -> None:
    images = [close_up()] * 2 + [NOBODY] * round(hidden * 20) + [close_up()] * 2
    made = follow(tmp_path / "a.mp4", images, 20)
    assert (made.times[-1] == pytest.approx((len(images) - 1) / 20, abs=0.001)) == reaches
    assert ("is hidden from 0.1 s on" in " ".join(made.remarks)) != reaches


def test_a_face_that_is_gone_in_one_frame_of_a_slow_clip_ends_the_motion_and_that_is_said(tmp_path: Path) -> None:
    made = follow(tmp_path / "a.mp4", [close_up()] * 2 + [NOBODY] + [close_up()] * 2, 1)
    assert len(made) == 2
    assert "hidden from 2.0 s on; the motion ends there" in " ".join(made.remarks)


def test_a_motion_goes_on_where_the_clock_of_a_joined_recording_jumps(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2]
    parts = [
        make_video(
            tmp_path / f"{start}.ts",
            frames=3,
            times=[start + time for time in times],
            width=256,
            height=256,
            images=[close_up()] * 3,
        )
        for start in (0.0, 700.0, 20.0)
    ]
    made = track_video(joined(tmp_path / "all.ts", *parts), load_backend("mesh"))
    assert len(made) == 9
    assert made.times[-1] < 1.1
    assert "clock of all.ts jumps 2 times" in " ".join(made.remarks)


def test_a_video_without_a_face_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoFaceError, match="No face"):
        track_video(make_video(tmp_path / "bars.mp4", frames=3), load_backend("mesh"))
