"""One file to shards: shots, one person each; what is dropped and why; files that are broken, turned, uneven or too
long.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from generator.data import reading
from generator.data.dataset import read_shard
from generator.data.reading import NoUsableFaceError, PrepareConfig, Preparer, shard_path
from sfumato.errors import ConfigError, MediaError
from sfumato.media.images import write_image
from tests.generator_fixtures import astronaut, moving, portrait
from tests.media_fixtures import cut_off, make_sound, make_video
from tests.sound_fixtures import joined

SIDE = 320


@cache
def nets() -> Preparer:
    return Preparer(PrepareConfig())


def prepare(path: Path, **changes: object) -> tuple[reading.Made, list]:
    """What is made of one file, and its clips."""
    config = PrepareConfig(**{"size": 64, "frames": 4, **changes})  # type: ignore[arg-type]
    preparer = nets()
    preparer.config = config
    made = preparer.prepare_file(path, "d" * 64, path.parent / "shard.parquet")
    return made, [read_shard(shard_path(path.parent / "shard.parquet", i), 64) for i in range(made.shards)]


def face(name: str = "astronaut", side: int = SIDE) -> np.ndarray:
    """A square picture with one face."""
    image = astronaut()[:320, 64:384] if name == "astronaut" else portrait(name)[:420, 10:430]
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def video(path: Path, *pictures: np.ndarray, **options: object) -> Path:
    height, width = pictures[0].shape[:2]
    return make_video(path, frames=len(pictures), width=width, height=height, images=pictures, **options)  # type: ignore[arg-type]


def dropped(error: pytest.ExceptionInfo[NoUsableFaceError]) -> dict[str, int]:
    return dict(error.value.dropped)


def test_each_shot_is_a_shard_of_one_person(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", *moving(face(), 6), *moving(face("mona-lisa"), 5))
    made, clips = prepare(path)
    assert (made.shards, made.frames, dict(made.dropped)) == (2, 8, {})
    assert [clip.times[0] for clip in clips] == [0, pytest.approx(0.6)]
    assert float(clips[0].identity @ clips[1].identity) < 0.35
    assert clips[0].digest != clips[1].digest


def test_only_the_longest_shots_are_kept(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", *moving(face(), 4), *moving(face("mona-lisa"), 8))
    made, clips = prepare(path, shots=1)
    assert made.shards == 1 and clips[0].times[0] == pytest.approx(0.4)


def test_a_person_who_is_shown_between_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reading, "find_shots", lambda frames: [range(sum(1 for _ in frames))]
    )  # a dissolve, which no cut betrays
    made, clips = prepare(video(tmp_path / "a.mp4", *moving(face(), 5), *moving(face("mona-lisa"), 2)), frames=7)
    assert made.frames == 5 and made.dropped[reading.OTHER_PERSON] == 2
    assert len(clips[0]) == 5


def test_a_second_face_in_the_square_is_dropped(tmp_path: Path) -> None:
    two = np.concatenate([face()[:, :180], face("mona-lisa")[:, 60:260]], axis=1)
    write_image(tmp_path / "two.png", two)
    with pytest.raises(NoUsableFaceError) as error:
        prepare(tmp_path / "two.png")
    assert dropped(error) == {reading.OTHER_FACE: 1}
    assert prepare(tmp_path / "two.png", largest_overlap=1.0)[0].frames == 1


def test_a_small_face_is_dropped(tmp_path: Path) -> None:
    write_image(tmp_path / "far.png", portrait(side=120))
    with pytest.raises(NoUsableFaceError, match="face too small") as error:
        prepare(tmp_path / "far.png")
    assert dropped(error) == {reading.SMALL: 1}


def test_a_blurred_face_is_dropped(tmp_path: Path) -> None:
    write_image(tmp_path / "soft.png", cv2.GaussianBlur(face(), (0, 0), 6))
    with pytest.raises(NoUsableFaceError) as error:
        prepare(tmp_path / "soft.png")
    assert error.value.reason == reading.BLURRED
    assert prepare(tmp_path / "soft.png", least_sharpness=0.0)[0].frames == 1


def test_a_head_turned_too_far_is_dropped(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", face("mona-lisa"))
    with pytest.raises(NoUsableFaceError) as error:
        prepare(tmp_path / "a.png", largest_turn=2.0)
    assert error.value.reason == reading.TURNED


def test_a_shot_of_too_few_frames_is_dropped(tmp_path: Path) -> None:
    with pytest.raises(NoUsableFaceError) as error:
        prepare(video(tmp_path / "a.mp4", face(), face()))
    assert dropped(error) == {reading.SHORT: 2}


def test_a_video_without_a_face_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoUsableFaceError, match="no face") as error:
        prepare(make_video(tmp_path / "bars.mp4", frames=4))
    assert dropped(error) == {reading.NO_FACE: 4}


def test_a_turned_video_is_read_upright(tmp_path: Path) -> None:
    stored = [np.ascontiguousarray(np.rot90(image)) for image in moving(face(), 4)]  # a phone held sideways
    _, clips = prepare(video(tmp_path / "a.mp4", *stored, rotation=90))
    points = clips[0].landmarks[0]
    assert points[8, 1] > points[27, 1] + 10  # the chin lies below the nose


def test_times_of_a_variable_rate_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.54, 2.0, 2.04]
    _, clips = prepare(video(tmp_path / "a.mkv", *moving(face(), 6), times=times), frames=6)
    assert clips[0].times.tolist() == pytest.approx(times)


def test_a_video_that_was_cut_off_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = video(
        tmp_path / "a.mp4", *moving(face(), 20, 60), container_options={"movflags": "faststart"}, options={"bf": "0"}
    )
    made, clips = prepare(cut_off(whole, tmp_path / "b.mp4", 0.93), frames=20)
    assert made.remarks == ("b.mp4 ends before its declared end; what is there was used.",)
    assert 3 <= len(clips[0]) < 20


def test_a_clock_that_jumps_in_a_joined_recording_is_told(tmp_path: Path) -> None:
    part = video(tmp_path / "part.ts", *moving(face(), 4))
    made, clips = prepare(joined(tmp_path / "all.ts", part, part), frames=8)
    assert made.remarks == ("The clock of all.ts jumps once; what follows a jump was joined on without a gap.",)
    assert (np.diff(clips[0].times) < 0.2).all()


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".gif"])
def test_a_file_of_no_length_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"")
    with pytest.raises(MediaError, match="empty"):
        prepare(tmp_path / f"a{suffix}")


def test_a_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        prepare(make_sound(tmp_path / "a.m4v"))


def test_of_a_long_video_only_the_beginning_is_read(tmp_path: Path) -> None:
    made, clips = prepare(video(tmp_path / "a.mp4", *moving(face(), 12)), longest=0.45, frames=12)
    assert made.frames == 5 and clips[0].times[-1] == pytest.approx(0.4)


def test_a_file_that_fails_halfway_leaves_no_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = reading.write_shard

    def fail_second(path: Path, rows: list, facts: dict) -> None:
        if facts["shot"]:
            raise MediaError("it broke")
        write(path, rows, facts)

    monkeypatch.setattr(reading, "write_shard", fail_second)
    with pytest.raises(MediaError, match="it broke"):
        prepare(video(tmp_path / "a.mp4", *moving(face(), 4), *moving(face("mona-lisa"), 4)))
    assert not list(tmp_path.glob("*.parquet"))


def test_the_commonest_reason_stands_for_the_file() -> None:
    assert NoUsableFaceError(Path("a"), Counter({reading.SMALL: 2, reading.NO_FACE: 5})).reason == reading.NO_FACE


@pytest.mark.parametrize(
    "wrong", [{"size": 8}, {"frames": 0}, {"largest_turn": 91.0}, {"same_person": 2.0}, {"least_sharpness": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        PrepareConfig(**wrong)
