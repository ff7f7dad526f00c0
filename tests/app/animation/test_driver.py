"""What is followed: names, cameras and files; a neutral frame that was chosen; sound; and what the seal says of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from generator.motion.track import Motion, read_motion
from provenance.verifying.verify import verify
from sfumato.app.animation.driver import (
    Driver,
    count_poses,
    driver_digest,
    find_driver,
    poses,
    read_driver,
    require_sound,
)
from sfumato.app.cli.main import main
from sfumato.errors import MissingFileError, UsageError
from sfumato.media.clips import file_digest
from sfumato.media.landmarks import load_backend
from sfumato.media.video import VideoReader
from sfumato.progress import quietly
from tests.generator_fixtures import astronaut, moving
from tests.media_fixtures import make_sound, make_video
from tests.portrait_fixtures import make_checkpoint, make_motion


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("driving")
    make_checkpoint(folder / "tiny.safetensors")
    make_motion(folder / "nod.motion", frames=4)
    return folder


def animate(stock: Path, output: Path, *arguments: object) -> int:
    fixed = ["-o", output, "--checkpoint", stock / "tiny.safetensors", "--device", "cpu"]
    return main(["animate", "mona-lisa", *map(str, (*arguments, *fixed))])


def test_a_driver_is_found_by_name_path_or_index(stock: Path) -> None:
    assert find_driver("0") == Driver(None, 0) and find_driver("camera:2").name == "camera-2"
    serene = find_driver("serene")
    assert serene.template == serene.kind == serene.name == "serene"
    nod = find_driver(stock / "nod.motion")
    assert (nod.template, nod.kind, nod.name) == (None, "motion file", "nod")
    assert driver_digest(nod) == file_digest(stock / "nod.motion")
    with pytest.raises(MissingFileError, match="camera"):
        find_driver("nobody")


def test_the_neutral_frame_is_the_one_that_was_chosen(stock: Path) -> None:
    backend = load_backend("mesh")
    found = read_driver(find_driver(stock / "nod.motion"), backend, quietly, neutral=0.2)
    assert found.neutral == 2
    with pytest.raises(UsageError, match="smoothed when it was made"):
        read_driver(find_driver(stock / "nod.motion"), backend, quietly, smooth=2.0)


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """Camera 0 shows eight pictures of an astronaut on the move, and then nothing."""
    images: list[NDArray[np.uint8]] = moving(astronaut(), 8, 40)

    class Capture:
        def __init__(self, index: int) -> None:
            self.index, self.images = index, iter(images)

        def isOpened(self) -> bool:
            return self.index == 0

        def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
            image = next(self.images, None)
            return image is not None, None if image is None else np.ascontiguousarray(image[:, :, ::-1])

        def release(self) -> None:
            pass

    monkeypatch.setattr(cv2, "VideoCapture", Capture)


@pytest.mark.usefixtures("camera")
def test_a_camera_drives_a_portrait(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert animate(stock, tmp_path / "a.mp4", "-m", "0", "--seconds", "20", "--size", "64", "--fps", "25") == 0
    found = verify(tmp_path / "a.mp4")
    assert found.facts["parameters"]["motion"] == "camera" and set(found.facts["motion_digest"]) != {"0"}
    assert animate(stock, tmp_path / "b.mp4", "-m", "0", "--sound") == 2
    assert "--sound-from" in capfd.readouterr().err
    assert animate(stock, tmp_path / "b.mp4", "-m", "camera:1") == 3
    assert "no camera 1" in capfd.readouterr().err


@pytest.mark.usefixtures("camera")
def test_a_camera_becomes_a_motion(tmp_path: Path) -> None:
    assert main(["motion", "camera:0", "-o", str(tmp_path / "x.motion"), "--smooth", "2"]) == 0
    made = read_motion(tmp_path / "x.motion")
    assert len(made) == 8 and made.times[0] == 0


def test_a_motion_that_is_there_is_kept_unless_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    video = make_video(tmp_path / "d.mp4", frames=2, width=512, height=512, images=moving(astronaut(), 2))
    (tmp_path / "x.motion").write_text("mine")
    assert main(["motion", str(video), "-o", str(tmp_path / "x.motion")]) == 2
    assert "--overwrite" in capfd.readouterr().err and (tmp_path / "x.motion").read_text() == "mine"
    assert main(["motion", str(video), "-o", str(tmp_path / "x.motion"), "--overwrite"]) == 0
    assert len(read_motion(tmp_path / "x.motion")) == 2


def test_a_picture_is_no_motion(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "smile.JPG"
    picture.write_bytes(b"")
    assert animate(stock, tmp_path / "a.mp4", "-m", picture) == 2
    assert "is a picture, and a motion has to move. Name a video" in capfd.readouterr().err
    assert main(["motion", str(picture), "-o", str(tmp_path / "x.motion")]) == 2
    assert "is a picture" in capfd.readouterr().err


def test_a_motion_that_ends_before_the_seconds_says_so(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert animate(stock, tmp_path / "a.mp4", "-m", stock / "nod.motion", "--size", "64", "--seconds", "60") == 0
    assert "s, before the 60 s of --seconds." in capfd.readouterr().err
    assert animate(stock, tmp_path / "b.mp4", "-m", stock / "nod.motion", "--size", "64", "--seconds", "0.2") == 0
    assert "--seconds" not in capfd.readouterr().err


def test_what_a_motion_leaves_out_is_said(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    images = [astronaut()] * 2 + [np.full((512, 512, 3), 90, np.uint8)] * 7 + [astronaut()]
    video = make_video(tmp_path / "d.mp4", frames=10, width=512, height=512, images=images)
    assert main(["motion", str(video), "-o", str(tmp_path / "x.motion")]) == 0
    assert "The face in d.mp4 is hidden from 0.2 s on; the motion ends there." in capfd.readouterr().err
    assert animate(stock, tmp_path / "a.mp4", "-m", video, "--size", "64") == 0
    assert "The face in d.mp4 is hidden from 0.2 s on; the motion ends there." in capfd.readouterr().err


def test_a_motion_of_a_video_can_have_a_chosen_neutral_frame(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    video = make_video(tmp_path / "d.mp4", frames=4, width=512, height=512, images=moving(astronaut(), 4))
    assert main(["motion", str(video), "-o", str(tmp_path / "x.motion"), "--neutral", "0.3"]) == 0
    assert read_motion(tmp_path / "x.motion").neutral == 3
    assert main(["motion", str(video), "-o", str(tmp_path / "y.motion"), "--neutral", "9"]) == 2
    assert main(["motion", "gone.mp4", "-o", str(tmp_path / "y.motion")]) == 3
    errors = capfd.readouterr().err
    assert "no frame at 9 s" in errors and "no video gone.mp4" in errors and not (tmp_path / "y.motion").exists()


def test_sound_comes_from_where_it_is_said(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound = make_sound(tmp_path / "voice.m4a")
    assert animate(stock, tmp_path / "a.mp4", "-m", stock / "nod.motion", "--sound-from", sound, "--size", "64") == 0
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.info.has_audio
    assert verify(tmp_path / "a.mp4").outcome == "untrusted"
    assert animate(stock, tmp_path / "b.mp4", "-m", stock / "nod.motion", "--sound-from", sound, "--sound") == 2
    assert "one place only" in capfd.readouterr().err
    with pytest.raises(UsageError, match="no sound"):
        require_sound(Driver(make_video(tmp_path / "v.mp4")))


def test_paste_back_gives_the_whole_picture_and_marks_it(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from sfumato.app.animation.gallery import shipped_portraits
    from sfumato.media.images import read_image

    assert animate(stock, tmp_path / "a.mp4", "-m", stock / "nod.motion", "--paste-back") == 0
    assert "460 x 640" in capfd.readouterr().out
    assert verify(tmp_path / "a.mp4").facts["parameters"]["paste_back"] is True
    with VideoReader(tmp_path / "a.mp4") as video:
        frames = [frame.image.astype(float) for frame in video]
    source = read_image(shipped_portraits()["mona-lisa"].path)[:640, :460].astype(float)
    below = slice(400, None)  # hands and dress: only the watermark and the encoder have touched them
    assert np.abs(np.stack(frames)[:, below] - source[below]).mean() < 4
    assert np.abs(frames[-1] - frames[0])[100:300, 150:330].mean() > np.abs(frames[-1] - frames[0])[below].mean() + 1
    assert animate(stock, tmp_path / "b.mp4", "-m", stock / "nod.motion", "--paste-back", "--size", "320") == 0
    with VideoReader(tmp_path / "b.mp4") as video:
        assert (video.info.width, video.info.height) == (230, 320)


def test_an_existing_file_is_kept_unless_asked(stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_text("something dear")
    nod = stock / "nod.motion"
    assert animate(stock, tmp_path / "a.mp4", "-m", nod, "--size", "64") == 2
    assert "exists already" in capfd.readouterr().err and (tmp_path / "a.mp4").read_text() == "something dear"
    assert animate(stock, tmp_path / "a.mp4", "-m", nod, "--size", "64", "--overwrite") == 0


def test_a_folder_is_no_portrait_and_the_error_says_what_to_do(
    stock: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pics").mkdir()
    arguments = ["animate", str(tmp_path / "pics"), "-m", "serene", "-o", str(tmp_path / "x.mp4")]
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert "pics is a folder" in error and "--each" in error


def test_poses_of_the_motion_itself(tmp_path: Path) -> None:
    motion = read_motion(make_motion(tmp_path / "m.motion"))
    found = list(poses(motion, None, None))
    assert [round(time, 6) for time, _ in found] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    np.testing.assert_allclose(np.stack([pose.landmarks for _, pose in found]), motion.landmarks, atol=1e-6)
    assert len(list(poses(motion, None, 0.25))) == 3


def test_poses_at_a_steady_rate_lie_between() -> None:
    track = np.zeros((3, 68, 2), np.float32)
    track[1], track[2] = 0.1, 0.4
    motion = Motion(track, np.array([2.0, 2.1, 2.3]), 0, "mesh", "m")  # does not begin at 0, and is uneven
    found = [(round(time, 3), round(float(pose.landmarks[0, 0]), 4)) for time, pose in poses(motion, 20.0, None)]
    assert found == [(0.0, 0.0), (0.05, 0.05), (0.1, 0.1), (0.15, 0.175), (0.2, 0.25), (0.25, 0.325), (0.3, 0.4)]


@pytest.mark.parametrize("fps", [None, 1.0, 7.0, 20.0, 29.97])
@pytest.mark.parametrize("seconds", [None, 0.05, 0.2, 0.25, 9.0])
def test_poses_are_counted_without_being_made(fps: float | None, seconds: float | None) -> None:
    motion = Motion(np.zeros((4, 68, 2), np.float32), np.array([2.0, 2.1, 2.3, 2.55]), 0, "mesh", "m")
    times = [time for time, _ in poses(motion, fps, seconds)]
    assert count_poses(motion, fps, seconds) == len(times) > 0
    assert seconds is None or max(times) < seconds
