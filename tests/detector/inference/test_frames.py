"""Sampling: the asked number, evenly, whatever the container declares."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from detector.inference.frames import MediaFacts, SampledFrames, _Schedule, has_motion
from sfumato.errors import MediaError
from sfumato.execution.find_files import is_picture
from sfumato.media.images import write_image
from sfumato.media.video import Frame
from sfumato.media.video.reader import _Placement
from tests.media_fixtures import FRAMES, make_video, picture
from tests.sound_fixtures import joined, make_beeping


@pytest.mark.parametrize(("total", "count"), [(100, 32), (63, 32), (32, 32), (600, 8)])
def test_takes_the_asked_number_evenly(total: int, count: int) -> None:
    schedule = _Schedule(total, count)
    taken = [i for i in range(total) if schedule.wants(i)]
    assert len(taken) == count
    assert np.ptp(np.diff(taken)) <= 1


def test_short_video_gives_all_it_has() -> None:
    schedule = _Schedule(5, 32)
    assert [i for i in range(5) if schedule.wants(i)] == [0, 1, 2, 3, 4]


def test_undeclared_length_is_thinned_on_the_way() -> None:
    schedule = _Schedule(0, 16)
    assert 32 <= sum(schedule.wants(i) for i in range(10_000)) <= 16 * 12


def test_video(tmp_path) -> None:
    make_video(tmp_path / "a.mp4")
    source = SampledFrames(tmp_path / "a.mp4", 5)
    times = [frame.time for frame in source]
    assert len(times) == source.sampled == 5
    assert source.decoded == FRAMES
    assert source.media.kind == "video"


def test_a_joined_recording_is_sampled_evenly_and_its_jump_is_said(tmp_path) -> None:
    parts = [make_beeping(tmp_path / "a.ts", 1), make_beeping(tmp_path / "b.ts", 1, start=1000)]
    source = SampledFrames(joined(tmp_path / "all.ts", *parts), 10)
    times = [frame.time for frame in source]
    assert len(times) == 10
    assert times[-1] == pytest.approx(1.8, abs=0.01)
    assert (source.media.clock_jumps, source.media.duration) == (1, None)


def test_still_picture_is_one_frame(tmp_path) -> None:
    write_image(tmp_path / "a.png", picture(0))
    source = SampledFrames(tmp_path / "a.png", 5)
    assert len(list(source)) == 1
    assert source.still
    assert is_picture(tmp_path / "A.JPG")


@pytest.mark.parametrize("name", ["bare", "a.mp4", "a.jfif"])
def test_a_picture_is_still_whatever_its_name(tmp_path, name) -> None:
    write_image(tmp_path / "a.png", picture(0))
    (tmp_path / "a.png").rename(tmp_path / name)
    source = SampledFrames(tmp_path / name, 5)
    assert len(list(source)) == 1
    assert source.still
    assert source.media.kind == "picture"


def test_what_is_read_otherwise_than_the_file_says_is_noted(tmp_path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png", icc_profile=b"nonsense")
    source = SampledFrames(tmp_path / "a.png", 1)
    list(source)
    assert source.notes == ["Read as sRGB: its colour profile is damaged."]


def test_text_named_mp4_is_refused(tmp_path) -> None:
    (tmp_path / "a.mp4").write_text("not a video")
    with pytest.raises(MediaError):
        list(SampledFrames(tmp_path / "a.mp4", 5))


def test_a_folder_of_frames_is_read_by_number(tmp_path) -> None:
    for number in (0, 2, 10, 1):
        write_image(tmp_path / f"{number}.png", np.full((8, 12, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    source = SampledFrames(tmp_path, 2)
    assert [int(frame.image[0, 0, 0]) for frame in source] == [0, 2]
    assert (source.sampled, source.decoded, source.still) == (2, 4, False)
    assert source.media.as_json() == {"kind": "frames", "width": 12, "height": 8, "frames": 4}
    assert [int(frame.image[0, 0, 0]) for frame in SampledFrames(tmp_path, 8)] == [0, 1, 2, 10]


class Wanting:
    """A watch that wants some positions, and writes down what it was asked and shown."""

    def __init__(self, *positions: int) -> None:
        self.positions, self.asked, self.log = positions, [], []

    def wants(self, position: int) -> bool:
        self.asked.append(position)
        return position in self.positions

    def show(self, frame: Frame) -> None:
        self.log.append(("shown", frame.index))


def test_a_watch_sees_the_frames_that_it_wants_before_they_are_given_out(tmp_path) -> None:
    watch = Wanting(1, 2, 8, 19)
    for frame in SampledFrames(make_video(tmp_path / "a.mp4"), 5, watch):
        watch.log.append(("given", frame.index))
    assert watch.log == [
        ("given", 0), ("shown", 1), ("shown", 2), ("given", 4), ("shown", 8), ("given", 8), ("given", 12),
        ("given", 16), ("shown", 19),
    ]  # fmt: skip
    assert watch.asked == list(range(FRAMES))


def test_a_watch_changes_nothing_of_what_is_sampled(tmp_path) -> None:
    path = make_video(tmp_path / "a.mp4")
    alone, watched = SampledFrames(path, 5), SampledFrames(path, 5, Wanting(*range(3, 15)))
    for one, other in zip(alone, watched, strict=True):
        assert (one.index, one.time) == (other.index, other.time)
        assert np.array_equal(one.image, other.image)
    assert (alone.sampled, alone.decoded, alone.media) == (watched.sampled, watched.decoded, watched.media)


def test_no_picture_is_made_of_a_frame_that_nobody_wants(tmp_path, monkeypatch) -> None:
    made = []
    apply = _Placement.apply
    monkeypatch.setattr(_Placement, "apply", lambda self, raw: made.append(raw) or apply(self, raw))
    list(SampledFrames(make_video(tmp_path / "a.mp4"), 5, Wanting(1, 8)))
    assert len(made) == 6


def test_a_watch_is_shown_nothing_but_videos(tmp_path) -> None:
    write_image(tmp_path / "0.png", picture(0))
    watch = Wanting(0)
    for path in (tmp_path, tmp_path / "0.png"):
        list(SampledFrames(path, 5, watch))
    assert watch.log == []


def test_frames_follow_one_another_in_videos_alone(tmp_path) -> None:
    write_image(tmp_path / "0.png", picture(0))
    assert has_motion(make_video(tmp_path / "a.mp4"))
    assert not has_motion(tmp_path / "0.png") and not has_motion(tmp_path)


def test_media_facts_tell_what_a_kind_of_file_has() -> None:
    assert MediaFacts("picture", 12, 8).as_json() == {"kind": "picture", "width": 12, "height": 8}
    opened = MediaFacts("video", 12, 8, "mp4", "h264", 25.0, None, False)
    declared = {"kind": "video", "container": "mp4", "codec": "h264", "width": 12, "height": 8}
    declared |= {"rate": 25.0, "duration": None, "audio": False}
    assert opened.as_json() == declared  # reading broke off: what was found is not known
    found = replace(opened, frames=9, damaged_packets=1, truncated=True, clock_jumps=2)
    known = {"frames": 9, "damaged_packets": 1, "truncated": True, "clock_jumps": 2}
    assert found.as_json() == declared | known
