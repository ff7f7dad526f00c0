"""Reads a video frame by frame: a path in, upright RGB frames with their times out, never more than a few frames in
memory.

What goes wrong silently elsewhere is counted here: damaged packets are skipped and counted, jumps of the clock are
closed and counted, a file that ends before its declared end is reported as truncated, and the last frames are flushed
out of the decoder.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import MediaError
from sfumato.limits import FRAME_PIXELS
from sfumato.media.video.clock import MPEG_STREAMS, FrameTimes, PacketClock
from sfumato.media.video.container import check_size, choose_video_stream, open_media, read_packets
from sfumato.media.video.pixel_budget import PixelBudget
from sfumato.media.video.survey import survey

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

_REORDERED = 16  # frames that H.264 may hold back to put them into order
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
    start: float  # seconds on the file's clock at which the first frame is shown: what the sound is in step with
    stream: int  # the index, in the file, of the video stream that is read


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


_Stamped: TypeAlias = "tuple[VideoFrame, float | None]"  # with its time on the file's clock in seconds


class VideoReader:
    """Streams the frames of a local video file.

    `with VideoReader(path) as video: for frame in video: ...` decodes packet by packet. Times come from the frames' own
    timestamps (a variable rate and gaps are kept), start at 0 and increase strictly; where a timestamp is missing the
    rate continues the time, and where the file's clock jumps the next frame follows the last. Rotation and mirroring of
    the display matrix are applied, pixels made square, a change of size within the stream is scaled to the first
    frame's size. Interlaced video is not deinterlaced; HDR is not tone-mapped. Iterating again starts again.
    """

    def __init__(
        self, path: Path, *, max_side: int | None = None, threads: int = 1,
        keyframes: Callable[[int], bool] | None = None,
    ) -> None:  # fmt: skip
        """Opens `path` and decodes its first frame. `max_side` downsizes frames whose longer side exceeds it; `threads`
        are the decoder's. `keyframes`: whether to decode the keyframe of this number, asked once for each in order;
        nothing else is then decoded, and `decoded_frames` and the frames' `index` count those that are.

        Raises MediaError: missing, a folder, 0 bytes, cut off, not a video, sound only, nothing decodable, over a limit
        (docs/limits.md), the last also while frames are read. ValueError for `max_side` or `threads` below 1.
        """
        if threads < 1 or (max_side is not None and max_side < 1):
            raise ValueError("threads and max_side must be at least 1")
        self.path = Path(path)
        self.damaged_packets = 0
        self.decoded_frames = 0
        self.clock_jumps = 0
        self.truncated = False
        self._max_side = max_side
        self._threads = threads
        self._keyframes = keyframes
        self._closed = False
        self._raw: Generator[_Stamped, None, None]
        self._open()
        try:
            self._peeked: _Stamped | None = next(self._raw, None)
            if self._peeked is None:
                raise MediaError(
                    f"{self.path} holds no frame that can be decoded", "Take another copy, or convert it to mp4."
                )
            self._placement, self.info = self._describe(*self._peeked)
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
        """Yields Frame after Frame; afterwards `damaged_packets`, `clock_jumps`, `decoded_frames` and `truncated`
        describe the whole file.
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

    def count_frames(self) -> int:
        """About how many frames there are, without decoding them; 0 where that cannot be known."""
        if self.info.declared_frames:
            return self.info.declared_frames
        if self.info.container in MPEG_STREAMS:  # they declare nothing: FFmpeg subtracts the first stamp from the last
            return survey(self.path, self.info.stream, None).pictures
        return round((self.info.duration or 0.0) * self.info.rate)

    def remarks(self) -> tuple[str, ...]:
        """What somebody should be told of what has been read so far: one sentence each, with the file's name as it
        is.
        """
        name, said = self.path.name, list[str]()
        if self.clock_jumps:
            times = "once" if self.clock_jumps == 1 else f"{self.clock_jumps} times"
            said.append(f"The clock of {name} jumps {times}; what follows a jump was joined on without a gap.")
        if self.truncated:
            said.append(f"{name} ends before its declared end; what is there was used.")
        return tuple(said)

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
        self._in_avi = self._container.format.name == "avi"
        self._expected_packets = _expected_packets(self._container, self._stream)
        self._packets_seen = 0
        self.damaged_packets = 0
        self.decoded_frames = 0
        self.clock_jumps = 0
        self.truncated = False
        self._raw = self._decode()

    def _decode(self) -> Generator[_Stamped, None, None]:
        """Raw frames in presentation order, with their stamps."""
        import av

        clock = PacketClock(self._stream, self._container.format.name)
        keyframe = -1
        decoding: list[int] = []  # a heap: decoding times of packets whose frames have not come out yet
        for packet in read_packets(self._container, [self._stream], self._count_damage):
            self._packets_seen += 1
            clock.follow(packet)
            self.clock_jumps = clock.jumps
            keyframe += packet.is_keyframe
            if self._keyframes is not None and not (packet.is_keyframe and self._keyframes(keyframe)):
                continue
            if self._in_avi and packet.dts is not None:
                packet.pts = packet.dts  # what FFmpeg makes of it is a guess
            try:
                frames = self._stream.decode(packet)
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError):
                self.damaged_packets += 1
                continue
            if packet.is_corrupt:
                self.damaged_packets += 1
            if packet.dts is not None:
                heapq.heappush(decoding, packet.dts)
            yield from ((frame, self._stamp(frame, decoding)) for frame in frames)
        try:
            yield from ((frame, self._stamp(frame, decoding)) for frame in self._stream.decode(None))
        except (av.FFmpegError, ValueError):
            return

    def _count_damage(self) -> None:
        self.damaged_packets += 1

    def _stamp(self, frame: VideoFrame, decoding: list[int]) -> float | None:
        """When a frame is shown, in seconds on the file's clock with its jumps closed.

        AVI stores decoding times only: the first frame that is shown takes the first of them, and so on.
        """
        base = self._stream.time_base  # the frames that the flush returns have lost theirs
        ticks = frame.pts
        while len(decoding) > _REORDERED + self._threads:
            heapq.heappop(decoding)
        first = heapq.heappop(decoding) if decoding else None
        if self._in_avi and self._stream.codec_context.has_b_frames:
            ticks = first
        return float(ticks * base) if ticks is not None and base is not None else None

    def _frames(self, wanted: Callable[[int], bool]) -> Iterator[Frame]:
        step = 1.0 / self.info.rate
        times, budget = FrameTimes(step), PixelBudget(self.path)
        for raw, stamp in self._raw:
            budget.spend(raw.width * raw.height, raw.format.bits_per_pixel)
            time = times.of(stamp)
            index = self.decoded_frames
            self.decoded_frames += 1
            if wanted(index):
                yield Frame(self._placement.apply(raw), time, index)
        self.truncated = self._ended_early(times.time + step)

    def _ended_early(self, seconds: float) -> bool:
        if self._expected_packets is not None:
            missing = self._expected_packets - self._packets_seen
            return missing >= max(2, 0.01 * self._expected_packets)
        declared = self.info.duration
        if declared is None or not self.info.container.startswith(_TRUSTED_DURATIONS):
            return False
        # some containers count the time before the first frame in: a video that starts late is whole nevertheless
        return max(self.info.start, 0.0) + seconds < declared - max(0.5, _LATE * declared)

    def _describe(self, frame: VideoFrame, stamp: float | None) -> tuple[_Placement, VideoInfo]:
        stream = self._stream
        check_size(self.path, frame.width, frame.height)
        width, height = _square_pixels(frame.width, frame.height, stream.sample_aspect_ratio)
        scale = 1.0 if self._max_side is None else min(1.0, self._max_side / max(width, height))
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        placement = _Placement(width, height, *_orientation(frame))
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        if self._expected_packets and stream.frames and self._in_avi:
            rate *= self._expected_packets / stream.frames
        info = VideoInfo(
            path=self.path,
            width=height if placement.transpose else width,
            height=width if placement.transpose else height,
            rotation=round(-frame.rotation / 90) * 90 % 360,
            duration=_duration(self._container, stream),
            declared_frames=(self._expected_packets if self._in_avi else stream.frames) or None,
            rate=rate if 0 < rate < 1e5 else 25.0,
            codec=stream.codec_context.name,
            container=self._container.format.name,
            has_audio=bool(self._container.streams.audio),
            start=stamp if stamp is not None else 0.0,
            stream=stream.index,
        )
        return placement, info


