"""Writes generated video: RGB frames in, one sealed mp4 out (H.264, yuv420p, plays in a browser), or nothing.

Generated frames leave only through a Seal. They are encoded into a private temporary folder (mode 0700, in the system's
folder for temporary files, TMPDIR). The seal makes a sealed copy in another one beside the destination; the copy is
read as a stranger would read it, and only then becomes the destination, in one step. Both folders are removed in every
case; those left behind by a killed process are removed by the next writer.
"""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from sfumato.atomic import require_writable
from sfumato.errors import MediaError, OutputError, SealError, SfumatoError, UsageError
from sfumato.limits import FRAME_SIDE
from sfumato.media.video.private_folder import private_folder, private_path
from sfumato.media.video.published import require_sealed
from sfumato.media.video.seal import GeneratedFacts, Seal, SealMaker
from sfumato.media.x264 import x264_options

if TYPE_CHECKING:
    from sfumato.media.video.sound import SoundTrack

_CLOCK = 90_000  # ticks a second: 24, 25, 30, 50, 60 and 29.97 frames a second all fall on whole ticks
_PRESET = "veryfast"  # 3.4 ms a 256 x 256 frame; slower presets only make smaller files


class GeneratedVideoWriter:
    """Encodes frames of one size; the file appears, sealed, when the `with` block ends without an error, and not
    otherwise.

    `with GeneratedVideoWriter(path, ..., seal=seal, facts=facts) as video: video.write(image)`. Either every frame is
    given its time or none is; then they follow each other at `rate`. The first frame's time is the video's beginning.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: float,
        seal: Seal | SealMaker,
        facts: GeneratedFacts,
        audio_from: Path | None = None,
        crf: float = 18,
        threads: int = 1,
    ) -> None:
        """`width` and `height` are even pixels, `rate` frames a second; `audio_from` is a file whose sound is copied,
        cut to the video.

        `crf` is x264's quality, 0 (lossless) to 51; at 18 losses are hard to see. Raises UsageError for an odd size or
        a value out of range, SealError without a seal, OutputError for another suffix than .mp4, a destination that is
        one of the sources, or a folder that cannot be written, MediaError for an `audio_from` that does not exist.
        """
        path = Path(path)
        if width < 2 or height < 2 or width % 2 or height % 2 or max(width, height) > FRAME_SIDE.most:
            raise UsageError(
                f"Cannot write a video of {width} x {height} pixels",
                f"Both sides must be even, 2 to {FRAME_SIDE.most}.",
            )
        if not (math.isfinite(rate) and 0.1 <= rate <= 1000):
            raise UsageError(f"Cannot write a video of {rate} frames a second", "Choose a rate from 0.1 to 1000.")
        if not 0 <= crf <= 51:
            raise UsageError(f"crf is {crf}", "Choose 0 (lossless) to 51 (worst).")
        begin = getattr(seal, "begin", None)
        if begin is None and not callable(seal):
            raise SealError(
                "A generated video needs a seal",
                "Pass seal=, for example the Content Credentials seal of provenance.signing.seal.",
            )
        check_output(path, facts.portraits, audio_from)
        self.path = path
        self.width, self.height = width, height
        self.frames_written = 0
        self._rate = Fraction(rate).limit_denominator(1001)
        self._seal: Seal = cast("Seal", seal) if begin is None else begin(facts)
        self._mark = getattr(self._seal, "mark", None)
        self._binding = getattr(self._seal, "binding", None)
        if self._mark is not None and self._binding is None:
            raise SealError("The seal marks frames and does not say with what", "Give it a `binding`: alg and value.")
        self._facts = facts
        self._audio_from = audio_from
        self._crf, self._threads = crf, threads
        self._timed: bool | None = None
        self._first_time = 0.0
        self._last_tick = -1
        self._resources: ExitStack | None = None

    def __enter__(self) -> Self:
        """Opens the encoder. Raises MediaError when `audio_from` has no sound, OutputError when there is no room for
        temporary files.
        """
        import av

        if self._resources is not None or self.frames_written:
            raise ValueError("a writer writes one video")
        with ExitStack() as resources:
            folder = resources.enter_context(private_folder())
            self._unsealed = folder / "unsealed.mp4"
            self._container: Any = av.open(str(self._unsealed), "w", format="mp4", options={"movflags": "+faststart"})
            resources.callback(self._abandon)
            self._stream = self._add_video()
            self._sound: SoundTrack | None = None
            if self._audio_from is not None:
                from sfumato.media.video.sound import SoundTrack

                self._sound = SoundTrack(self._audio_from, self._container)
                resources.callback(self._sound.close)
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._resources is not None  # noqa: S101 (only __enter__ leads here)
        with self._resources:
            if kind is None:
                self._finish()

    def write(
        self,
        image: NDArray[np.uint8],
        time: float | None = None,
        faces: Sequence[tuple[float, float, float, float]] | None = None,
    ) -> None:
        """Adds one frame: (height, width, 3) uint8 RGB; `time` in seconds, later than the last frame's.

        A seal that marks frames marks this one now; `faces` are boxes (x, y, width, height) in pixels that it keeps
        cleaner.

        Raises ValueError for another shape or type and for times that do not increase, OutputError when the disk is
        full.
        """
        import av
        from av.video.reformatter import ColorRange, Colorspace

        if self._resources is None:
            raise ValueError("write frames inside the writer's with block")
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape != (self.height, self.width, 3):
            seen = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise ValueError(f"a frame of this video is uint8 ({self.height}, {self.width}, 3), RGB; this is {seen}")
        tick = self._tick(time)
        if self._mark is not None:
            image = self._mark(image, tick / _CLOCK, faces)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
        )
        frame.pts, frame.time_base = tick, Fraction(1, _CLOCK)
        frame.duration = self._frame_ticks()
        self._last_tick = tick
        self.frames_written += 1
        try:
            if self._sound is not None:
                self._sound.advance(tick / _CLOCK)
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            raise self._encoding_error(error) from error

    def _add_video(self) -> Any:
        from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

        options = x264_options(crf=str(self._crf), preset=_PRESET, bf="0")  # B-frames upset a variable rate's durations
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = Fraction(1, _CLOCK)
        context.thread_count = self._threads
        context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
        context.colorspace, context.color_range = 1, int(ColorRange.MPEG)  # 1: BT.709 in H.264's table
        return stream

    def _frame_ticks(self) -> int:
        return max(1, round(_CLOCK / self._rate))

    def _tick(self, time: float | None) -> int:
        timed = time is not None
        if self._timed is None:
            self._timed, self._first_time = timed, time or 0.0
        if timed != self._timed:
            raise ValueError("give every frame a time, or none")
        if time is None:
            return round(self.frames_written * _CLOCK / self._rate)
        if not math.isfinite(time):
            raise ValueError(f"a frame's time is a number of seconds, not {time}")
        tick = round((time - self._first_time) * _CLOCK)
        if tick <= self._last_tick:
            raise ValueError(f"frame {self.frames_written} is at {time} s, not after the one before")
        return tick

    def _finish(self) -> None:
        import av

        if self.frames_written == 0:
            raise OutputError(f"No frame was written for {self.path}", "A video needs at least one frame.")
        try:
            if self._sound is not None:
                self._sound.advance((self._last_tick + self._frame_ticks()) / _CLOCK)
            self._container.mux(self._stream.encode(None))
            self._container.close()
            with av.open(str(self._unsealed)) as check:  # a disk that fills up is not always reported by the muxer
                whole = check.streams.video[0].frames == self.frames_written
        except (av.FFmpegError, IndexError) as error:
            raise self._encoding_error(error) from error
        if not whole:
            raise self._encoding_error(OSError("the encoded file is incomplete"))
        self._publish()

    def _publish(self) -> None:
        with private_path(self.path) as sealed:
            self._check_room()
            try:
                self._seal(self._unsealed, sealed, self._facts)
            except Exception as error:
                if _is_full_disk(error):
                    raise OutputError(
                        f"Cannot write {self.path}: the disk is full", "Make room, or choose another folder."
                    ) from error
                if isinstance(error, SfumatoError):
                    raise
                raise SealError(
                    f"Cannot seal {self.path}: {error}", "Nothing was written; check the signing keys."
                ) from error
            require_sealed(sealed, self.path, self._binding, self._unsealed)

    def _check_room(self) -> None:
        needed = self._unsealed.stat().st_size
        free = shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise OutputError(
                f"Cannot write {self.path}: the disk is full ({needed} bytes needed, {free} free)",
                "Make room, or choose another folder.",
            )

    def _encoding_error(self, error: BaseException) -> OutputError:
        free = shutil.disk_usage(self._unsealed.parent).free
        advice = "Make room there, or point TMPDIR to a larger folder." if free < 1 << 20 else "Nothing was written."
        cause = getattr(error, "strerror", None) or error
        return OutputError(f"Cannot encode {self.path} in {self._unsealed.parent.parent}: {cause}", advice)

    def _abandon(self) -> None:
        """Closes the file whatever state it is in; it is about to be deleted."""
        import av

        try:
            self._container.close()
        except (av.FFmpegError, ValueError):
            pass


def check_output(path: Path, portraits: Sequence[Path], audio_from: Path | None = None) -> None:
    """What can be refused before there is a writer: better now than after minutes of generating.

    Raises OutputError for another suffix than .mp4, a destination that is one of the sources, or a folder that cannot
    be written, MediaError for an `audio_from` that does not exist.
    """
    if path.suffix.lower() != ".mp4":
        raise OutputError(f"Cannot write {path}: generated video is written as mp4", "Name it .mp4.")
    if path.is_dir():
        raise OutputError(f"Cannot write {path}: it is a folder", "Name a file in it.")
    for source in (*portraits, *([audio_from] if audio_from else [])):
        if path.resolve() == source.resolve() or (path.exists() and source.exists() and path.samefile(source)):
            raise OutputError(
                f"{path} is also a source", "Choose another name for the output; a source is never overwritten."
            )
    require_writable(path)
    if audio_from is not None and not audio_from.exists():
        raise MediaError(f"{audio_from} does not exist", "Check the name of the file whose sound is wanted.")


def _is_full_disk(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error, however often it was wrapped."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        error = error.__cause__ or error.__context__
    return False
