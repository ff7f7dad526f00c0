"""Reads a video frame by frame: a path in, upright RGB frames with their times out, never more than a few frames in
memory.

What goes wrong silently elsewhere is counted here: damaged packets are skipped and counted, a file that ends before its
declared end is reported as truncated, and the last frames are flushed out of the decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MediaError
from sfumato.limits import FRAME_PIXELS
from sfumato.media.video.container import check_size, choose_video_stream, open_media
from sfumato.media.video.pixel_budget import PixelBudget

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

_DAMAGE_LIMIT = 200  # errors in a row without one readable packet: the rest of the file is lost
_LATE = 0.05  # a twentieth of the declared duration may be missing before a video counts as truncated
_TRUSTED_DURATIONS = ("mov", "matroska", "flv", "asf")  # others estimate a duration from the file's end or its bit rate


@dataclass(frozen=True)
class VideoInfo:
    """What the container declares. `width` and `height` are those of the frames given out: upright, square pixels,
    downsized.
    """

    path: Path
    width: int
    height: int
    rotation: int  # degrees clockwise by which the stored frames were turned: 0, 90, 180 or 270
    duration: float | None  # seconds; None when not declared
    declared_frames: int | None  # None when not declared
    rate: float  # frames a second on average; means little for a variable rate: use Frame.time
    codec: str
    container: str
    has_audio: bool


@dataclass(frozen=True)
class Frame:
    """One frame: `image` (H, W, 3) uint8 RGB, `time` in seconds after the first frame, `index` from 0."""

    image: NDArray[np.uint8]
    time: float
    index: int


@dataclass(frozen=True)
class _Placement:
    """How a stored frame becomes an upright one of square pixels: scaled to (width, height), transposed, then
    mirrored.
    """

    width: int
    height: int
    transpose: bool
    mirror_x: bool
    mirror_y: bool

    def apply(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Returns (H, W, 3) uint8 RGB, contiguous."""
        from av.video.reformatter import Colorspace, Interpolation

        shrinks = self.width < frame.width or self.height < frame.height
        untagged_hd = frame.colorspace == 2 and _is_hd(frame.width, frame.height)  # 2: unspecified
        converted = frame.reformat(
            width=self.width,
            height=self.height,
            format="rgb24",
            src_colorspace=Colorspace.ITU709 if untagged_hd else None,
            interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
            threads=1,
        )
        image = cast("NDArray[np.uint8]", converted.to_ndarray())  # (height, width, 3)
        if self.transpose:
            image = image.transpose(1, 0, 2)  # (width, height, 3)
        if self.mirror_x:
            image = image[:, ::-1]
        if self.mirror_y:
            image = image[::-1]
        return np.ascontiguousarray(image)