def _is_hd(width: int, height: int) -> bool:
    """Whether a frame whose file names no matrix is BT.709's: from 1280 wide, or over 576 high, as stored; else it is
    BT.601's. This is mpv's rule (`mp_csp_guess_colorspace`); swscale's own default is BT.601 for every size. Width
    counts because films are cropped: 1280 x 536 is HD.
    """
    return width >= 1280 or height > 576


def _chain(first: _Stamped, rest: Generator[_Stamped, None, None]) -> Generator[_Stamped, None, None]:
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
    recorded, and an AVI counts ticks, of which not every one has a picture.
    """
    if not stream.frames:
        return None
    entries = stream.index_entries
    indexed = len(entries) if container.format.name.startswith(("mov", "avi")) else 0
    if indexed and container.format.name == "avi" and entries[indexed - 1].timestamp < (1 - _LATE) * stream.frames:
        indexed = 0  # an index made while opening, of a file that has lost its own
    return min(stream.frames, indexed) if indexed else stream.frames


def _duration(container: Any, stream: VideoStream) -> float | None:
    """Seconds from the first frame to the end, as far as the container says it."""
    if stream.duration and stream.time_base and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:01:02.345
    try:
        hours, minutes, seconds = tag.split(":")
        duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        late = max(0.0, float((stream.start_time or 0) * (stream.time_base or 0)))
        whole = (container.duration or 0) / 1e6
        # FFmpeg writes the end of the stream there, others its length: that of a late stream ends with the file
        return duration - late if late < duration and duration + late > whole + 0.01 else duration
    except ValueError:
        pass
    if container.duration and container.duration > 0 and len(container.streams) == 1:
        return float(container.duration) / 1e6
    return None
