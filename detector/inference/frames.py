"""Evenly spaced frames of a video or of a folder of frames, or the one frame of a still picture, as a stream.

In: a path; a folder is a video whose frames are pictures with numbers for names, as data sets are often handed out.
Out: `Frame`s (HWC uint8 RGB, seconds). The file is read from front to back once and only one frame is held: seeking by
frame number is many times slower and wrong on variable rate. No torch here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sfumato.execution.find_files import is_picture
from sfumato.limits import FRAME_PIXELS
from sfumato.media.video import Frame, VideoReader

if TYPE_CHECKING:
    from sfumato.media.faces import Face, FaceDetector


def frames_in(folder: Path) -> list[Path]:
    """The pictures directly in a folder, in the order of their numbers."""
    return sorted((file for file in folder.iterdir() if is_picture(file)), key=lambda file: (len(file.stem), file.stem))


def has_motion(path: Path) -> bool:
    """Whether its frames follow one another in time: a video's do, those of a folder may have been picked."""
    return not (path.is_dir() or is_picture(path))


@dataclass(frozen=True)
class MediaFacts:
    """What a file declares and what was found in it. width, height: px, upright; rate: frames a second on average;
    duration: seconds, as declared; frames: how many could be decoded (of a folder: are there); damaged_packets: how
    many could not; truncated: whether the file ends too early. What a kind of file does not have, or what is not known
    because reading broke off, is None.
    """

    kind: Literal["picture", "video", "frames"]
    width: int
    height: int
    container: str | None = None
    codec: str | None = None
    rate: float | None = None
    duration: float | None = None
    audio: bool | None = None
    frames: int | None = None
    damaged_packets: int | None = None
    truncated: bool | None = None
    clock_jumps: int = 0

    def as_json(self) -> dict[str, Any]:
        """What this kind of file has, and of that all that is known."""
        sides = {"width": self.width, "height": self.height}
        if self.kind == "picture":
            return {"kind": self.kind, **sides}
        if self.kind == "frames":
            return {"kind": self.kind, **sides, "frames": self.frames}
        declared: dict[str, Any] = {"kind": self.kind, "container": self.container, "codec": self.codec, **sides}
        declared |= {"rate": self.rate, "duration": self.duration, "audio": self.audio}
        if self.frames is None:
            return declared
        return declared | {
            "frames": self.frames,
            "damaged_packets": self.damaged_packets,
            "truncated": self.truncated,
            "clock_jumps": self.clock_jumps,
        }


class Watch(Protocol):
    """Looks at frames as they are read, whether they are sampled or lie between."""

    def wants(self, position: int) -> bool:
        """Whether it looks at the frame at this position; asked once for each, in order."""
        ...

    def show(self, frame: Frame) -> None:
        """A frame that it wanted, before anybody else gets it."""
        ...


class SampledFrames:
    """Iterates over about `count` evenly spaced frames. After it: `sampled`, `decoded`, `truncated`, `damaged`,
    `media`, and in `notes` what was read in another way than the file says. watch: sees those frames of a video that it
    wants as well. keyframes: how many a video has (`sfumato.media.video.survey.count_keyframes`), of which alone
    `count` are then taken, and nothing else is decoded; 0: all its frames count.

    Raises MediaError as VideoReader and read_image do, when opened or while reading.
    """

    def __init__(self, path: Path, count: int, watch: Watch | None = None, keyframes: int = 0) -> None:
        self.path, self.count, self._watch, self._keyframes = path, count, watch, keyframes
        self.sampled = self.decoded = self.damaged = 0
        self.truncated = False
        self.still = is_picture(path)
        self.media: MediaFacts | None = None
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        frames = self._still() if self.still else self._folder() if self.path.is_dir() else self._video()
        for frame in frames:
            self.sampled += 1
            yield frame

    def faces(self, frame: Frame, detector: FaceDetector) -> list[Face]:
        """The faces of one of the frames, largest first; of a still picture also the small ones."""
        from sfumato.media.face_search import find_faces

        return find_faces(frame.image, detector) if self.still else detector.detect(frame.image)

    def _still(self) -> Iterator[Frame]:
        from sfumato.media.images import read_image

        image = read_image(self.path, max_pixels=FRAME_PIXELS.most, notes=self.notes)
        self.media = MediaFacts("picture", image.shape[1], image.shape[0])
        self.decoded = 1
        yield Frame(image, 0.0, 0)

    def _folder(self) -> Iterator[Frame]:
        """Time is the place in the folder: the rate is not known, and frames may have been left out."""
        from sfumato.media.images import read_image

        names = frames_in(self.path)
        schedule = _Schedule(len(names), self.count)
        self.decoded = len(names)
        for position in (position for position in range(len(names)) if schedule.wants(position)):
            image = read_image(names[position], max_pixels=FRAME_PIXELS.most, notes=self.notes)
            self.media = MediaFacts("frames", image.shape[1], image.shape[0], frames=len(names))
            yield Frame(image, float(position), position)

    def _video(self) -> Iterator[Frame]:
        alone = _Schedule(self._keyframes, self.count).wants if self._keyframes else None
        with VideoReader(self.path, keyframes=alone) as reader:
            info = reader.info
            opened = self.media = MediaFacts(
                "video", info.width, info.height, info.container, info.codec, info.rate, info.duration, info.has_audio
            )
            if alone is not None:
                yield from reader
                self.decoded = reader.decoded_frames
                return  # how many frames there are, and how many are damaged, nobody has seen
            schedule = _Schedule(reader.count_frames(), self.count)
            yield from self._of(reader, schedule)
            self.decoded, self.damaged, self.truncated = reader.decoded_frames, reader.damaged_packets, reader.truncated
            self.media = replace(
                opened,
                duration=None if reader.clock_jumps else info.duration,  # what was found is the distance of two clocks
                frames=self.decoded,
                damaged_packets=self.damaged,
                truncated=self.truncated,
                clock_jumps=reader.clock_jumps,
            )

    def _of(self, reader: VideoReader, schedule: _Schedule) -> Iterator[Frame]:
        """The frames of the schedule; those that the watch wants are shown to it on the way."""
        watch = self._watch
        if watch is None:
            yield from reader.chosen(schedule.wants)
            return
        sampled = watched = False

        def wanted(position: int) -> bool:
            nonlocal sampled, watched
            sampled, watched = schedule.wants(position), watch.wants(position)
            return sampled or watched

        for frame in reader.chosen(wanted):
            if watched:
                watch.show(frame)
            if sampled:
                yield frame


class _Schedule:
    """Which positions to take: `count` of `total`; if the total is unknown or wrong, ever fewer as the video goes
    on.
    """

    def __init__(self, total: int, count: int) -> None:
        self._step = max(1.0, total / count)
        self._count, self._taken, self._next = count, 0, 0.0

    def wants(self, position: int) -> bool:
        if position < int(self._next):
            return False
        self._taken += 1
        if self._taken % self._count == 0 and self._taken >= 2 * self._count:
            self._step *= 2
        self._next += self._step
        return True
