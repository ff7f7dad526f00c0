"""Motion: a landmark track without a face, from a video, a camera or a `.motion` file.

A `.motion` file is safetensors: landmarks (F, 68, 2) in [-1, 1] of the crop and times (F,) in seconds; from version 2
on also depth (F, 68) and gaze (F, 2, 2), where they are known. They lie on a canonical face, not on the driver's: the
driver's geometry is taken out (see retarget), so a likeness is never shipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator.motion.eyes import EyeWatch, with_lids
from generator.motion.following import Sighting, follow_face
from generator.motion.smoothing import blur
from sfumato.atomic import atomic_path
from sfumato.errors import MediaError, MissingFileError, NoFaceError, UsageError, choose_from
from sfumato.execution.find_files import is_picture
from sfumato.media.faces import Box, Crop, crop_around
from sfumato.media.landmarks import LandmarkBackend
from sfumato.structure.tensors import hold_tensors

if TYPE_CHECKING:
    from sfumato.media.video import Frame

FORMAT = "sfumato-motion-2"
_FORMATS = {"sfumato-motion-1": ("landmarks", "times"), FORMAT: ("landmarks", "times", "depth", "gaze")}  # what is read
_LONGEST = 200_000  # frames; two hours at 25 a second
_LATEST = 1e6  # seconds
_FARTHEST_GAZE = 2.0  # eye widths from the middle; an iris lies within one
_HIDDEN = 0.5  # seconds for which a face may be hidden within a motion
_UPPER_LIDS, _LOWER_LIDS = (37, 38, 43, 44), (41, 40, 47, 46)
Landmarks = NDArray[np.float32]


@dataclass(frozen=True)
class Pose:
    """One frame of a motion: landmarks (68, 2); depth (68,) and gaze (2, 2) where they are known, as `Motion` has
    them.
    """

    landmarks: Landmarks
    depth: NDArray[np.float32] | None = None
    gaze: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Motion:
    """landmarks: (F, 68, 2) in [-1, 1] of the driver's crop; times: (F,) seconds from the first frame; neutral: index
    of a calm frame; remarks: what somebody should be told of the video it comes from, not stored.

    depth: (F, 68), the third coordinate in the units of the landmarks, away from the camera; each frame's mean is 0.
    gaze: (F, 2, 2), for each eye (that of points 36 to 41 first) where the iris' centre lies from the middle of the
    eye's corners, (x, y) in the eye's widths: x from the corner that is left in an upright picture to the other, y
    across, down. None where the backend, or the file's version, does not tell.
    """

    landmarks: Landmarks
    times: NDArray[np.float64]
    neutral: int
    backend: str
    name: str
    remarks: tuple[str, ...] = ()
    depth: NDArray[np.float32] | None = None
    gaze: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        count, depth, gaze = len(self.times), self.depth, self.gaze
        fits = self.landmarks.shape == (count, 68, 2) and self.times.shape == (count,)
        fits = fits and (depth is None or depth.shape == (count, 68)) and (gaze is None or gaze.shape == (count, 2, 2))
        if not 0 < count <= _LONGEST or not fits or not 0 <= self.neutral < count:
            raise MediaError(
                f"The motion {self.name!r} is empty, too long or inconsistent", "Make it again with `sfumato motion`."
            )
        if not (
            np.abs(self.landmarks).max() < 10
            and np.abs(self.times).max() < _LATEST
            and (depth is None or np.abs(depth).max() < 10)
            and (gaze is None or np.abs(gaze).max() < _FARTHEST_GAZE)
        ):  # NaN is smaller than nothing
            raise MediaError(
                f"The motion {self.name!r} holds numbers that are no landmarks", "Make it again with `sfumato motion`."
            )
        if count > 1 and (np.diff(self.times) <= 0).any():
            raise MediaError(
                f"The times of the motion {self.name!r} do not increase", "Make it again with `sfumato motion`."
            )

    def __len__(self) -> int:
        return len(self.times)

    def pose(self, index: int) -> Pose:
        """Frame `index`."""
        depth, gaze = (None if part is None else part[index] for part in (self.depth, self.gaze))
        return Pose(self.landmarks[index], depth, gaze)

    def between(self, before: int, after: int, share: float) -> Pose:
        """What lies `share` of the way from frame `before` to frame `after`."""

        def mixed(track: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray((1 - share) * track[before] + share * track[after], np.float32)

        depth, gaze = (None if part is None else mixed(part) for part in (self.depth, self.gaze))
        return Pose(mixed(self.landmarks), depth, gaze)

    @property
    def rate(self) -> float:
        """Frames a second, the mean."""
        return (len(self) - 1) / float(self.times[-1] - self.times[0]) if len(self) > 1 else 25.0


def shipped_motions() -> list[str]:
    """Names of the motion templates that come with the package."""
    folder = Path(str(files("generator") / "motions"))
    return sorted(path.stem for path in folder.glob("*.motion"))


def motion_path(name: str | Path) -> Path:
    """A path as given, or a shipped template by its name. Raises MissingFileError when it is neither, and
    UsageError for a picture.
    """
    path = Path(name)
    if path.is_file():
        return require_moving(path)
    shipped = Path(str(files("generator") / "motions" / f"{name}.motion"))
    if str(name) in shipped_motions() and shipped.is_file():
        return shipped
    raise MissingFileError(
        f"There is no motion {name}",
        choose_from(name, shipped_motions(), "a video, a .motion file, a camera's index, or "),
    )


def require_moving(path: Path) -> Path:
    """`path`. Raises UsageError for a picture: FFmpeg would read one as a video of one frame."""
    if is_picture(path):
        advice = f"Name a video, a .motion file, a camera's index, or one of: {', '.join(shipped_motions())}."
        raise UsageError(f"{path} is a picture, and a motion has to move", advice)
    return path


def camera_index(name: str | Path) -> int | None:
    """The camera that `name` means: its index, or camera:INDEX; None for anything else, and where a file has that
    name.
    """
    index = str(name).removeprefix("camera:")
    return int(index) if index.isascii() and index.isdigit() and len(index) < 4 and not Path(name).exists() else None


def read_motion(path: Path) -> Motion:
    """Reads a `.motion` file. Raises MediaError when it is missing, damaged or of another format."""
    from safetensors import SafetensorError, safe_open

    try:
        hold_tensors(path)
        with safe_open(str(path), framework="np") as file:
            header = file.metadata() or {}
            known = _FORMATS.get(header.get("format", ""))
            if known is None:
                raise MediaError(
                    f"{path} is not a motion file of this version", "Make it with `sfumato motion VIDEO -o x.motion`."
                )
            names = set(file.keys())
            there = [name for name in known if name in names]
            if any(file.get_slice(name).get_shape()[0] > _LONGEST for name in there):
                raise MediaError(f"The motion {path} is too long", f"A motion has up to {_LONGEST} frames.")
            tensors = {name: file.get_tensor(name) for name in there}
            facts = json.loads(header["facts"])
            depth, gaze = (tensors[name].astype(np.float32) if name in tensors else None for name in ("depth", "gaze"))
            return Motion(
                tensors["landmarks"].astype(np.float32),
                tensors["times"].astype(np.float64),
                int(facts["neutral"]),
                str(facts["backend"]),
                path.stem,
                depth=depth,
                gaze=gaze,
            )
    except (
        OSError,
        SafetensorError,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise MediaError(
            f"The motion file {path} is missing or damaged", "Make it with `sfumato motion VIDEO -o x.motion`."
        ) from error


def write_motion(path: Path, motion: Motion) -> None:
    """Writes a `.motion` file atomically. Raises OutputError, or UsageError for another suffix."""
    from safetensors.numpy import save

    if path.suffix != ".motion":
        raise UsageError(f"{path} does not end in .motion", "Name the output something.motion.")
    facts = json.dumps({"neutral": motion.neutral, "backend": motion.backend})
    tensors: dict[str, NDArray[Any]] = {
        "landmarks": np.ascontiguousarray(motion.landmarks, np.float32),
        "times": np.ascontiguousarray(motion.times, np.float64)
    }  # fmt: skip
    for name, part in (("depth", motion.depth), ("gaze", motion.gaze)):
        if part is not None:
            tensors[name] = np.ascontiguousarray(part, np.float32)
    content = save(tensors, metadata={"format": FORMAT, "facts": facts})
    with atomic_path(path) as temporary:
        temporary.write_bytes(_in_one_order(content))


def _in_one_order(content: bytes) -> bytes:
    """A safetensors file with its header in alphabetical order: the library's own differs from run to run, and the
    same motion is to be the same file.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[start:]