class VideoReader:
    """Streams the frames of a local video file.

    `with VideoReader(path) as video: for frame in video: ...` decodes packet by packet. Times come from the frames' own
    timestamps (variable rate is kept), start at 0 and increase strictly; where a timestamp is missing or runs
    backwards, the rate continues the time. Rotation and mirroring of the display matrix are applied, pixels made
    square, a change of size within the stream is scaled to the first frame's size. Interlaced video is not
    deinterlaced; HDR is not tone-mapped. Iterating again starts again.
    """

    def __init__(self, path: Path, *, max_side: int | None = None, threads: int = 1) -> None:
        """Opens `path` and decodes its first frame. `max_side` downsizes frames whose longer side exceeds it; `threads`
        are the decoder's.

        Raises MediaError: missing, a folder, 0 bytes, cut off, not a video, sound only, nothing decodable, over a limit
        (docs/limits.md), the last also while frames are read. ValueError for `max_side` or `threads` below 1.
        """
        if threads < 1 or (max_side is not None and max_side < 1):
            raise ValueError("threads and max_side must be at least 1")
        self.path = Path(path)
        self.damaged_packets = 0
        self.decoded_frames = 0
        self.truncated = False
        self._max_side = max_side
        self._threads = threads
        self._closed = False
        self._raw: Generator[VideoFrame, None, None]
        self._open()
        try:
            self._peeked: VideoFrame | None = next(self._raw, None)
            if self._peeked is None:
                raise MediaError(
                    f"{self.path} holds no frame that can be decoded", "Take another copy, or convert it to mp4."
                )
            self._placement, self.info = self._describe(self._peeked)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the file and the decoder; may be called twice."""
        if not self._closed:
            self._closed = True
            self._raw.close()
            self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yields Frame after Frame; afterwards `damaged_packets`, `decoded_frames` and `truncated` describe the whole
        file.
        """
        return self.chosen(lambda index: True)

    def chosen(self, wanted: Callable[[int], bool]) -> Iterator[Frame]:
        """The same, but only of the frames whose index is wanted pictures are made, which takes longer than to decode
        most of them. Each index is asked about once, in order.
        """
        if self._closed:
            raise ValueError("the video is closed")
        if self._peeked is None:  # a second round
            self._raw.close()
            self._container.close()
            self._open()
        else:
            self._raw = _chain(self._peeked, self._raw)
            self._peeked = None
        return self._frames(wanted)

    def _open(self) -> None:
        self._container = open_media(self.path)
        try:
            self._stream = choose_video_stream(self.path, self._container)
            self._stream.codec_context.thread_type = "AUTO" if self._threads > 1 else "NONE"
            self._stream.codec_context.thread_count = self._threads
            self._stream.codec_context.options = {"max_pixels": str(FRAME_PIXELS.most)}
        except BaseException:
            self._container.close()
            raise
        self._expected_packets = _expected_packets(self._container, self._stream)
        self._packets_seen = 0
        self.damaged_packets = 0
        self.decoded_frames = 0
        self.truncated = False
        self._raw = self._decode()

    def _decode(self) -> Generator[VideoFrame, None, None]:
        """Raw frames in presentation order."""
        import av

        for packet in self._packets():
            flush = packet is None
            if packet is not None:
                self._packets_seen += 1
            try:
                frames = self._stream.decode(packet)
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError):
                self.damaged_packets += not flush
                continue
            if packet is not None and packet.is_corrupt:
                self.damaged_packets += 1
            yield from frames

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The stream's packets, None last (the flush); goes on after errors of the demuxer."""
        import av

        errors = 0
        while errors < _DAMAGE_LIMIT:
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size == 0 and packet.dts is None:  # PyAV's own flush packet
                        break
                    errors = 0
                    yield packet
                break
            except av.FFmpegError:
                errors += 1
                self.damaged_packets += 1
        yield None

    def _frames(self, wanted: Callable[[int], bool]) -> Iterator[Frame]:
        step = 1.0 / self.info.rate
        base = self._stream.time_base  # the frames that the flush returns have lost theirs
        if self.info.container == "avi" and self._stream.codec_context.has_b_frames:
            base = None  # AVI stores decoding times only
        start: float | None = None  # the stamp at which time would be 0
        time = 0.0
        budget = PixelBudget(self.path)
        for raw in self._raw:
            budget.spend(raw.width * raw.height)
            stamp = float(raw.pts * base) if raw.pts is not None and base is not None else None
            if self.decoded_frames > 0:
                since_start = stamp - start if stamp is not None and start is not None else -1.0
                time = since_start if since_start > time else time + step
            if start is None and stamp is not None:
                start = stamp - time
            index = self.decoded_frames
            self.decoded_frames += 1
            if wanted(index):
                yield Frame(self._placement.apply(raw), time, index)
        self.truncated = self._ended_early(time + step)

    def _ended_early(self, seconds: float) -> bool:
        if self._expected_packets is not None:
            missing = self._expected_packets - self._packets_seen
            return missing >= max(2, 0.01 * self._expected_packets)
        declared = self.info.duration
        if declared is None or not self.info.container.startswith(_TRUSTED_DURATIONS):
            return False
        return seconds < declared - max(0.5, _LATE * declared)

    def _describe(self, frame: VideoFrame) -> tuple[_Placement, VideoInfo]:
        stream = self._stream
        check_size(self.path, frame.width, frame.height)
        width, height = _square_pixels(frame.width, frame.height, stream.sample_aspect_ratio)
        scale = 1.0 if self._max_side is None else min(1.0, self._max_side / max(width, height))
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        placement = _Placement(width, height, *_orientation(frame))
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        info = VideoInfo(
            path=self.path,
            width=height if placement.transpose else width,
            height=width if placement.transpose else height,
            rotation=round(-frame.rotation / 90) * 90 % 360,
            duration=_duration(self._container, stream),
            declared_frames=stream.frames or None,
            rate=rate if 0 < rate < 1e5 else 25.0,
            codec=stream.codec_context.name,
            container=self._container.format.name,
            has_audio=bool(self._container.streams.audio),
        )
        return placement, info


def _is_hd(width: int, height: int) -> bool:
    """Whether a frame whose file names no matrix is BT.709's: from 1280 wide, or over 576 high, as stored; else it is
    BT.601's. This is mpv's rule (`mp_csp_guess_colorspace`); swscale's own default is BT.601 for every size. Width
    counts because films are cropped: 1280 x 536 is HD.
    """
    return width >= 1280 or height > 576


def _chain(first: VideoFrame, rest: Generator[VideoFrame, None, None]) -> Generator[VideoFrame, None, None]:
    yield first
    yield from rest


def _square_pixels(width: int, height: int, aspect: Any) -> tuple[int, int]:
    """Widens or heightens a frame of non-square pixels; ratios no camera makes are ignored."""
    ratio = float(aspect) if aspect else 1.0
    if not 0.25 <= ratio <= 4.0 or ratio == 1.0:
        return width, height
    return (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))


def _orientation(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """(transpose, mirror x, mirror y) from the display matrix, to the nearest right angle."""
    try:
        matrix = bytes(cast("Any", frame.side_data)["DISPLAYMATRIX"])
    except KeyError:
        return False, False, False
    if len(matrix) != 36:
        return False, False, False
    a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5].tolist()  # x' = a x + c y, y' = b x + d y
    if abs(b) > abs(a):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


def _expected_packets(container: Any, stream: VideoStream) -> int | None:
    """How many packets the container's own table promises; an mp4's edit list may leave fewer in the index than were
    recorded.
    """
    if not stream.frames:
        return None
    indexed = len(stream.index_entries) if container.format.name.startswith("mov") else 0
    return min(stream.frames, indexed) if indexed else stream.frames


def _duration(container: Any, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:01:02.345
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        pass
    if container.duration and container.duration > 0 and len(container.streams) == 1:
        return float(container.duration) / 1e6
    return None
