"""The watch: one face from frame to frame, what ends a run, and what it costs at most."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.inference.frames import SampledFrames
from detector.motion.features import FEATURES, GAP
from detector.motion.watch import FRAMES, MOST, MotionWatch
from sfumato.media.faces import Face, FaceDetector
from sfumato.media.landmarks import load_backend
from sfumato.media.video import Frame
from tests.detector_fixtures import FaceAtRest
from tests.media_fixtures import make_video
from tests.portrait_fixtures import portrait_picture

SHOWN, HIDDEN = np.full((4, 4, 3), 9, np.uint8), np.zeros((4, 4, 3), np.uint8)


def face(size: float = 60.0, x: float = 5.0) -> Face:
    return Face((x, 5.0, size * 0.8, size), 0.9, np.zeros((5, 2), np.float32))


def read_on(
    watch: MotionWatch, times: Iterable[float], hidden: Iterable[int] = (), found: Iterable[int] = (0,)
) -> list[int]:
    """Reads a video: its face is `hidden` in some frames, and some frames are searched. Returns which were shown."""
    hidden, found, shown = set(hidden), set(found), []
    for index, time in enumerate(times):
        frame = Frame(HIDDEN if index in hidden else SHOWN, time, index)
        if watch.wants(index):
            watch.show(frame)
            shown.append(index)
        if index in found - hidden:
            watch.found(frame, face(), person=index)
    return shown


def steady(frames: int, rate: float = 25.0) -> list[float]:
    return [index / rate for index in range(frames)]


@pytest.fixture
def watch() -> MotionWatch:
    return MotionWatch(FaceAtRest())


def test_each_frame_after_a_face_was_found_is_wanted_until_enough_was_seen(watch) -> None:
    assert read_on(watch, steady(200), found=[0, 50, 100]) == list(range(1, FRAMES))
    assert watch.done
    track = watch.track()
    assert track.points.shape == (FRAMES, 68, 2) and track.points.dtype == np.float32
    assert track.times.tolist() == steady(FRAMES)


def test_nothing_is_wanted_of_a_video_without_a_face(watch) -> None:
    assert read_on(watch, steady(500), found=[]) == []
    assert watch.track() is None and watch.features() is None


def test_a_face_that_comes_late_is_followed_from_there(watch) -> None:
    read_on(watch, steady(500), found=[400])
    assert watch.track().times[0] == 16.0 and len(watch.track().times) == FRAMES


@pytest.mark.parametrize(("rate", "step"), [(10, 1), (24, 1), (25, 1), (30, 1), (49.9, 2), (60, 2), (120, 4), (1e4, 8)])
def test_of_a_higher_rate_only_some_frames_are_wanted(watch, rate, step) -> None:
    shown = read_on(watch, steady(400, rate))
    assert set(np.diff(shown[:50]).tolist()) == {step}


def test_stamps_rounded_to_milliseconds_do_not_change_the_step(watch) -> None:
    shown = read_on(watch, [round(time, 3) for time in steady(400, 60)])
    assert set(np.diff(shown[:50]).tolist()) == {2}


def test_a_face_that_is_lost_is_not_looked_for(watch) -> None:
    assert read_on(watch, steady(60), hidden=[10], found=[0, 30])[8:12] == [9, 10, 31, 32]


def test_what_was_seen_longest_counts(watch) -> None:
    read_on(watch, steady(100), hidden=[10, 50, 70], found=[0, 20, 60])
    assert watch.track().times.tolist() == steady(50)[20:]
    assert watch.track().person == 20


def test_one_face_at_a_time_is_followed(watch) -> None:
    frame = Frame(SHOWN, 0.0, 0)
    watch.found(frame, face(), person=3)
    watch.found(frame, face(x=300.0), person=4)
    assert watch.track().person == 3 and watch.track().points.max() < 100


@pytest.mark.parametrize("size", [0.0, 39.0])
def test_a_face_too_small_for_landmarks_is_not_followed(watch, size) -> None:
    watch.found(Frame(SHOWN, 0.0, 0), face(size))
    assert not watch.wants(1) and watch.track() is None


def test_a_gap_ends_a_run_and_the_face_is_followed_on(watch) -> None:
    times = np.array(steady(60))
    times[20:] += 2 * GAP
    read_on(watch, times)
    assert watch.track().times.tolist() == times[20:].tolist()


def test_pictures_held_for_an_hour_each_give_no_motion(watch) -> None:
    read_on(watch, np.arange(200) * 3600.0)
    assert len(watch.track().times) == 1 and watch.features() is None


def test_a_video_of_short_shots_costs_no_more_than_a_few_long_ones(watch) -> None:
    cuts = range(30, 5000, 30)
    shown = read_on(watch, steady(5000), hidden=cuts, found=[cut + 1 for cut in cuts] + [0])
    assert len(shown) < MOST and watch.done
    assert len(watch.track().times) == 30


def test_it_never_holds_more_than_two_runs(watch) -> None:
    read_on(watch, steady(5000), hidden=[60], found=[0, 100])
    assert len(watch._longest.times) == FRAMES and watch._run is watch._longest


def test_too_little_gives_no_measures(watch) -> None:
    read_on(watch, steady(15))
    assert len(watch.track().times) == 15 and watch.features() is None


def test_nothing_is_shown_without_a_face(watch) -> None:
    watch.show(Frame(SHOWN, 0.0, 0))
    assert watch.track() is None


@pytest.fixture(scope="module")
def swaying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painting that sways by 4 px either way, 24 frames at 25 a second."""
    image = portrait_picture(200)
    height, width = (side // 2 * 2 - 16 for side in image.shape[:2])

    def at(index: int) -> NDArray[np.uint8]:
        left = round(8 + 4 * np.sin(index / 3))
        return np.ascontiguousarray(image[8 : 8 + height, left : left + width])

    path = tmp_path_factory.mktemp("video") / "swaying.mp4"
    return make_video(path, frames=24, width=width, height=height, rate=25, images=[at(index) for index in range(24)])


def test_a_painting_that_sways_is_followed_as_it_does(swaying: Path) -> None:
    watch, faces = MotionWatch(load_backend("mesh")), FaceDetector()
    source = SampledFrames(swaying, 2, watch)
    for frame in source:
        watch.found(frame, source.faces(frame, faces)[0])
    across = watch.track().points[:, :, 0].mean(1)
    assert np.corrcoef(across, -np.sin(np.arange(24) / 3))[0, 1] > 0.95
    measures = dict(zip(FEATURES, watch.features(), strict=True))
    assert measures["x speed"] > measures["y speed"] + 1
