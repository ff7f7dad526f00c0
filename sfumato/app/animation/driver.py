"""What a portrait follows: a video, a `.motion` file, a shipped motion or a camera in; a `Motion` and its poses in time
out.

A camera is followed until its seconds are over or somebody presses Ctrl-C, which ends the recording and not the work.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sfumato.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from generator.motion.track import Motion, Pose
    from sfumato.media.landmarks import LandmarkBackend
    from sfumato.progress import Stage


@dataclass(frozen=True)
class Driver:
    """What is followed. `path`: a video or a .motion file; None: the camera `camera`."""

    path: Path | None
    camera: int = 0

    @property
    def template(self) -> str | None:
        """The name of a shipped motion."""
        folder = Path(str(files("generator") / "motions"))
        if (
            self.path is None
            or self.path.resolve().parent != folder.resolve()
            or self.path.stem not in shipped_motion_names()
        ):
            return None
        return self.path.stem

    @property
    def kind(self) -> str:
        """What the seal says of it: a shipped name, or of what kind it is; other names stay private."""
        if self.path is None:
            return "camera"
        return self.template or ("motion file" if self.is_motion_file else "video")

    @property
    def is_motion_file(self) -> bool:
        return self.path is not None and self.path.suffix.lower() == ".motion"

    @property
    def name(self) -> str:
        """For the names of outputs."""
        return self.path.stem if self.path is not None else f"camera-{self.camera}"


def find_driver(name: str | Path) -> Driver:
    """A path, the name of a shipped motion, or a camera: its index, or camera:INDEX. Raises UsageError when it is none
    of them.
    """
    from generator.motion.track import camera_index, motion_path

    index = camera_index(name)
    return Driver(motion_path(name)) if index is None else Driver(None, index)


def read_driver(
    driver: Driver, landmarks: LandmarkBackend, stage: Stage, seconds: float | None = None,
    neutral: float | None = None,
    smooth: float = 1.0,
) -> Motion:  # fmt: skip
    """The motion, measured against the frame at `neutral` seconds (None: a calm one is looked for); `smooth`: see
    `smooth_track`.

    Raises CheckpointError for a .motion file of other landmarks, UsageError for one that is to be smoothed or a neutral
    frame that is not there, NoFaceError, MediaError.
    """
    from generator.motion.track import with_neutral

    motion = _motion_file(driver.path, landmarks, smooth) if driver.is_motion_file and driver.path else None
    motion = motion or _followed(driver, landmarks, stage, seconds, smooth)
    return motion if neutral is None else with_neutral(motion, neutral)


def driver_digest(driver: Driver) -> str:
    """SHA-256 of the file that is followed; zeros for a camera, which has not run yet. Raises MediaError."""
    from sfumato.media.clips import file_digest

    return "0" * 64 if driver.path is None else file_digest(driver.path)


def track_digest(motion: Motion) -> str:
    """SHA-256 of the numbers themselves: names what a camera saw, which leaves no file."""
    parts = (motion.landmarks, motion.times, motion.depth, motion.gaze)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts if part is not None)).hexdigest()


def _motion_file(path: Path, landmarks: LandmarkBackend, smooth: float) -> Motion:
    from generator.motion.track import read_motion

    motion = read_motion(path)
    if motion.backend != landmarks.name:
        raise CheckpointError(
            f"The motion {path.name} was tracked with landmarks {motion.backend!r}, the checkpoint "
            f"knows {landmarks.name!r}",
            f"Make it again: sfumato motion VIDEO --landmarks {landmarks.name} -o {path.name}.",
        )
    if smooth != 1.0:
        raise UsageError(
            f"The motion {path.name} was smoothed when it was made",
            "Leave --smooth out, or make it again from its video.",
        )
    return motion


def _followed(driver: Driver, landmarks: LandmarkBackend, stage: Stage, seconds: float | None, smooth: float) -> Motion:
    from generator.motion.track import track_frames, track_video
    from sfumato.media.video import VideoReader
    from sfumato.media.video.camera import Camera, stopped_by_interrupt

    if driver.path is not None:
        with VideoReader(driver.path) as video:
            total = video.info.declared_frames
        with stage("Following the face of the video", total) as advance:
            return track_video(driver.path, landmarks, seconds, advance=advance, smooth=smooth)
    with (
        stopped_by_interrupt() as stop,
        Camera(driver.camera, seconds=seconds, stop=stop) as camera,
        stage("Following the camera; Ctrl-C ends it", None) as advance,
    ):
        return track_frames(camera, f"camera {driver.camera}", landmarks, None, advance, smooth)


def count_poses(motion: Motion, fps: float | None, seconds: float | None) -> int:
    """How many `poses` gives, without making one."""
    count = len(motion) if fps is None else int(float(motion.times[-1] - motion.times[0]) * fps + 1e-6) + 1
    if seconds is None:
        return count
    return bisect_left(range(count), seconds, key=lambda index: _moment(motion, fps, index))


def poses(motion: Motion, fps: float | None, seconds: float | None) -> Iterator[tuple[float, Pose]]:
    """(time, pose) frame by frame: the motion's own, or at a steady rate, interpolated in between."""
    import numpy as np

    start = float(motion.times[0])
    for index in range(count_poses(motion, fps, seconds)):
        moment = _moment(motion, fps, index)
        after = int(np.clip(np.searchsorted(motion.times, moment + start), 0, len(motion) - 1))
        before = max(after - 1, 0)
        gap = float(motion.times[after] - motion.times[before])
        share = (moment + start - float(motion.times[before])) / gap if gap > 0 else 1.0
        yield moment, motion.between(before, after, share)


def _moment(motion: Motion, fps: float | None, index: int) -> float:
    """The time of pose `index`, in seconds after the first."""
    return float(motion.times[index]) - float(motion.times[0]) if fps is None else index / fps


def shipped_motion_names() -> list[str]:
    """The motions that ship; none in a copy without them."""
    from generator.motion.track import shipped_motions

    try:
        return shipped_motions()
    except FileNotFoundError:
        return []


def require_sound(driver: Driver) -> Path:
    """The file with the driver's own sound. Raises UsageError when there is none."""
    from sfumato.media.video import VideoReader

    if driver.path is None or driver.is_motion_file:
        advice = "Name a file that has some, with --sound-from, or leave --sound out."
        raise UsageError(f"{driver.path or 'A camera'} is a motion without sound", advice)
    with VideoReader(driver.path) as video:
        if not video.info.has_audio:
            raise UsageError(
                f"{driver.path} has no sound", "Leave --sound out, or name a file that has some with --sound-from."
            )
    return driver.path