def track_video(
    path: Path, landmarks: LandmarkBackend, seconds: float | None = None, largest: int = 960,
    advance: Callable[[float], None] = lambda amount: None, smooth: float = 1.0,
) -> Motion:  # fmt: skip
    """The motion of the largest face of a video, see `track_frames`. Raises NoFaceError, or MediaError for an unusable
    video.
    """
    from sfumato.media.video import VideoReader

    with VideoReader(path, max_side=largest) as video:
        motion = track_frames(video, path.name, landmarks, seconds, advance, smooth)
        return replace(motion, remarks=video.remarks() + motion.remarks)


def track_frames(
    frames: Iterable[Frame], name: str, landmarks: LandmarkBackend, seconds: float | None = None,
    advance: Callable[[float], None] = lambda amount: None, smooth: float = 1.0,
) -> Motion:  # fmt: skip
    """Follows the largest face. Frames without it are bridged if it is hidden for up to half a second, and end the
    motion beyond that, which `remarks` says. A frame that is held for longer is no gap: a slow clip is a slow motion.

    Before the face appears the motion rests in its first pose. The crop is one square for the whole clip. `smooth`: see
    `smooth_track`. `advance` gets 1 for each frame that shows the face. Raises NoFaceError when there is no face.
    """
    seen, times = list[Sighting](), list[float]()
    before: list[
        float
    ] = []  # frames before the face appears: the motion starts with the video, or sound would not fit it
    hidden: float | None = None  # since when the face has been hidden
    remarks: tuple[str, ...] = ()
    eyes = EyeWatch(frames)
    for time, sighting in follow_face(eyes.frames(), landmarks, seconds):
        if hidden is not None and time - hidden > _HIDDEN + 1e-6:
            remarks = (f"The face in {name} is hidden from {hidden:.1f} s on; the motion ends there.",)
            break
        if sighting is None:
            before += [time] if not times else []
            hidden = time if times and hidden is None else hidden
            continue
        hidden = None
        eyes.read(sighting.landmarks)
        seen.append(sighting)
        times.append(time)
        advance(1)
    if not seen:
        raise NoFaceError(f"No face was found in {name}", "Use a video in which one face is seen well.")
    crop = _crop([sighting.box for sighting in seen])
    local = (
        np.stack([crop.to_crop(sighting.landmarks, 2) for sighting in seen]) - 0.5
    )  # pixel centres of a crop 2 px wide lie at -0.5 and 0.5: [-1, 1]
    stamps = np.asarray(before + times)
    read = eyes.readings().from_the_start(len(before))
    shares = read.shares(stamps)
    track = with_lids(smooth_track(_from_the_start(local, before), stamps, smooth), shares)
    gaze = read.gaze_when_open(shares, stamps, smooth)
    known = [sighting.depth for sighting in seen if sighting.depth is not None]
    depth = None
    if len(known) == len(seen):
        depth = smooth_depth(_from_the_start(np.stack(known) * np.float32(2 / crop.side), before), stamps, smooth)
    neutral = find_neutral(track, gaze)
    return Motion(track, stamps, neutral, landmarks.name, Path(name).stem, remarks, depth=depth, gaze=gaze)


def _from_the_start(track: NDArray[np.float32], before: list[float]) -> NDArray[np.float32]:
    """`track` (F, ...), with its first frame repeated for those `before` it."""
    return np.concatenate([np.repeat(track[:1], len(before), axis=0), track])


def _crop(boxes: list[Box]) -> Crop:
    array = np.array(boxes)
    centre = np.median(array[:, :2] + array[:, 2:] / 2, axis=0)
    size = np.median(array[:, 2:], axis=0)
    return crop_around((float(centre[0] - size[0] / 2), float(centre[1] - size[1] / 2), float(size[0]), float(size[1])))


def with_neutral(motion: Motion, seconds: float) -> Motion:
    """The same motion, measured against the frame at `seconds` after its first. Raises UsageError beyond its end."""
    length = float(motion.times[-1] - motion.times[0])
    if not 0 <= seconds <= length + 1e-6:
        raise UsageError(f"The motion {motion.name!r} has no frame at {seconds:g} s", f"It is {length:.2f} s long.")
    return replace(motion, neutral=int(np.argmin(np.abs(motion.times - motion.times[0] - seconds))))


def smooth_track(track: Landmarks, times: NDArray[np.float64], amount: float = 1.0) -> Landmarks:
    """Takes jitter out of (F, 68, 2) at `times`: a Gaussian over time, .05 s wide, and .018 s for lips, which move
    fast; `amount` scales both, 0 leaves the track alone.

    Eyes keep their place as the skull does; how far they are open is smoothed by .018 s, whatever the amount: a blink
    lasts a tenth of a second, and must close them.
    """
    if len(track) < 3 or amount <= 0:
        return track
    strong, light = 0.05 * amount, 0.018 * amount
    result = np.concatenate([blur(track[:, :48], times, strong), blur(track[:, 48:], times, light)], axis=1)
    upper, lower = list(_UPPER_LIDS), list(_LOWER_LIDS)
    open_now = blur(track[:, upper] - track[:, lower], times, 0.018)
    middle = (result[:, upper] + result[:, lower]) / 2
    result[:, upper], result[:, lower] = middle + open_now / 2, middle - open_now / 2
    return result


def smooth_depth(depth: NDArray[np.float32], times: NDArray[np.float64], amount: float = 1.0) -> NDArray[np.float32]:
    """As `smooth_track`, for (F, 68) of depth, which is all skull: lips and lids need none of their own."""
    if len(depth) < 3 or amount <= 0:
        return depth
    return blur(depth[..., None], times, 0.05 * amount)[..., 0]


def find_neutral(track: Landmarks, gaze: NDArray[np.float32] | None = None) -> int:
    """The calmest frame: mouth closed, eyes open, head and irises (`gaze`, (F, 2, 2)) where they mostly are."""
    height = np.linalg.norm(track[:, 8] - track[:, 27], axis=1).clip(1e-6)
    mouth = np.linalg.norm(track[:, 62] - track[:, 66], axis=1) / height
    eyes = (
        np.linalg.norm(track[:, 37] - track[:, 41], axis=1) + np.linalg.norm(track[:, 44] - track[:, 46], axis=1)
    ) / height
    away = np.linalg.norm(track - np.median(track, axis=0), axis=2).mean(1) / height
    if gaze is not None:
        away = away + np.abs(gaze - np.median(gaze, axis=0)).mean((1, 2))
    return int(np.argmin(mouth - 0.5 * np.minimum(eyes, np.median(eyes)) + away))
